//! A small, strict HTTP client for tests: it shows what came over the wire and never retries.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// An answer.
    Answered(Response),
    /// Nobody listens.
    Refused,
    /// Connected, but not one byte came in time.
    Silent,
    /// The connection broke, or what came is no HTTP.
    Broken,
}

/// An HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The head, lower case, without the body.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Response {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find_map(|(key, value)| (key == name).then(|| value.trim()))
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("no JSON: {e}: {:?}", self.body))
    }
}

/// GET on 127.0.0.1, 20 s at most.
///
/// # Panics
/// When there is no answer.
#[track_caller]
#[must_use]
pub fn get(port: u16, path: &str) -> Response {
    match ask_with(
        Ipv4Addr::LOCALHOST.into(),
        port,
        "GET",
        path,
        &[],
        Duration::from_secs(20),
    ) {
        Asked::Answered(response) => response,
        other => panic!("GET {path} on port {port}: {other:?}"),
    }
}

/// Whether `/readyz` answers 200.
#[must_use]
pub fn is_ready(port: u16) -> bool {
    matches!(ask(port, "/readyz"), Asked::Answered(answer) if answer.status == 200)
}

/// GET on 127.0.0.1, 5 s at most, whatever comes of it.
#[must_use]
pub fn ask(port: u16, path: &str) -> Asked {
    ask_with(
        Ipv4Addr::LOCALHOST.into(),
        port,
        "GET",
        path,
        &[],
        Duration::from_secs(5),
    )
}

/// One request with everything open to choice. `timeout` is for the connection and for each read.
#[must_use]
pub fn ask_with(host: IpAddr, port: u16, method: &str, path: &str, headers: &[&str], timeout: Duration) -> Asked {
    let Ok(mut stream) = TcpStream::connect_timeout(&SocketAddr::new(host, port), timeout) else {
        return Asked::Refused;
    };
    _ = stream.set_read_timeout(Some(timeout));
    let extra: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{extra}\r\n");
    if stream.write_all(request.as_bytes()).is_err() {
        return Asked::Broken;
    }
    let mut bytes = Vec::new();
    match stream.take(MOST).read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(e) if bytes.is_empty() && matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            return Asked::Silent;
        }
        Err(_) => return Asked::Broken,
    }
    parse(&bytes).map_or(Asked::Broken, Asked::Answered)
}

/// More of an answer is not read: some servers never end.
const MOST: u64 = 1 << 20;

fn parse(bytes: &[u8]) -> Option<Response> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    Some(Response {
        status,
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    })
}
