//! What was done, what was expected and what came: fit for a bug report.

use oc_core::clock::Deadline;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::out;
use oc_core::proc::{Cmd, stop_signals};
use oc_core::report::ManagerKind;
use oc_core::run::{Answer, VERSION};
use oc_core::world::World;
use serde::Serialize;
use std::time::Duration;

/// The most that is kept of one answer; the whole of `launchctl print` is three times that.
const LINES: usize = 60;

/// One step.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// What was done.
    pub name: &'static str,
    /// What the code relies on.
    pub expected: String,
    /// What came.
    pub seen: String,
    /// Whether that is the same in meaning.
    pub ok: bool,
    /// How long it took.
    pub took_ms: u64,
    /// What the manager said, where that may matter to those who read this.
    pub said: Vec<String>,
}

/// All steps so far.
#[derive(Debug, Serialize)]
pub struct Transcript {
    manager: ManagerKind,
    system: String,
    steps: Vec<Step>,
    dry_run: bool,
    #[serde(skip)]
    watched: bool,
}

impl Transcript {
    /// An empty one. From here on a Ctrl-C is remembered instead of ending us, so that nothing is left behind.
    #[must_use]
    pub fn new(world: &World, manager: ManagerKind) -> Self {
        stop_signals();
        Self {
            manager,
            system: system(manager),
            steps: Vec::new(),
            dry_run: world.common.dry_run,
            watched: out::someone_watches() && !world.common.quiet,
        }
    }

    /// Whether nothing is to be touched.
    #[must_use]
    pub fn planned(&self) -> bool {
        self.dry_run
    }

    /// Does a step and writes down how it went: `action` returns what it saw and whether that is right. On a dry run it is only
    /// written down.
    ///
    /// # Errors
    /// 128+n when we were told to stop, and what the action brings.
    pub fn step(
        &mut self,
        name: &'static str,
        expected: impl Into<String>,
        action: impl FnOnce(&mut Vec<String>) -> Result<(bool, String)>,
    ) -> Result<()> {
        let expected = expected.into();
        let clock = Deadline::after(Duration::MAX);
        let mut said = Vec::new();
        let (ok, seen) = if self.dry_run {
            (true, "not done: a dry run".to_owned())
        } else {
            if let Some(signal) = stop_signals().pending() {
                return Err(Fault::new(
                    Exit::Signal(signal),
                    format_args!("stopped by signal {signal}"),
                ));
            }
            match action(&mut said) {
                Ok(result) => result,
                Err(fault) if matches!(fault.exit, Exit::Signal(_)) => return Err(fault),
                Err(fault) => (false, fault.what),
            }
        };
        said.truncate(LINES);
        if self.watched {
            out::raw_talk(format_args!("{} {name}", if ok { "ok  " } else { "FAIL" }));
        }
        self.steps.push(Step {
            name,
            expected,
            seen,
            ok,
            took_ms: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
            said,
        });
        Ok(())
    }

    /// 0 when every step went as expected, 2 when not.
    ///
    /// # Errors
    /// 70 when it cannot be turned into JSON.
    pub fn answer(&self) -> Result<Answer> {
        let wrong = self.steps.iter().filter(|step| !step.ok).count();
        let (exit, verdict) = match (self.dry_run, wrong) {
            (true, _) => (Exit::Good, "planned"),
            (_, 0) => (Exit::Good, "as_expected"),
            _ => (Exit::Answer(2), "unexpected"),
        };
        Ok(Answer::new("oc.guardian.exercise/1", exit, verdict, self)?.text(self.text(wrong)))
    }

    fn text(&self, wrong: usize) -> String {
        let mut text = format!("oc-guardian {VERSION}, {}\n", self.system);
        for (number, step) in self.steps.iter().enumerate() {
            let mark = match (self.dry_run, step.ok) {
                (true, _) => "would",
                (_, true) => "ok",
                (_, false) => "FAIL",
            };
            text.push_str(&format!(
                "\n{:>2}. {mark:<5} {} ({} ms)\n",
                number + 1,
                step.name,
                step.took_ms
            ));
            text.push_str(&format!(
                "    expected: {}\n    seen:     {}\n",
                step.expected, step.seen
            ));
            for line in &step.said {
                text.push_str(&format!("      | {line}\n"));
            }
        }
        text.push_str(&match (self.dry_run, wrong) {
            (true, _) => "\nnothing was touched\n".to_owned(),
            (_, 0) => format!("\nall {} steps as expected; nothing is left behind\n", self.steps.len()),
            _ => format!(
                "\n{wrong} of {} steps not as expected; please send this whole text with a bug report\n",
                self.steps.len()
            ),
        });
        text
    }
}

/// What the manager's peculiarities depend on.
fn system(manager: ManagerKind) -> String {
    let ask = |program: &str, args: &[&str]| {
        let mut cmd = Cmd::new(program);
        let output = cmd.args(args).timeout(Duration::from_secs(5)).run().ok()?;
        let text = output.stdout_text();
        let words: Vec<&str> = text.split_whitespace().take(8).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    let kernel = ask("uname", &["-srm"]).unwrap_or_else(|| "unknown system".to_owned());
    let version = match manager {
        ManagerKind::Launchd => ask("sw_vers", &[]),
        ManagerKind::Systemd => ask("systemctl", &["--version"]),
        ManagerKind::Embedded => None,
    };
    version.map_or_else(|| kernel.clone(), |version| format!("{kernel}, {version}"))
}
