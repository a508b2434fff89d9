//! `bench-get PORT`: the least a liveness probe can cost, to measure oc-probe against. One connection, one GET /healthz.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(port) = std::env::args().nth(1).and_then(|arg| arg.parse().ok()) else {
        return ExitCode::from(64);
    };
    match get(port) {
        Ok(answer) if answer.starts_with(b"HTTP/1.1 200 ") => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(2),
        Err(_) => ExitCode::from(3),
    }
}

fn get(port: u16) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::with_capacity(1024);
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
