//! What changes who runs: kickstart and kill.

use crate::daemon::{Launchd, split};
use crate::listing::not_found;
use crate::reply::Reply;
use rustix::process::Signal;

pub(crate) fn kickstart(launchd: &mut Launchd, args: &[&str]) -> Reply {
    let has = |flag: char| args.iter().any(|arg| arg.starts_with('-') && arg.contains(flag));
    let (kill, print) = (has('k'), has('p'));
    let Some(target) = args.iter().find(|arg| !arg.starts_with('-')) else {
        return Reply::error(64, "Usage: launchctl kickstart [-k] [-p] <service-target>\n");
    };
    let Some(job) = launchd.jobs.get_mut(*target) else {
        let (domain, label) = split(target).unwrap_or_default();
        let mut reply = not_found(launchd, domain, label);
        reply.stderr = reply.stderr.replace("Bad request.\n", "");
        return reply;
    };
    if job.draining {
        // Not a word.
        return Reply::error(37, "");
    }
    if kill {
        job.replace(&launchd.knobs);
    } else {
        job.start(&launchd.knobs);
    }
    match job.pid() {
        Some(pid) if print => Reply::text(format!("{pid}\n")),
        _ => Reply::ok(),
    }
}

pub(crate) fn kill(launchd: &Launchd, signal: &str, target: &str) -> Reply {
    let Some(job) = launchd.jobs.get(target) else {
        let (domain, label) = split(target).unwrap_or_default();
        return not_found(launchd, domain, label);
    };
    let signal = match signal.trim_start_matches("SIG") {
        "KILL" | "9" => Signal::KILL,
        "TERM" | "15" => Signal::TERM,
        "USR2" | "31" => Signal::USR2,
        "HUP" | "1" => Signal::HUP,
        _ => return Reply::error(64, "Unknown signal\n"),
    };
    if job.signal(signal) {
        Reply::ok()
    } else {
        Reply::error(3, "No process to signal.\n")
    }
}
