//! The listening sockets and what happens on a connection.

use crate::control::Control;
use crate::hostile;
use crate::routes::{Phase, Request, View, route};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an idle connection is kept, as the real one says in its Keep-Alive header.
const IDLE: Duration = Duration::from_secs(5);
/// The most of a request's head that is read.
const HEAD_MOST: usize = 16 * 1024;

/// What connections see of the gateway.
#[derive(Debug)]
pub(crate) struct Face {
    pub(crate) control: Arc<Control>,
    phase: AtomicU8,
    since: Mutex<Instant>,
    /// The channels that the crash-loop breaker keeps down in this life.
    suppressed: Vec<String>,
}

impl Face {
    pub(crate) fn new(control: Arc<Control>, suppressed: Vec<String>) -> Self {
        Self {
            control,
            phase: AtomicU8::new(Phase::Starting as u8),
            since: Mutex::new(Instant::now()),
            suppressed,
        }
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }

    fn view(&self) -> View {
        let faults = self.control.faults();
        let phase = match self.phase.load(Ordering::SeqCst) {
            p if p == Phase::Starting as u8 => Phase::Starting,
            p if p == Phase::Up as u8 => Phase::Up,
            _ => Phase::Draining,
        };
        let mut suppressed = faults.suppressed;
        suppressed.extend_from_slice(&self.suppressed);
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        View {
            phase,
            uptime_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX),
            not_ready: faults.not_ready,
            suppressed,
            loop_degraded: faults.loop_degraded,
        }
    }
}

/// Binds 127.0.0.1 and ::1, as far as the machine has them.
pub(crate) fn bind(port: u16) -> std::io::Result<Vec<TcpListener>> {
    let hosts = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let mut listeners = Vec::new();
    for host in hosts {
        match TcpListener::bind(SocketAddr::new(host, port)) {
            Ok(listener) => listeners.push(listener),
            // Also of the second: half a gateway is none.
            Err(e) if e.kind() == ErrorKind::AddrInUse => return Err(e),
            Err(_) => {}
        }
    }
    if listeners.is_empty() {
        return Err(ErrorKind::AddrNotAvailable.into());
    }
    for listener in &listeners {
        listener.set_nonblocking(true)?;
    }
    Ok(listeners)
}

/// Serves one connection until the client or an idle time ends it.
pub(crate) fn serve(mut stream: TcpStream, face: &Face) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE))?;
    loop {
        let Some(request) = read_request(&mut stream)? else {
            return Ok(());
        };
        // One thread answers everybody in the real gateway: while it is blocked, nobody gets a byte.
        face.control.pass();
        let faults = face.control.faults();
        std::thread::sleep(Duration::from_millis(faults.latency_ms));
        let answer = route(&face.view(), &request);
        if let Some(how) = faults.hostile
            && (faults.hostile_paths.is_empty() || faults.hostile_paths.contains(&request.path))
        {
            return hostile::answer(stream, &how, &answer, &face.control);
        }
        let mut bytes = answer.head(request.keep_alive).into_bytes();
        if request.method != "HEAD" {
            bytes.extend_from_slice(&answer.body);
        }
        stream.write_all(&bytes)?;
        if !request.keep_alive {
            return Ok(());
        }
    }
}

/// `None` when the client is gone or no HTTP client.
fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 2048];
    while !bytes.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            n => bytes.extend_from_slice(&chunk[..n]),
        }
        if bytes.len() > HEAD_MOST {
            return Ok(None);
        }
    }
    Ok(parse(&String::from_utf8_lossy(&bytes)))
}

fn parse(head: &str) -> Option<Request> {
    let mut lines = head.lines();
    let mut words = lines.next()?.split_whitespace();
    let (method, path, version) = (words.next()?, words.next()?, words.next()?);
    let mut request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        forwarded: false,
        keep_alive: version == "HTTP/1.1",
    };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        match name.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => request.forwarded = true,
            "connection" => request.keep_alive = !value.trim().eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    Some(request)
}
