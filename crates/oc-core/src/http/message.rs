//! The answer on the wire: its head, and its body by length, in chunks, or until the peer closes.

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) length: Option<usize>,
    pub(super) chunked: bool,
}

pub(super) fn parse_head(bytes: &[u8]) -> Result<Option<(usize, Head)>, String> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(len)) => {
            let header = |name: &str| {
                response
                    .headers
                    .iter()
                    .find(|h| h.name.eq_ignore_ascii_case(name))
                    .map(|h| String::from_utf8_lossy(h.value).trim().to_ascii_lowercase())
            };
            let head = Head {
                status: response.code.unwrap_or(0),
                content_type: header("content-type").unwrap_or_default(),
                length: header("content-length").and_then(|v| v.parse().ok()),
                chunked: header("transfer-encoding").is_some_and(|v| v.contains("chunked")),
            };
            Ok(Some((len, head)))
        }
        Err(e) => Err(format!("the answer is not HTTP: {e}")),
    }
}

/// The body as it arrives: by length, in chunks, or until the peer closes.
pub(super) struct Body {
    pub(super) raw: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    length: Option<usize>,
    chunked: bool,
    done: bool,
    pub(super) cut: bool,
    cap: usize,
}

impl Body {
    pub(super) fn new(head: &Head, first: Vec<u8>, cap: usize) -> Self {
        let bodiless = head.status == 204 || head.status == 304 || (100..200).contains(&head.status);
        let mut body = Self {
            raw: first,
            bytes: Vec::new(),
            length: if head.chunked { None } else { head.length },
            chunked: head.chunked,
            done: bodiless,
            cut: false,
            cap,
        };
        // A first chunk that is no chunk shows at the next decode or at the end.
        body.done |= body.decode().is_err();
        body
    }

    pub(super) fn complete(&self) -> bool {
        self.done || self.cut
    }

    pub(super) fn decode(&mut self) -> Result<(), String> {
        if self.done {
            return Ok(());
        }
        if self.chunked {
            while let Ok(httparse::Status::Complete((at, size))) = httparse::parse_chunk_size(&self.raw) {
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                if size == 0 {
                    self.done = true;
                    return Ok(());
                }
                let Some(end) = at.checked_add(size).and_then(|e| e.checked_add(2)) else {
                    return Err("the answer has a chunk of impossible size".into());
                };
                if self.raw.len() < end {
                    // Not all here yet; a chunk beyond the cap is cut without waiting for the rest of it.
                    self.cut |= self.bytes.len().saturating_add(self.raw.len() - at) > self.cap;
                    return Ok(());
                }
                self.bytes.extend_from_slice(&self.raw[at..at + size]);
                self.raw.drain(..end);
                self.limit();
            }
            if httparse::parse_chunk_size(&self.raw).is_err() {
                return Err("the answer's chunks are malformed".into());
            }
            return Ok(());
        }
        self.bytes.append(&mut self.raw);
        self.limit();
        if let Some(length) = self.length
            && self.bytes.len() >= length
        {
            self.bytes.truncate(length);
            self.done = true;
        }
        Ok(())
    }

    fn limit(&mut self) {
        if self.bytes.len() > self.cap {
            self.bytes.truncate(self.cap);
            self.cut = true;
        }
    }

    /// The peer closed: fine when nothing promised more.
    pub(super) fn ended(&mut self) -> Result<(), String> {
        self.decode()?;
        match self.length {
            _ if self.done => Ok(()),
            Some(length) => Err(format!(
                "the connection ended after {} of {length} bytes",
                self.bytes.len()
            )),
            None if self.chunked => Err("the connection ended in the middle of the answer".into()),
            None => Ok(()),
        }
    }
}
