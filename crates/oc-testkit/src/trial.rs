//! A run of minutes or hours that a person may interrupt at any time, after which nothing is left running.

use crate::cmd::Output;
use crate::env::TestEnv;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Why it does not go on.
#[derive(Debug)]
pub enum Stop {
    /// A person has seen enough.
    Interrupted,
    /// Something is not as it must be: a sentence.
    Broken(String),
}

/// Of a step.
pub type Result<T> = std::result::Result<T, Stop>;

/// A step that cannot be done, and why.
#[must_use]
pub fn broken(why: &str) -> Stop {
    Stop::Broken(why.to_owned())
}

/// What is set when we are told to end. Without it the signal would end us before we have ended what we started.
///
/// # Errors
/// When that cannot be heard.
pub fn watch_signals() -> std::io::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted))?;
    }
    Ok(interrupted)
}

/// Waits until `holds`, which is asked `every` so often.
///
/// # Errors
/// When it does not within `ceiling`, or when we are told to end.
pub fn within(
    ceiling: Duration,
    every: Duration,
    interrupted: &AtomicBool,
    what: &str,
    mut holds: impl FnMut() -> bool,
) -> Result<()> {
    let begun = Instant::now();
    loop {
        // Looked at once more after the ceiling: a starved machine may have slept through it.
        let late = begun.elapsed() > ceiling;
        if holds() {
            return Ok(());
        }
        if interrupted.load(Ordering::SeqCst) {
            return Err(Stop::Interrupted);
        }
        if late {
            return Err(broken(&format!("waited {ceiling:?} in vain: {what}")));
        }
        std::thread::sleep(every);
    }
}

/// A command of ours, as a person types it; it must exit with one of `codes`.
///
/// # Errors
/// When it exits with another.
pub fn person(env: &TestEnv, words: &[&str], codes: &[i32], limit: Duration) -> Result<Output> {
    let output = env.cmd(words[0]).args(&words[1..]).timeout(limit).run();
    if codes.contains(&output.code) {
        return Ok(output);
    }
    let (line, code, said) = (words.join(" "), output.code, output.stderr.trim());
    Err(broken(&format!("{line} exited with {code}: {said}")))
}
