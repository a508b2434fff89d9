//! Answers no client should trust, written straight to the connection.

use crate::control::Control;
use crate::routes::Answer;
use oc_testkit::Hostile;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

/// Answers badly, then the connection is closed. `truth` is what a healthy gateway would have said.
pub(crate) fn answer(mut stream: TcpStream, how: &Hostile, truth: &Answer, control: &Control) -> std::io::Result<()> {
    let mut say = |answer: &Answer| {
        stream.write_all(answer.head(false).as_bytes())?;
        stream.write_all(&answer.body)
    };
    match how {
        Hostile::Status(status) => say(&Answer::text(*status, "no").with("Retry-After: 1")),
        Hostile::Body(body) => say(&Answer::raw_json(body.as_bytes())),
        Hostile::Empty => say(&Answer::raw_json("")),
        Hostile::Html => say(&Answer::html()),
        Hostile::NonUtf8 => say(&Answer::raw_json(b"{\"ok\":\xff\xfe\xc3(".as_slice())),
        Hostile::RedirectLoop => say(&Answer::text(302, "").with("Location: /healthz")),
        Hostile::Garbage => stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 220 ready\n"),
        Hostile::Close => Ok(()),
        Hostile::Reset => Ok(rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?),
        Hostile::Stall => stall(how, control),
        Hostile::Half => {
            stream.write_all(truth.head(false).as_bytes())?;
            stream.write_all(&truth.body[..truth.body.len() / 2])?;
            stall(how, control)
        }
        Hostile::Trickle => {
            for byte in [truth.head(false).as_bytes(), &truth.body].concat() {
                stream.write_all(&[byte])?;
                std::thread::sleep(Duration::from_secs(1));
            }
            Ok(())
        }
        Hostile::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[b'x'; 65536])?;
            }
        }
        Hostile::HugeHeaders => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            loop {
                stream.write_all(format!("X-Filler: {}\r\n", "y".repeat(4000)).as_bytes())?;
            }
        }
    }
}

/// Silence until the fault is taken back.
fn stall(how: &Hostile, control: &Control) -> std::io::Result<()> {
    while control.faults().hostile.as_ref() == Some(how) {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
