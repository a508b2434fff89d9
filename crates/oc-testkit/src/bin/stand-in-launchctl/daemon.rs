//! The launchd behind the calls: one thread that answers them one after the other and looks after the jobs in between.

use crate::job::Job;
use crate::reply::Reply;
use crate::{client, listing, loading, running};
use oc_testkit::launchd::{Knobs, read_knobs, write_knobs};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// How often it looks after its jobs.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 5_000_000,
};

/// Everything launchd knows. A job is named `DOMAIN/LABEL`.
#[derive(Debug)]
pub(crate) struct Launchd {
    dir: PathBuf,
    pub(crate) jobs: BTreeMap<String, Job>,
    /// Labels; shared by all domains of the user, kept on disk.
    pub(crate) disabled: BTreeMap<String, bool>,
    pub(crate) knobs: Knobs,
    /// When they were turned last.
    turned: Option<SystemTime>,
}

pub(crate) fn run() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "stand-in-launchctl: {error}");
            ExitCode::from(74)
        }
    }
}

fn serve() -> std::io::Result<()> {
    let dir = client::dir();
    let lock = std::fs::File::create(dir.join("lock"))?;
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(());
    }
    let socket = dir.join("socket");
    _ = std::fs::remove_file(&socket);
    let disabled = std::fs::read(dir.join("disabled.json")).unwrap_or_default();
    let mut launchd = Launchd {
        jobs: BTreeMap::new(),
        disabled: serde_json::from_slice(&disabled).unwrap_or_default(),
        knobs: Knobs::default(),
        turned: None,
        dir,
    };
    let listener = UnixListener::bind(&socket)?;
    listener.set_nonblocking(true)?;
    // Its state lies in a HOME that goes away with its test, and it goes then too.
    while socket.exists() {
        _ = poll(&mut [PollFd::new(&listener, PollFlags::IN)], Some(&TICK));
        while let Ok((stream, _)) = listener.accept() {
            // A caller who went away is not our trouble.
            _ = launchd.answer(stream);
        }
        launchd.tick();
    }
    Ok(())
}

impl Launchd {
    fn answer(&mut self, stream: UnixStream) -> std::io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        let words: Vec<String> = serde_json::from_str(&line)?;
        let mut log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.dir.join("calls.log"))?;
        writeln!(log, "{}", words.join(" "))?;
        self.tick();
        let reply = self.call(&words);
        writeln!(&stream, "{}", serde_json::to_string(&reply)?)
    }

    fn tick(&mut self) {
        let turned = std::fs::metadata(self.dir.join("knobs.json"))
            .and_then(|meta| meta.modified())
            .ok();
        if turned != self.turned {
            (self.knobs, self.turned) = (read_knobs(&self.dir), turned);
        }
        let knobs = &self.knobs;
        self.jobs.retain(|_, job| !job.tick(knobs));
    }

    fn call(&mut self, words: &[String]) -> Reply {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some((&name, args)) = words.split_first() else {
            return Reply::error(1, "Usage: launchctl <subcommand> ...\n");
        };
        match self.fault(name) {
            Some(fault) => {
                if fault.done {
                    self.well(name, args);
                }
                Reply {
                    code: fault.code,
                    stdout: fault.stdout,
                    stderr: fault.stderr,
                    sleep_ms: fault.sleep_ms,
                }
            }
            None => self.well(name, args),
        }
    }

    fn well(&mut self, name: &str, args: &[&str]) -> Reply {
        match (name, args) {
            ("print", [target]) => listing::print(self, target),
            ("print-disabled", [domain]) => listing::print_disabled(self, domain),
            ("list", args) => listing::list(self, args.first().copied()),
            ("managername", []) => Reply::text("Aqua\n"),
            ("bootstrap", [domain, path]) => loading::bootstrap(self, domain, path),
            ("bootout", [target]) => loading::bootout(self, target),
            ("bootout", [domain, path]) => loading::bootout_path(self, domain, path),
            ("load", args) => loading::load(self, args),
            ("unload", args) => loading::unload(self, args),
            ("enable", [target]) => loading::enable(self, target, true),
            ("disable", [target]) => loading::enable(self, target, false),
            ("kickstart", args) => running::kickstart(self, args),
            ("kill", [signal, target]) => running::kill(self, signal, target),
            // The machine is switched off and on again, and its user logs in.
            ("stand-in-reboot", []) => loading::reboot(self),
            ("bootstrap" | "bootout" | "print" | "enable" | "disable" | "kill", _) => Reply::error(
                64,
                "Unrecognized target specifier. <service-target> takes a form of <domain-target>/<service-id>.\n",
            ),
            _ => Reply::error(1, format!("Unrecognized subcommand: {name}\n")),
        }
    }

    /// The next wrong answer that is due for this call.
    fn fault(&mut self, name: &str) -> Option<oc_testkit::launchd::Fault> {
        let fault = self.knobs.faults.iter_mut().find(|f| f.call == name && f.times > 0)?;
        fault.times -= 1;
        let fault = fault.clone();
        write_knobs(&self.dir, &self.knobs);
        Some(fault)
    }

    /// `gui/501` is there while its user is logged in at the screen; the others always.
    pub(crate) fn domain_is_there(&self, domain: &str) -> bool {
        self.knobs.no_session.is_none() || !domain.starts_with("gui/")
    }

    pub(crate) fn is_disabled(&self, label: &str) -> bool {
        self.disabled.get(label).copied().unwrap_or(false)
    }

    pub(crate) fn keep_disabled(&self) {
        let text = serde_json::json!(self.disabled).to_string();
        _ = std::fs::write(self.dir.join("disabled.json"), text);
    }

    /// The domains that have jobs.
    pub(crate) fn labels_in(&self, domain: &str) -> BTreeSet<String> {
        let mine = |key: &String| {
            split(key)
                .filter(|(d, _)| *d == domain)
                .map(|(_, label)| label.to_owned())
        };
        self.jobs.keys().filter_map(mine).collect()
    }
}

/// `gui/501/LABEL` or `system/LABEL`, apart.
pub(crate) fn split(target: &str) -> Option<(&str, &str)> {
    let at = match target.split_once('/')? {
        ("system", _) => "system".len(),
        ("gui" | "user", rest) => target.len() - rest.len() + rest.find('/')?,
        _ => return None,
    };
    let (domain, label) = (&target[..at], &target[at + 1..]);
    (!label.is_empty()).then_some((domain, label))
}
