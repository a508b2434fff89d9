//! One call: to the daemon, which is started when there is none, and its answer to our own outputs.

use crate::reply::Reply;
use oc_testkit::launchd::{DIR_VARIABLE, dir_in};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Where this launchd keeps its state.
pub(crate) fn dir() -> PathBuf {
    std::env::var_os(DIR_VARIABLE).map_or_else(
        || dir_in(Path::new(&std::env::var_os("HOME").unwrap_or_default())),
        PathBuf::from,
    )
}

pub(crate) fn run(words: &[String]) -> ExitCode {
    match ask(words) {
        Ok(reply) => {
            std::thread::sleep(Duration::from_millis(reply.sleep_ms));
            // A caller who does not listen is not our trouble.
            _ = std::io::stdout().write_all(reply.stdout.as_bytes());
            _ = std::io::stderr().write_all(reply.stderr.as_bytes());
            ExitCode::from(u8::try_from(reply.code).unwrap_or(255))
        }
        Err(error) => {
            _ = writeln!(std::io::stderr(), "stand-in-launchctl: {error}");
            ExitCode::from(74)
        }
    }
}

fn ask(words: &[String]) -> std::io::Result<Reply> {
    let mut stream = connect()?;
    writeln!(stream, "{}", serde_json::to_string(words)?)?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn connect() -> std::io::Result<UnixStream> {
    let (dir, begun) = (dir(), Instant::now());
    std::fs::create_dir_all(&dir)?;
    let socket = dir.join("socket");
    if let Ok(stream) = UnixStream::connect(&socket) {
        return Ok(stream);
    }
    start()?;
    loop {
        match UnixStream::connect(&socket) {
            Err(_) if begun.elapsed() < Duration::from_secs(10) => std::thread::sleep(Duration::from_millis(2)),
            ended => return ended,
        }
    }
}

/// Two first calls at once start two; the second one finds the lock taken and goes.
fn start() -> std::io::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("stand-in-daemon")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(dir().join("daemon.log"))?;
    command.stderr(log).current_dir("/");
    // SAFETY: setsid is async-signal-safe and touches no memory of ours.
    #[expect(unsafe_code, reason = "std offers no stable setsid")]
    unsafe {
        command.pre_exec(|| rustix::process::setsid().map(drop).map_err(Into::into));
    }
    command.spawn().map(drop)
}
