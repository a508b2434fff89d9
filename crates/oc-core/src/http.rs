//! A plain-HTTP GET for probing: one total deadline, body and header caps, no redirects, no proxies, no TLS set-up, and
//! an exact account of how far the exchange got. "Connected but no byte" and "refused" are different illnesses.
//!
//! Everything that needs https goes through [`crate::http::remote`].

mod message;
pub mod remote;
mod target;

pub use target::Target;

use message::{Body, parse_head};

use crate::clock::{Deadline, awake_clock};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Status line and headers together may not be longer than this.
const HEAD_CAP: usize = 64 * 1024;
/// While waiting we wake this often to see whether we ourselves are being scheduled.
const SLICE: Duration = Duration::from_millis(100);

/// A complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The Content-Type header, lower case; empty when there is none.
    pub content_type: String,
    /// The body, at most the cap.
    pub body: Vec<u8>,
    /// True when the body was longer than the cap (the rest was not read).
    pub body_cut: bool,
    /// From the start of the connection to the end of the body.
    pub took: Duration,
}

/// Why there is no complete answer. Only the last two say nothing about the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens.
    Refused,
    /// Accepted, then reset or closed before a complete answer.
    Reset,
    /// Accepted, and not one byte until the deadline: hung.
    NoBytes,
    /// Bytes came, but no complete answer until the deadline.
    TooSlow,
    /// Bytes came that are no HTTP answer, or a head beyond the cap.
    NotHttp,
    /// The connection itself did not come about until the deadline (filtered, host gone).
    NoConnection,
    /// We could not ask: no descriptor, no memory, no local port, no route.
    Ourselves,
}

/// A failed exchange.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// Which kind.
    pub trouble: Trouble,
    /// In words.
    pub what: String,
    /// How long it took to fail.
    pub took: Duration,
    /// By how much our own waits were overshot at worst; when this is large the machine did not schedule us and a
    /// silence says nothing about the service.
    pub overshoot: Duration,
}

/// Limits of one exchange.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For everything together: connect, send, head, body.
    pub total: Duration,
    /// Bytes of body that are read.
    pub body_cap: usize,
}

/// GETs a path. Every address of the target is tried in order while they refuse.
///
/// # Errors
/// A [`Failure`] that says how far the exchange got.
pub fn get(target: &Target, path: &str, limits: Limits) -> Result<Response, Failure> {
    let deadline = Deadline::after(limits.total);
    let addresses = target.addresses(deadline.left()).map_err(|what| Failure {
        trouble: Trouble::NoConnection,
        what,
        took: deadline.elapsed(),
        overshoot: Duration::ZERO,
    })?;
    let mut last = None;
    for address in addresses {
        match exchange(address, target, path, limits.body_cap, &deadline) {
            Err(failure) if failure.trouble == Trouble::Refused && !deadline.passed() => last = Some(failure),
            ended => return ended,
        }
    }
    Err(last.unwrap_or_else(|| Failure {
        trouble: Trouble::NoConnection,
        what: format!("{} has no address", target.host),
        took: deadline.elapsed(),
        overshoot: Duration::ZERO,
    }))
}

fn exchange(
    address: SocketAddr,
    target: &Target,
    path: &str,
    body_cap: usize,
    deadline: &Deadline,
) -> Result<Response, Failure> {
    let mut watch = Watch {
        deadline,
        worst: Duration::ZERO,
        heard: false,
    };
    let mut stream = TcpStream::connect_timeout(&address, deadline.left().max(Duration::from_millis(1)))
        .map_err(|e| watch.failure(connect_trouble(&e), format!("cannot connect to {address}: {e}")))?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUser-Agent: oc-probe\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
        target.authority()
    );
    stream
        .set_nodelay(true)
        .and_then(|()| stream.set_write_timeout(Some(deadline.left().max(Duration::from_millis(1)))))
        .and_then(|()| stream.write_all(request.as_bytes()))
        .map_err(|e| watch.failure(Trouble::Reset, format!("{address} closed the connection: {e}")))?;
    let mut bytes = Vec::new();
    let (head_len, head) = loop {
        if let Some(found) = parse_head(&bytes).map_err(|what| watch.failure(Trouble::NotHttp, what))? {
            break found;
        }
        if bytes.len() >= HEAD_CAP {
            return Err(watch.failure(
                Trouble::NotHttp,
                format!("the head of the answer exceeds {HEAD_CAP} bytes"),
            ));
        }
        if !watch.read_some(&mut stream, &mut bytes)? {
            return Err(watch.failure(
                Trouble::Reset,
                format!("{address} closed the connection without an answer"),
            ));
        }
    };
    let mut body = Body::new(&head, bytes.split_off(head_len), body_cap);
    while !body.complete() {
        if !watch.read_some(&mut stream, &mut body.raw)? {
            body.ended().map_err(|what| watch.failure(Trouble::Reset, what))?;
            break;
        }
        body.decode().map_err(|what| watch.failure(Trouble::NotHttp, what))?;
    }
    Ok(Response {
        status: head.status,
        content_type: head.content_type,
        body_cut: body.cut,
        body: body.bytes,
        took: deadline.elapsed(),
    })
}

/// Reads in slices, so that our own scheduling delay is seen and the total deadline holds whatever the peer does.
struct Watch<'a> {
    deadline: &'a Deadline,
    worst: Duration,
    /// A byte has come.
    heard: bool,
}

impl Watch<'_> {
    fn failure(&self, trouble: Trouble, what: String) -> Failure {
        Failure {
            trouble,
            what,
            took: self.deadline.elapsed(),
            overshoot: self.worst,
        }
    }

    /// Appends what came; false at the end of the stream.
    fn read_some(&mut self, stream: &mut TcpStream, into: &mut Vec<u8>) -> Result<bool, Failure> {
        let mut buffer = [0_u8; 8192];
        loop {
            let left = self.deadline.left();
            if left.is_zero() {
                let seconds = self.deadline.elapsed().as_secs_f64();
                return Err(if self.heard {
                    self.failure(
                        Trouble::TooSlow,
                        format!("the answer was not complete after {seconds:.1} s"),
                    )
                } else {
                    self.failure(
                        Trouble::NoBytes,
                        format!("connected, but no byte came for {seconds:.1} s"),
                    )
                });
            }
            let slice = left.min(SLICE).max(Duration::from_millis(1));
            let from = awake_clock();
            if let Err(e) = stream.set_read_timeout(Some(slice)) {
                return Err(self.failure(Trouble::Ourselves, format!("cannot set a timeout: {e}")));
            }
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(n) => {
                    self.heard = true;
                    into.extend_from_slice(&buffer[..n]);
                    return Ok(true);
                }
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) =>
                {
                    let late = awake_clock().saturating_sub(from).saturating_sub(slice);
                    self.worst = self.worst.max(late);
                }
                Err(e) => {
                    return Err(self.failure(connect_trouble(&e), format!("the connection broke: {e}")));
                }
            }
        }
    }
}

fn connect_trouble(error: &std::io::Error) -> Trouble {
    match error.kind() {
        ErrorKind::ConnectionRefused => Trouble::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Trouble::Reset,
        ErrorKind::TimedOut | ErrorKind::WouldBlock => Trouble::NoConnection,
        // EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL, EACCES, ENETUNREACH, ...: our side could not ask.
        _ => Trouble::Ourselves,
    }
}

#[cfg(test)]
mod tests {
    use super::message::Head;
    use super::*;
    use proptest::prelude::*;
    use std::net::TcpListener;

    /// Serves one connection with the given pieces, `gap` apart, then closes (or holds until the client is gone).
    fn serve(pieces: Vec<Vec<u8>>, gap: Duration, hold: bool) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _n = stream.read(&mut request);
            for piece in pieces {
                if stream.write_all(&piece).is_err() {
                    return;
                }
                crate::clock::pause(gap);
            }
            if hold {
                let _n = stream.read(&mut request);
            }
        });
        Target::parse(&format!("http://127.0.0.1:{port}")).unwrap()
    }

    fn limits(ms: u64) -> Limits {
        Limits {
            total: Duration::from_millis(ms),
            body_cap: 1000,
        }
    }

    fn ask(pieces: &[&[u8]], ms: u64) -> Result<Response, Failure> {
        let target = serve(pieces.iter().map(|p| p.to_vec()).collect(), Duration::ZERO, false);
        get(&target, "/healthz", limits(ms))
    }

    #[test]
    fn a_plain_answer_by_length_by_chunks_and_until_close() {
        let by_length = ask(
            &[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: Application/JSON\r\n\r\n{}"],
            5000,
        );
        let answer = by_length.unwrap();
        assert_eq!(
            (answer.status, answer.body.as_slice(), answer.content_type.as_str()),
            (200, &b"{}"[..], "application/json")
        );
        let chunked = ask(
            &[
                b"HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
                b"1\r\n}\r\n0\r\n\r\n",
            ],
            5000,
        );
        assert_eq!(
            (chunked.as_ref().unwrap().status, chunked.unwrap().body),
            (503, b"{}".to_vec())
        );
        assert_eq!(ask(&[b"HTTP/1.0 200 OK\r\n\r\nhello"], 5000).unwrap().body, b"hello");
    }

    #[test]
    fn one_byte_a_second_does_not_prolong_the_deadline() {
        let pieces = b"HTTP/1.1 200 OK\r\n\r\n".iter().map(|b| vec![*b]).collect();
        let target = serve(pieces, Duration::from_millis(100), false);
        let failure = get(&target, "/", limits(350)).unwrap_err();
        assert_eq!(failure.trouble, Trouble::TooSlow);
        assert!(failure.took < Duration::from_secs(2), "{:?}", failure.took);
    }

    #[test]
    fn silence_is_told_apart_from_refusal_and_reset() {
        let target = serve(vec![], Duration::ZERO, true);
        assert_eq!(get(&target, "/", limits(200)).unwrap_err().trouble, Trouble::NoBytes);
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let target = Target::parse(&format!("http://127.0.0.1:{closed}")).unwrap();
        assert_eq!(get(&target, "/", limits(200)).unwrap_err().trouble, Trouble::Refused);
        assert_eq!(ask(&[b""], 2000).unwrap_err().trouble, Trouble::Reset);
        assert_eq!(
            ask(&[b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"], 2000)
                .unwrap_err()
                .trouble,
            Trouble::Reset
        );
    }

    #[test]
    fn silence_after_half_an_answer_is_not_silence_from_the_start() {
        let half = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec();
        let target = serve(vec![half], Duration::ZERO, true);
        assert_eq!(get(&target, "/", limits(200)).unwrap_err().trouble, Trouble::TooSlow);
    }

    #[test]
    fn an_endless_body_and_endless_headers_are_cut() {
        let mut body = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        body.extend(vec![b'x'; 1_000_000]);
        let answer = ask(&[&body], 5000).unwrap();
        assert_eq!((answer.body.len(), answer.body_cut), (1000, true));
        let mut head = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
        head.extend(vec![b'x'; 1_000_000]);
        assert_eq!(ask(&[&head], 5000).unwrap_err().trouble, Trouble::NotHttp);
    }

    #[test]
    fn garbage_is_not_http() {
        assert_eq!(
            ask(&[b"SSH-2.0-OpenSSH\r\n"], 2000).unwrap_err().trouble,
            Trouble::NotHttp
        );
    }

    proptest! {
        #[test]
        fn no_bytes_from_a_peer_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), split in 0_usize..400) {
            if let Ok(Some((len, head))) = parse_head(&bytes) {
                let mut body = Body::new(&head, bytes[len..].to_vec(), 50);
                let _done = body.ended();
            }
            let head = Head { status: 200, content_type: String::new(), length: None, chunked: true };
            let at = split.min(bytes.len());
            let mut body = Body::new(&head, bytes[..at].to_vec(), 50);
            body.raw.extend_from_slice(&bytes[at..]);
            let _more = body.decode();
            prop_assert!(body.bytes.len() <= 50);
        }
    }
}
