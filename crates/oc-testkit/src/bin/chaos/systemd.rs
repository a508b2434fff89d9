//! Cases under systemd. All of such a case runs in namespaces of its own, observer and judge too: there the gateway is a unit
//! of a real user manager, and the passes come from the timer that `oc-guardian install` registers.

use crate::arena::{Arena, Result};
use crate::case::Case;
use crate::cli::Options;
use crate::judge::Verdict;
use crate::list::say;
use oc_testkit::user_manager::{Machine, UserManager, enclosed, gateway_unit, live_in};
use oc_testkit::{Output, Running, Signal};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(crate) const UNIT: &str = "openclaw-gateway.service";
pub(crate) const TIMER: &str = "openclaw-watchdog.timer";
/// A case that takes longer ends without a verdict.
const PATIENCE: Duration = Duration::from_secs(3000);
/// What was interrupted takes its things away within this time.
const PARTING: Duration = Duration::from_secs(60);

/// Has this program do the case once in there, and reads the verdict from its sheet.
pub(crate) fn elsewhere(case: &Case, options: &Options, interrupted: &AtomicBool) -> Verdict {
    again(case, options, interrupted).unwrap_or_else(|why| Verdict::failed(format!("in its namespaces: {why}")))
}

fn again(case: &Case, options: &Options, interrupted: &AtomicBool) -> std::result::Result<Verdict, String> {
    let io = |error: std::io::Error| error.to_string();
    let dir = tempfile::tempdir().map_err(io)?;
    let exe = std::env::current_exe().map_err(io)?;
    let (exe, out) = (exe.display().to_string(), dir.path().display().to_string());
    let mut words = [&exe, "run", case.id, "--verbose", "--out", &out]
        .map(str::to_owned)
        .to_vec();
    let (ended, said, sheet) = if options.real {
        words.push("--real".to_owned());
        let (ended, said) = booted(&words, interrupted);
        (ended, said, "real.json")
    } else {
        let said = dir.path().join("said");
        let talk = std::fs::File::create(&said).map_err(io)?;
        let mut inner = enclosed(&words)
            .stdout(talk.try_clone().map_err(io)?)
            .stderr(talk)
            .process_group(0)
            .spawn()
            .map_err(io)?;
        let ended = wait(&mut inner, interrupted);
        (ended, std::fs::read_to_string(said).unwrap_or_default(), "chaos.json")
    };
    let sheet = std::fs::read(dir.path().join(sheet)).unwrap_or_default();
    let sheet: serde_json::Value = serde_json::from_slice(&sheet).unwrap_or_default();
    let verdict: Verdict = serde_json::from_value(sheet["rows"][0]["runs"][0].clone())
        .map_err(|_| format!("no verdict, {ended}: {}", said.trim()))?;
    if options.verbose && !verdict.misses.is_empty() {
        say(said.trim_end());
    }
    Ok(verdict)
}

/// With a whole systemd as PID 1, which OpenClaw's installer asks too; says how it ended, and what it said.
fn booted(words: &[String], interrupted: &AtomicBool) -> (String, String) {
    let machine = Machine::boot(words);
    let limit = Instant::now() + PATIENCE;
    // What is in there needs no parting: it goes with the machine.
    while machine.ended().is_none() && Instant::now() < limit && !interrupted.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let ended = machine.ended().map_or_else(
        || "ended before its time".to_owned(),
        |code| format!("exit code {code}"),
    );
    (ended, machine.said())
}

/// Waits for its end, and asks for that when somebody does not want to wait; says how it ended.
fn wait(inner: &mut Child, interrupted: &AtomicBool) -> String {
    let group = rustix::process::Pid::from_child(inner);
    let mut limit = Instant::now() + PATIENCE;
    let mut asked = false;
    loop {
        match inner.try_wait() {
            Ok(Some(status)) => return status.to_string(),
            Ok(None) => {}
            Err(error) => return error.to_string(),
        }
        if Instant::now() > limit {
            // Everything in there ends with it.
            _ = inner.kill();
            _ = inner.wait();
            return "killed because it took too long".to_owned();
        }
        if !asked && interrupted.load(Ordering::SeqCst) {
            asked = true;
            limit = Instant::now() + PARTING;
            // Not taken away from it by KILL: it has a HOME to remove.
            _ = rustix::process::kill_process_group(group, Signal::TERM);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Arena {
    /// Has systemd keep the gateway, as OpenClaw registers it, and us look after it.
    pub(crate) fn register(&mut self) -> Result<()> {
        if self.real {
            live_in(self.env());
        }
        self.manager = Some(UserManager::start(&mut self.service.env));
        // It is to be found as on anybody's machine.
        self.service.env.unset("OC_SERVICE_MANAGER");
        if self.real {
            let port = self.service.port.to_string();
            self.openclaw(&["gateway", "install", "--port", &port]);
        } else {
            self.enable_own_unit();
        }
        self.wait("the unit runs", |arena| arena.shown("ActiveState") == "active")?;
        self.person(&["oc-guardian", "install", "--interval", "1s"], &[0])
            .map(drop)
    }

    fn enable_own_unit(&mut self) {
        let unit = gateway_unit(self.env(), &self.program, self.service.port);
        // Scaled as everything is.
        self.write_unit(&unit.replace("RestartSec=5\n", "RestartSec=250ms\n"));
        self.systemctl(&["daemon-reload"]);
        self.systemctl(&["enable", "--now", UNIT]);
    }

    /// OpenClaw's own command, as a person types it. What it exits with is not the question here.
    pub(crate) fn openclaw(&self, words: &[&str]) -> oc_testkit::Output {
        oc_testkit::real::typed(self.env(), words)
            .timeout(crate::real::PATIENCE)
            .run()
    }

    /// Where the definitions of the user's units lie.
    pub(crate) fn units(&self) -> PathBuf {
        self.env().path(".config/systemd/user")
    }

    /// As a person or OpenClaw writes it; the manager does not know yet.
    pub(crate) fn write_unit(&self, text: &str) {
        self.env().write(self.units().join(UNIT), text);
    }

    /// What `systemctl --user ARGS` prints, whatever came of it.
    pub(crate) fn systemctl(&self, args: &[&str]) -> String {
        let manager = self.manager.as_ref();
        manager.map_or_else(String::new, |manager| manager.ask(self.env(), args))
    }

    /// A property of the gateway's unit.
    pub(crate) fn shown(&self, property: &str) -> String {
        let answer = self.systemctl(&["show", "--value", "-p", property, UNIT]);
        answer.trim().to_owned()
    }

    /// From now on cron's guardian comes by, every second instead of every three minutes.
    pub(crate) fn cron(&mut self) {
        let stop = self.env().path("no-cron");
        let line = "while ! [ -e \"$0\" ]; do oc-guardian ensure; sleep 1; done";
        let running = self.env().foreign("/bin/sh").args(["-c", line]).arg(&stop).spawn();
        self.cron = Some(Cron { stop, running });
    }

    /// cron's guardian comes by until it serves again as somebody else.
    pub(crate) fn guarded_by_cron(&mut self) -> Result<()> {
        let before = self.before;
        self.wait("cron's guardian brings it back", |arena| {
            arena.ensure();
            arena.serving().is_some_and(|life| Some(life) != before)
        })
    }

    /// One visit of cron's guardian.
    pub(crate) fn ensure(&self) -> Output {
        let guardian = self.env().cmd("oc-guardian").arg("ensure");
        guardian.timeout(self.patience).run()
    }
}

/// See [`Arena::cron`]. Dropping it ends it.
pub(crate) struct Cron {
    stop: PathBuf,
    running: Running,
}

impl Drop for Cron {
    fn drop(&mut self) {
        // In order: a visit that is killed in its middle would leave a pass behind.
        _ = std::fs::write(&self.stop, "");
        let limit = Instant::now() + PARTING;
        while self.running.try_wait().is_none() && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
