//! One agent, from its start to its end: watched for what it does, what it costs, and for every bound.

use crate::account::{Account, End, Ended, call};
use crate::agents::{self, Agent, Places};
use crate::commands::hook;
use crate::dialogs::{self, Answer};
use crate::drivers::{self, Launch, Running};
use crate::session::Record;
use crate::transcript::Lines;
use crate::watch::Watch;
use oc_core::clock::{Deadline, pause};
use oc_core::config::Driver;
use oc_core::fault::Result;
use oc_core::proc::stop_signals;
use oc_core::world::World;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time between two looks: the end of the work is noticed within this and the time a hook takes.
const LOOK: Duration = Duration::from_millis(100);
/// Between two looks at the processes and at the screen.
const SELDOM: Duration = Duration::from_millis(300);
/// How long Claude Code may take to begin a session, dialogs included.
const START: Duration = Duration::from_secs(30);
/// After that, how long until the prompt is taken.
const SUBMIT: Duration = Duration::from_secs(10);
/// A terminal that shows nothing new for so long is taken for the end. The last resort: the hooks tell it at once.
const IDLE: Duration = Duration::from_secs(120);
/// The most that an agent may print.
const OUTPUT: u64 = 16 << 20;

/// The bounds of one attempt.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// For all attempts together.
    pub deadline: Deadline,
    /// To the first answer.
    pub first_answer: Duration,
    /// Answers of the model.
    pub turns: u32,
    /// US dollars.
    pub usd: f64,
}

/// What came of it.
pub struct Attempt {
    /// How it ended.
    pub ended: Ended,
    /// What it did.
    pub account: Account,
    /// What it showed.
    pub shown: String,
    /// How long it took.
    pub took: Duration,
}

impl Attempt {
    /// Of a program that cannot be started.
    #[must_use]
    pub fn missing(why: String) -> Self {
        Self {
            ended: Ended::new(End::Missing, why),
            account: Account::default(),
            shown: String::new(),
            took: Duration::ZERO,
        }
    }
}

/// Runs one agent to its end. When this returns, nothing of it lives.
///
/// # Errors
/// 74 or 77 when its record cannot be written: what nobody could end is not started.
pub fn make(
    world: &World,
    agent: &Agent,
    launch: &Launch<'_>,
    places: &Places<'_>,
    bounds: &Bounds,
    watch: &Watch,
    record: &mut Record,
) -> Result<Attempt> {
    record.save(world)?;
    let clock = Deadline::after(bounds.deadline.left());
    let mut running = match Running::start(record.driver, launch) {
        Ok(running) => running,
        Err(fault) => {
            record.end(None);
            return Ok(Attempt::missing(fault.what));
        }
    };
    record.look(running.root().as_ref());
    record.save(world)?;
    drivers::admit(places.scratch)?;
    let mut attempt = Watched {
        interactive: agent.is_claude() && record.driver == Driver::Tmux,
        agent,
        scratch: places.scratch,
        account: Account::default(),
        lines: None,
        started: Deadline::after(START),
        submitted: None,
        first: Deadline::after(bounds.first_answer),
        last_change: (0, Deadline::after(IDLE)),
        pressed: None,
    };
    let mut seldom = Deadline::after(Duration::ZERO);
    let ended = loop {
        if let Some(ended) = attempt.look(&mut running, bounds, watch) {
            break ended;
        }
        if seldom.passed() {
            // A full disk is no reason to let go of a session that runs.
            if record.look(running.root().as_ref())
                && let Err(fault) = record.save(world)
            {
                oc_core::out::talk(fault);
            }
            if let Some(ended) = attempt.look_at_screen(&running) {
                break ended;
            }
            seldom = Deadline::after(SELDOM);
        }
        pause(LOOK);
    };
    let shown = running.shown(places.scratch);
    // Once its terminal has hung up nobody can tell any more what belongs to it, should we be killed over ending it.
    if record.look(running.root().as_ref())
        && let Err(fault) = record.save(world)
    {
        oc_core::out::talk(fault);
    }
    record.end(running.root().as_ref());
    // What it said on its way out.
    attempt.read();
    attempt.tidy();
    let mut account = attempt.account;
    hook::denied(places.scratch)
        .into_iter()
        .for_each(|call| account.deny(call));
    Ok(Attempt {
        ended,
        account,
        shown,
        took: clock.elapsed(),
    })
}

/// A session under our eyes.
struct Watched<'a> {
    /// Driven through its hooks.
    interactive: bool,
    agent: &'a Agent,
    scratch: &'a Path,
    account: Account,
    lines: Option<Lines>,
    started: Deadline,
    submitted: Option<Deadline>,
    first: Deadline,
    last_change: (u64, Deadline),
    pressed: Option<(&'static str, u32, Deadline)>,
}

impl Watched<'_> {
    fn look(&mut self, running: &mut Running, bounds: &Bounds, watch: &Watch) -> Option<Ended> {
        let exited = running.exited();
        self.read();
        if let Some(ended) = self.account.ended.take().or_else(|| self.hooked()) {
            return Some(ended);
        }
        if let Some(code) = exited {
            return Some(self.exited(code, running));
        }
        if let Some(signal) = stop_signals().pending() {
            return Some(Ended::new(End::Stopped, format!("signal {signal}")));
        }
        let printed = std::fs::metadata(drivers::output(self.scratch)).map_or(0, |m| m.len());
        if printed != self.last_change.0 {
            self.last_change = (printed, Deadline::after(IDLE));
        }
        let bound = if bounds.deadline.passed() {
            (End::Deadline, "its time was up".to_owned())
        } else if watch.healthy() {
            (End::Healthy, "the service is healthy again".to_owned())
        } else if self.account.turns > bounds.turns {
            (End::Turns, format!("more than {} turns", bounds.turns))
        } else if self.account.usd() > bounds.usd {
            (End::Budget, format!("more than {:.2} USD", bounds.usd))
        } else if printed > OUTPUT {
            (End::Output, format!("more than {} MiB of output", OUTPUT >> 20))
        } else if !self.account.answered && self.first.passed() {
            (End::NoAnswer, self.unanswered(running))
        } else if self.interactive && self.last_change.1.passed() {
            (End::Done, "nothing moved any more".to_owned())
        } else {
            return None;
        };
        Some(Ended::new(bound.0, bound.1))
    }

    /// What there was in place of an answer.
    fn unanswered(&self, running: &Running) -> String {
        let begun = !self.interactive || self.lines.is_some();
        let instead = match running.screen().filter(|_| !begun) {
            Some(screen) => format!("; its screen says: {}", shown(&screen)),
            None => self
                .account
                .said
                .last()
                .map(|line| format!("; {line}"))
                .unwrap_or_default(),
        };
        format!("no answer in time{instead}")
    }

    /// What the hooks of Claude Code prove.
    fn hooked(&mut self) -> Option<Ended> {
        if !self.interactive {
            return None;
        }
        if self.lines.is_none()
            && let Some(said) = self.sentinel("SessionStart")
        {
            self.lines = Some(Lines::new(PathBuf::from(
                said["transcript_path"].as_str().unwrap_or_default(),
            )));
            self.submitted = Some(Deadline::after(SUBMIT));
        }
        if let Some(said) = self.sentinel("StopFailure") {
            let text = |key: &str| said[key].as_str().unwrap_or_default();
            return Some(agents::refusal(
                None,
                &format!("{} {}", text("last_assistant_message"), text("error")),
            ));
        }
        let said = self.sentinel("Stop")?;
        self.read();
        Some(Ended::new(
            End::Done,
            said["last_assistant_message"].as_str().unwrap_or_default(),
        ))
    }

    /// Without a key it is the person's own Claude Code that runs; what it noted about our directory is no use to them.
    fn tidy(&self) {
        let name = self
            .scratch
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let noted = self.lines.as_ref().and_then(|lines| lines.path().parent());
        if let Some(noted) = noted.filter(|dir| self.interactive && dir.to_string_lossy().contains(&name))
            && let Err(error) = std::fs::remove_dir_all(noted)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            oc_core::out::talk(format_args!("cannot remove {}: {error}", noted.display()));
        }
    }

    fn sentinel(&self, event: &str) -> Option<Value> {
        hook::sentinel(self.scratch, event)
    }

    /// Dialogs before the session begins; a prompt that was not taken.
    fn look_at_screen(&mut self, running: &Running) -> Option<Ended> {
        if !self.interactive || self.account.answered {
            return None;
        }
        if self.lines.is_some() {
            let late = self.submitted.as_ref().is_some_and(Deadline::passed);
            if late && self.sentinel("UserPromptSubmit").is_none() {
                running.press(&["Enter"]);
                self.submitted = Some(Deadline::after(SUBMIT));
            }
            return None;
        }
        let screen = running.screen()?;
        match dialogs::recognise(&screen) {
            Some((_, Answer::Give(ended))) => Some(ended),
            Some((name, Answer::Keys(keys))) => self.press(running, name, keys),
            None if self.started.passed() => Some(Ended::new(
                End::Dialog,
                format!("it did not begin; its screen says: {}", shown(&screen)),
            )),
            None => None,
        }
    }

    /// The same question is answered again when it still stands after a moment, three times at most.
    fn press(&mut self, running: &Running, name: &'static str, keys: &[&str]) -> Option<Ended> {
        let times = match &self.pressed {
            Some((before, _, wait)) if *before == name && !wait.passed() => return None,
            Some((before, times, _)) if *before == name => times + 1,
            _ => 1,
        };
        if times > 3 {
            return Some(Ended::new(End::Dialog, format!("{name}: it asks again and again")));
        }
        running.press(keys);
        self.pressed = Some((name, times, Deadline::after(Duration::from_secs(2))));
        None
    }

    fn read(&mut self) {
        if self.lines.is_none() && !self.interactive {
            self.lines = Some(Lines::new(drivers::output(self.scratch)));
        }
        let Some(lines) = &mut self.lines else { return };
        for line in lines.more() {
            match (serde_json::from_str::<Value>(&line), self.agent.preset.read) {
                (Ok(value), Some(read)) if value.is_object() => read(&value, &mut self.account),
                (_, Some(_)) => self.account.say("", &line),
                (_, None) => {
                    self.account.answer("output");
                    self.account.say("", &line);
                }
            }
        }
    }

    fn exited(&mut self, code: i32, running: &Running) -> Ended {
        self.read();
        if let Some(ended) = self.account.ended.take() {
            return ended;
        }
        if let Some(ended) = running.screen().as_deref().and_then(dialogs::last_words) {
            return ended;
        }
        let tail: Vec<&str> = self
            .account
            .said
            .iter()
            .rev()
            .take(5)
            .rev()
            .map(String::as_str)
            .collect();
        let said = tail.join(" / ");
        match code {
            0 if !self.agent.is_claude() => Ended::new(End::Done, ""),
            126 | 127 => Ended::new(End::Missing, said),
            // Exit status of gemini for a login that it does not have.
            41 => Ended::new(End::Login, said),
            _ => match agents::refusal(None, &said) {
                refused if refused.end != End::ApiError => refused,
                _ => Ended::new(End::Exited, format!("exit status {code}: {said}")),
            },
        }
    }
}

/// A screen as one short line.
fn shown(screen: &str) -> String {
    let lines: Vec<&str> = screen.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" / ").chars().take(300).collect()
}

/// One line for a tool call in a hook's input.
#[must_use]
pub fn described(input: &Value) -> String {
    call(input["tool_name"].as_str().unwrap_or_default(), &input["tool_input"])
}
