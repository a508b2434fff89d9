//! A page or metrics on a loopback port, made anew for each request. One request at a time: the reader is one Prometheus
//! or one browser, and a second cannot make us hold two of anything.

use oc_core::clock::Deadline;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::proc::stop_signals;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// A slow reader is not waited for longer.
const PATIENCE: Duration = Duration::from_secs(2);
const HEAD_CAP: usize = 8 << 10;

/// Serves until TERM, INT or HUP.
///
/// # Errors
/// 64 for an address that is not loopback, 69 when the port is taken.
pub(crate) fn serve(address: &str, content_type: &str, mut page: impl FnMut() -> Result<String>) -> Result<Exit> {
    let address = loopback(address)?;
    let listener = TcpListener::bind(address).map_err(|e| {
        Fault::new(Exit::Unavailable, format_args!("cannot listen on {address}: {e}"))
            .hint("another oc-report may serve there")
    })?;
    let bound = listener.local_addr().unwrap_or(address);
    oc_core::out::talk(format_args!("serving on http://{bound}/"));
    let stop = stop_signals();
    loop {
        if let Some(signal) = stop.pending() {
            return Ok(Exit::Signal(signal));
        }
        let mut fds = [PollFd::new(&listener, PollFlags::IN)];
        let wait = Timespec {
            tv_sec: 0,
            tv_nsec: 200_000_000,
        };
        // Interrupted by a signal: looked at above.
        if poll(&mut fds, Some(&wait)).is_ok_and(|ready| ready > 0)
            && let Ok((stream, _)) = listener.accept()
        {
            answer(stream, content_type, &mut page);
        }
    }
}

/// Only this machine: what stands in the record is nobody else's business, and nobody signs in here.
fn loopback(address: &str) -> Result<SocketAddr> {
    let wrong = || {
        Fault::usage(format_args!("{address} is no loopback address"))
            .hint("use 127.0.0.1:9477, and a tunnel or a proxy with a sign-in from elsewhere")
    };
    let found: Vec<SocketAddr> = address.to_socket_addrs().map_err(|_| wrong())?.collect();
    found
        .iter()
        .copied()
        .find(|a| a.ip().is_loopback())
        .filter(|_| found.iter().all(|a| a.ip().is_loopback()))
        .ok_or_else(wrong)
}

fn answer(mut stream: TcpStream, content_type: &str, page: &mut impl FnMut() -> Result<String>) {
    let deadline = Deadline::after(PATIENCE);
    let Some(head) = head(&mut stream, &deadline) else {
        return;
    };
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    // A page of another site must not read us through the name of its own (DNS rebinding).
    let host = head.lines().find_map(|l| {
        l.to_ascii_lowercase()
            .strip_prefix("host:")
            .map(|h| h.trim().to_owned())
    });
    let name = host
        .as_deref()
        .map_or("", |h| h.rsplit_once(':').map_or(h, |(name, _)| name));
    let local = matches!(name, "localhost" | "127.0.0.1" | "[::1]" | "");
    let (status, kind, body) = match (method, path) {
        _ if !local => ("403 Forbidden", "text/plain", "ask for localhost\n".to_owned()),
        ("GET" | "HEAD", "/" | "/metrics") => match page() {
            Ok(body) => ("200 OK", content_type, body),
            Err(fault) => {
                oc_core::out::talk(&fault);
                (
                    "500 Internal Server Error",
                    "text/plain",
                    "the record cannot be read; see the log\n".to_owned(),
                )
            }
        },
        ("GET" | "HEAD", _) => ("404 Not Found", "text/plain", "there is / and /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "text/plain", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:\r\n\r\n",
        body.len()
    );
    let body = if method == "HEAD" { "" } else { &body };
    // The reader went away: its business.
    drop(stream.set_write_timeout(Some(PATIENCE)));
    drop(
        stream
            .write_all(head.as_bytes())
            .and_then(|()| stream.write_all(body.as_bytes())),
    );
}

fn head(stream: &mut TcpStream, deadline: &Deadline) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        let left = deadline.left();
        if left.is_zero() || bytes.len() > HEAD_CAP {
            return None;
        }
        stream.set_read_timeout(Some(left)).ok()?;
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            n => bytes.extend_from_slice(&buffer[..n]),
        }
        if bytes.windows(4).any(|w| w == b"\r\n\r\n") {
            return Some(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}
