//! Our lines in the person's crontab, between two marks of the instance. Every other line stays byte for byte.

mod block;

pub use block::mentions;
use block::{find, with, without};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::proc::{Cmd, Ended, Output};
use std::time::Duration;

/// macOS lets `crontab` wait for ever for a permission that nobody is there to give.
const LIMIT: Duration = Duration::from_secs(15);

/// The crontab of this user, as far as it is one instance's.
#[derive(Debug, Clone)]
pub struct Crontab<'i> {
    instance: &'i str,
    limit: Duration,
}

impl<'i> Crontab<'i> {
    /// The lines of `instance`. `limit` of one call of crontab(1); 15 s unless said.
    #[must_use]
    pub fn new(instance: &'i str, limit: Option<Duration>) -> Self {
        Self {
            instance,
            limit: limit.unwrap_or(LIMIT),
        }
    }

    /// Whether our lines are there and say what `block` says (lines, each with its newline, without the marks).
    ///
    /// # Errors
    /// 69 when there is no crontab(1), 77 when it refuses or does not answer.
    pub fn present(&self, block: &str) -> Result<bool> {
        Ok(find(&self.read()?, self.instance).as_deref() == Some(block.as_bytes()))
    }

    /// Has our lines there, once, and reads them back; says whether that changed anything.
    ///
    /// # Errors
    /// As [`Crontab::present`]; 74 when the crontab then does not contain what was written.
    pub fn put_back(&self, block: &str) -> Result<bool> {
        self.change(|text| with(text, self.instance, block))
    }

    /// Takes our lines away; says whether there were any.
    ///
    /// # Errors
    /// As [`Crontab::put_back`].
    pub fn take_out(&self, block: &str) -> Result<bool> {
        self.change(|text| without(text, self.instance, block))
    }

    /// Every line as it is now; empty without a crontab.
    ///
    /// # Errors
    /// As [`Crontab::present`].
    pub fn read(&self) -> Result<Vec<u8>> {
        let out = self.crontab(&["-l"], None)?;
        let said = out.stderr_text();
        let none = ["no crontab", "No such file", "can't open"];
        match out.ended {
            Ended::Code(0) if out.truncated => Err(Fault::data("the crontab is larger than 1 MiB")),
            Ended::Code(0) => Ok(out.stdout),
            Ended::Code(1) if none.iter().any(|text| said.contains(text)) => Ok(Vec::new()),
            _ => Err(refused("list", &out)),
        }
    }

    /// Changes lines of the whole table; says whether that changed anything.
    ///
    /// # Errors
    /// As [`Crontab::put_back`].
    pub fn change(&self, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<bool> {
        let before = self.read()?;
        let after = change(&before);
        if after == before {
            return Ok(false);
        }
        self.check(&after)?;
        let out = self.crontab(&["-"], Some(after.clone()))?;
        if !out.ended.success() {
            return Err(refused("write", &out));
        }
        // It may say yes and write nothing.
        if self.read()? == after {
            return Ok(true);
        }
        Err(
            Fault::new(Exit::Io, "the crontab does not contain what was written into it")
                .hint("look at it with `crontab -l`; if another program changes it at the same time, run this again"),
        )
    }

    /// Has the syntax checked where crontab(1) can do that. In cronie `-n` is another thing, so it is asked for its usage.
    fn check(&self, text: &[u8]) -> Result<()> {
        let usage = self.crontab(&["-h"], None)?;
        if !(usage.stderr_text() + &usage.stdout_text()).contains("dry run") {
            return Ok(());
        }
        let out = self.crontab(&["-n", "-"], Some(text.to_owned()))?;
        if out.ended.success() {
            return Ok(());
        }
        Err(refused("check", &out))
    }

    fn crontab(&self, args: &[&str], stdin: Option<Vec<u8>>) -> Result<Output> {
        let mut cmd = Cmd::new("crontab");
        cmd.args(args).env("LC_ALL", "C").timeout(self.limit);
        if let Some(bytes) = stdin {
            cmd.stdin(bytes);
        }
        cmd.run().map_err(|fault| match fault.exit {
            Exit::NotFound | Exit::CannotExec => {
                Fault::new(Exit::Unavailable, format_args!("no cron here: {}", fault.what))
            }
            _ => fault,
        })
    }
}

fn refused(verb: &str, out: &Output) -> Fault {
    let what = match out.ended {
        Ended::Deadline => format!("crontab does not answer: ended after {} s", out.took.as_secs()),
        _ => {
            let said = out.stderr_text();
            let said = said.trim().lines().next_back().unwrap_or("no reason given").to_owned();
            format!("cannot {verb} the crontab: {said}")
        }
    };
    Fault::new(Exit::Permission, what).hint(
        "on macOS the terminal needs Full Disk Access for this (System Settings, Privacy & Security); elsewhere see cron.allow",
    )
}
