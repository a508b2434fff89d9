//! `bench-serve PORT`: the smallest service worth supervising, up in a millisecond, so that what is measured is the
//! supervisor. Answers every request with its pid; says on descriptor 3 that it is ready, if the supervisor opened one.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(port) = std::env::args().nth(1).and_then(|arg| arg.parse().ok()) else {
        return ExitCode::from(64);
    };
    let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) else {
        return ExitCode::from(1);
    };
    if std::env::args().nth(2).as_deref() == Some("--ready-on-3") {
        // s6's readiness protocol; without a reader nobody needs to know.
        drop(std::fs::write("/dev/fd/3", "\n"));
    }
    let body = format!(r#"{{"ok":true,"status":"live","pid":{}}}"#, std::process::id());
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    for mut stream in listener.incoming().flatten() {
        // A client that breaks off is its own loss.
        drop(stream.read(&mut [0; 4096]));
        drop(stream.write_all(answer.as_bytes()));
    }
    ExitCode::SUCCESS
}
