//! A server that says the same to everybody, byte by byte as told: for hostile servers and webhooks.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What a [`Canned`] server does next on a connection. After the last step it closes.
#[derive(Debug, Clone)]
pub enum Step {
    /// Reads until the end of the request's head and as much of the body as Content-Length says.
    Read,
    /// Sends bytes.
    Send(Vec<u8>),
    /// Waits, or less when the server is dropped.
    Pause(Duration),
    /// Sends bytes again and again, until the client is gone.
    Repeat(Vec<u8>),
    /// Keeps the connection open and says nothing.
    Stall,
    /// Closes with a reset.
    Reset,
}

/// A server on a loopback port of its own, one thread a connection. Dropping it closes everything.
#[derive(Debug)]
pub struct Canned {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Canned {
    /// Serves these steps to every connection.
    ///
    /// # Panics
    /// When no port can be bound.
    #[must_use]
    pub fn new(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, halt) = (Arc::clone(&requests), Arc::clone(&stop));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if halt.load(Ordering::SeqCst) {
                    return;
                }
                let (steps, seen, halt) = (steps.clone(), Arc::clone(&seen), Arc::clone(&halt));
                std::thread::spawn(move || play(stream, &steps, &seen, &halt));
            }
        });
        Self { port, requests, stop }
    }

    /// Reads the request and answers it with this status and JSON body.
    #[must_use]
    pub fn answering(status: u16, body: &str) -> Self {
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        Self::new(vec![Step::Read, Step::Send(answer.into_bytes())])
    }

    /// The port it listens on, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The requests read so far, head and body.
    ///
    /// # Panics
    /// When a connection's thread panicked.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no thread panicked").clone()
    }
}

impl Drop for Canned {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn play(mut stream: TcpStream, steps: &[Step], seen: &Mutex<Vec<String>>, halt: &AtomicBool) {
    for step in steps {
        match step {
            Step::Read => seen.lock().expect("no thread panicked").push(read_request(&mut stream)),
            Step::Send(bytes) => {
                if stream.write_all(bytes).is_err() {
                    return;
                }
            }
            Step::Repeat(bytes) => while !halt.load(Ordering::SeqCst) && stream.write_all(bytes).is_ok() {},
            Step::Pause(time) => idle(Some(*time), halt),
            Step::Stall => idle(None, halt),
            Step::Reset => {
                _ = rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO));
                return;
            }
        }
    }
}

fn idle(time: Option<Duration>, halt: &AtomicBool) {
    let begun = Instant::now();
    while !halt.load(Ordering::SeqCst) && time.is_none_or(|time| begun.elapsed() < time) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while !complete(&bytes) {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn complete(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let expected = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|length| length.trim().parse().ok())
        .unwrap_or(0);
    body.len() >= expected
}
