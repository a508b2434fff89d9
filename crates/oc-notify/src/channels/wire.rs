//! The one place that talks to the outside: one call, at most one wait, never longer than its limit.

use super::{Answer, Call};
use oc_core::exit::Exit;
use oc_core::http::{Limits, remote};
use oc_core::proc::{Cmd, Ended};
use std::time::Duration;

/// Of an answer, this much is read: it holds an id or an error text.
const BODY_CAP: usize = 256 << 10;

/// Makes one call.
///
/// # Errors
/// A sentence when there is no answer at all; it never holds a URL.
pub fn send(call: &Call, limit: Duration) -> Result<Answer, String> {
    match call {
        Call::Http(request) => {
            let body = request.body.to_string();
            let mut headers = vec![("Content-Type", "application/json; charset=utf-8")];
            headers.extend(request.headers.iter().map(|(name, value)| (*name, value.expose())));
            let limits = Limits {
                total: limit,
                body_cap: BODY_CAP,
            };
            let exchange = remote::exchange(
                request.method,
                request.url.expose(),
                &headers,
                Some(body.as_bytes()),
                limits,
            );
            let (response, retry_after) = exchange.map_err(|failure| failure.what)?;
            let body = String::from_utf8_lossy(&response.body).into_owned();
            Ok(Answer {
                status: response.status,
                body,
                retry_after,
            })
        }
        Call::Program { argv, stdin } => program(argv, stdin, limit),
    }
}

fn program(argv: &[String], stdin: &[u8], limit: Duration) -> Result<Answer, String> {
    let (program, args) = argv.split_first().ok_or("no command")?;
    let grace = Duration::from_millis(500);
    let mut cmd = Cmd::new(program);
    cmd.args(args)
        .stdin(stdin)
        .timeout(limit.saturating_sub(grace))
        .grace(grace)
        .cap(4096);
    match cmd.run() {
        Ok(output) if output.ended == Ended::Deadline => Err(format!("{program} did not end in time")),
        Ok(output) => Ok(Answer {
            status: u16::from(output.ended.exit().code()),
            body: output.stderr_text(),
            retry_after: None,
        }),
        Err(fault) if matches!(fault.exit, Exit::NotFound | Exit::CannotExec) => Ok(Answer {
            status: u16::from(fault.exit.code()),
            body: fault.what,
            retry_after: None,
        }),
        Err(fault) => Err(fault.what),
    }
}
