//! What people and the healing chain want: signals to the supervisor, commands through its FIFO.

use super::Supervisor;
use oc_core::identity::Identity;
use oc_core::service::Verb;
use oc_core::service::embedded::{Command, Refusal};
use rustix::process::Signal;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR2};

impl Supervisor<'_> {
    pub(super) fn on_signal(&mut self, signal: i32) {
        match signal {
            SIGCHLD => self.on_child(),
            // INT again: the person at the terminal does not want to wait for the drain.
            SIGINT if self.leaving => self.kill(),
            SIGTERM | SIGINT | SIGQUIT => {
                self.leaving = true;
                // From now on its end is our doing; what it died of before is not what we exit with.
                self.last_end = None;
                // Nothing is left to heal.
                self.plan.healer = None;
                self.stop();
            }
            SIGHUP => self.forward(Signal::HUP),
            SIGUSR2 => self.forward(Signal::USR2),
            _ => oc_core::out::talk("USR1 is not passed on: it makes Node open a debugger"),
        }
    }

    fn forward(&self, signal: Signal) {
        if let Some(process) = &self.process
            && let Err(error) = process.identity.signal(signal)
        {
            oc_core::out::talk(format_args!("cannot pass on signal {}: {error}", signal.as_raw()));
        }
    }

    pub(super) fn on_command(&mut self, command: Command) {
        self.heard = self.heard.max(command.number);
        if let Some(reason) = self.refusal(&command) {
            oc_core::out::talk(format_args!("refused: {reason}"));
            self.refused = Some(Refusal {
                number: command.number,
                reason,
            });
            return;
        }
        match command.verb {
            Verb::Stop => self.stop(),
            Verb::Start => {
                self.wanted = true;
                self.start_if_wanted();
            }
            Verb::Restart => {
                self.wanted = true;
                self.restart();
                self.start_if_wanted();
            }
            Verb::Kill => {
                self.wanted = true;
                self.kill();
                self.start_if_wanted();
            }
        }
    }

    /// The last look before the deed: between the sender's look and ours a person may have stopped the service, or the
    /// process may have become another.
    fn refusal(&self, command: &Command) -> Option<String> {
        let current = self.process.as_ref().map(|p| &p.identity);
        let other = |meant: &Identity| current != Some(meant);
        if self.leaving {
            Some("the supervisor is ending".to_owned())
        } else if command.only.as_ref().is_some_and(other) {
            Some(match current {
                Some(now) => format!("the service is now pid {}, another process than the one meant", now.pid),
                None => "the process meant is gone".to_owned(),
            })
        } else if command.verb != Verb::Stop && self.stopped_on_purpose() {
            Some("the service was stopped on purpose".to_owned())
        } else {
            None
        }
    }

    fn stop(&mut self) {
        self.wanted = false;
        self.next_start = None;
        self.end_gently();
    }

    fn restart(&mut self) {
        let (Some(process), None) = (&mut self.process, &self.ending) else {
            return;
        };
        match self.plan.restart_signal.filter(|_| process.ready) {
            Some(signal) if process.identity.signal(signal).is_ok() => {
                process.ask(self.plan.question.as_ref(), self.signals.waker(), true);
                self.ending = self.ending_now(true);
            }
            _ => self.end_gently(),
        }
    }
}
