//! English.

use super::{Labels, Said, Subject, Words};
use oc_core::class::Class;
use oc_core::report::Action;
use oc_core::story::Step;
use std::time::Duration;

pub(super) struct English;

static LABELS: Labels = Labels {
    seen: "What is seen",
    tried: "What was tried",
    changed: "What was changed",
    undo: "To undo it",
    next: "Next step",
    proposed: "The AI proposes; not done",
    evidence: "Evidence and report",
    log: "Log",
    held: "Held back",
};

fn what(about: &Subject<'_>) -> &'static str {
    about.class.map_or("it is not healthy", |class| English.class(class))
}

impl Words for English {
    fn labels(&self) -> &'static Labels {
        &LABELS
    }

    fn class(&self, class: Class) -> &'static str {
        match class {
            Class::StoppedOnPurpose => "it was stopped on purpose",
            Class::Maintenance => "maintenance",
            Class::Upgrading => "an upgrade is under way",
            Class::Inconclusive => "it could not be measured",
            Class::Draining => "it is finishing its work before it ends",
            Class::Starting => "it is starting",
            Class::NewerConfig => "its configuration was written by a newer version",
            Class::StateDb => "its state database cannot be read",
            Class::DiskFull => "the disk is full",
            Class::ForeignListener => "another program holds its port",
            Class::ConfigMissing => "its configuration file is missing",
            Class::ConfigInvalid => "its configuration is broken",
            Class::ExitConfig => "it refuses to start with its configuration",
            Class::Auth => "it cannot sign in",
            Class::StartLimit => "the service manager gave up starting it",
            Class::Unregistered => "the service manager does not know it",
            Class::CrashLoop => "it crashes again and again while starting",
            Class::Hung => "it hangs: it takes connections and never answers",
            Class::ProcessGone => "its process is gone",
            Class::Refused => "it refuses connections",
            Class::HttpError => "it answers with an error",
            Class::WrongBody => "it answers with something unexpected",
            Class::NotReady => "it runs but is not ready",
            Class::SafeMode => "it runs in safe mode, with channels suppressed",
            Class::MemoryHigh => "it uses too much memory",
            Class::MemoryLeak => "its memory keeps growing",
            Class::Slow => "it is slow",
            Class::DeepFailed => "a deep check fails",
        }
    }

    fn step(&self, step: &Step) -> String {
        let what = match (step.action, step.method.as_deref()) {
            (Action::Restart, Some("start")) => "start",
            (Action::Restart, Some("register")) => "register and start",
            (Action::Restart, Some("kill")) => "kill and start",
            (Action::Restart, Some("graceful")) => "graceful restart",
            (Action::Doctor, _) => "doctor: repair and start",
            (Action::Agent, _) => "AI doctor",
            _ => "restart",
        };
        let ended = match step.outcome.as_deref() {
            Some("healthy") => "helped",
            Some("abandoned") => "was cut off",
            Some("not_started") => "could not start",
            Some(_) => "did not help",
            None => "not judged yet",
        };
        format!("{} {what}: {ended}", oc_core::clock::rfc3339(step.at.wall_ms))
    }

    fn more_steps(&self, count: usize) -> String {
        format!("({count} earlier attempts)")
    }

    fn duration(&self, time: Duration) -> String {
        match time.as_secs() {
            0..=9 => format!("{:.1} s", time.as_secs_f64()),
            s @ 10..=119 => format!("{s} s"),
            s @ 120..=7199 => format!("{} min", s / 60),
            s @ 7200..=172_799 => format!("{} h {} min", s / 3600, s % 3600 / 60),
            s => format!("{} days {} h", s / 86_400, s % 86_400 / 3600),
        }
    }

    fn opened(&self, about: &Subject<'_>) -> Said {
        let title = format!("{}: {}", about.service, what(about));
        let text = format!(
            "This has lasted for {}. Automatic healing is under way; you will hear how it ends.",
            self.duration(about.lasted)
        );
        (title, text)
    }

    fn escalated(&self, about: &Subject<'_>) -> Said {
        let rung = match about.story.map(oc_core::story::Story::rung) {
            Some(Action::Agent) => "the AI doctor is called",
            _ => "restarts did not help, the doctor repairs",
        };
        let text = format!(
            "{} for {}: {}.",
            about.service,
            self.duration(about.lasted),
            what(about)
        );
        (format!("{}: {rung}", about.service), text)
    }

    fn changed(&self, about: &Subject<'_>) -> Said {
        let text = "This was done automatically to bring it back. You can undo it with the command below.";
        (format!("{}: something was changed", about.service), text.into())
    }

    fn needs_you(&self, about: &Subject<'_>) -> Said {
        let text = "Automatic healing has reached its end. Please look at it; the next step is below.";
        (format!("{} needs you: {}", about.service, what(about)), text.into())
    }

    fn reminder(&self, about: &Subject<'_>) -> Said {
        let title = format!("{} still needs you: {}", about.service, what(about));
        let text = match about.story {
            Some(_) => format!("For {} now.", self.duration(about.lasted)),
            None => String::new(),
        };
        (title, text)
    }

    fn healed(&self, about: &Subject<'_>) -> Said {
        let title = format!("{} is healthy again", about.service);
        let level = about.story.map_or(0, oc_core::story::Story::level);
        let by_us = about.story.and_then(|s| s.by_us) != Some(false);
        let how = match (by_us, level) {
            (false, 4) => "after a person stepped in (level 4)",
            (false, _) => "by itself",
            (true, 0) => "by itself (level 0)",
            (true, 1) => "after a restart (level 1)",
            (true, 2) => "after a repair by the doctor (level 2)",
            (true, 3) => "after a repair that the AI doctor proposed (level 3)",
            (true, _) => "after a person stepped in (level 4)",
        };
        let text = format!(
            "It was unhealthy for {} ({}) and came back {how}.",
            self.duration(about.lasted),
            what(about)
        );
        (title, text)
    }

    fn flapping(&self, about: &Subject<'_>) -> Said {
        let title = format!("{} keeps failing and coming back", about.service);
        let text = format!(
            "{} times within an hour. Each time it was healed, but the cause is not gone. Single incidents are not told \
             until this calms down; what needs you still is. See `oc-report timeline`.",
            about.count
        );
        (title, text)
    }

    fn warning(&self, service: &str, key: &str) -> String {
        let what = match key {
            "flapping" => return format!("{service} keeps failing and coming back"),
            "stopped" => "is still stopped on purpose",
            "in_maintenance" => "is still in maintenance",
            "unloaded_by_person" => "was taken out of its service manager",
            "memory_warning" => "uses a lot of memory",
            "memory_forecast" => "will reach its memory limit if it goes on like this",
            "disk_forecast" => "will run out of disk space if it goes on like this",
            "inconclusive" => "could not be measured for a while",
            "safe_mode" => "is in safe mode",
            "not_ready" => "is not ready",
            "slow" => "is slow",
            other => {
                return match Class::ALL.iter().find(|class| class.name() == other) {
                    Some(class) => format!("{service}: {}", self.class(*class)),
                    None => format!("{service}: please look at this"),
                };
            }
        };
        format!("{service} {what}")
    }

    fn held(&self, count: u32) -> String {
        format!("{count} messages were held back because there were too many; see `oc-report timeline`.")
    }

    fn summary(&self, service: &str, count: u32, from: &str, to: &str) -> Said {
        let title = format!("{service}: {count} messages that could not be delivered earlier");
        (
            title,
            format!("From {from} to {to}. This is the last word on each thing; `oc-report timeline` has all."),
        )
    }

    fn channel_off(&self, channel: &str, why: &str) -> Said {
        let text = format!(
            "It answers: {why}. It is left alone for a day, or until its address is changed. Its messages wait in the outbox."
        );
        (format!("The channel {channel} does not work any more"), text)
    }

    fn quick(&self, service: &str, count: usize, by_class: &[(String, usize)]) -> Said {
        let list: Vec<String> = by_class.iter().map(|(class, n)| format!("• {n}x {class}")).collect();
        let title = format!("{service}: {count} short interruptions, all healed");
        (
            title,
            format!("Each was over before it was worth a message.\n{}", list.join("\n")),
        )
    }

    fn busy(&self, service: &str, who: &str, since: Duration) -> Said {
        let title = format!("{service}: one pass of healing takes very long");
        let text = format!(
            "{who} has held the lock for {}. Until it ends nothing else can heal.",
            self.duration(since)
        );
        (title, text)
    }

    fn unwritable(&self, service: &str, why: &str) -> Said {
        let text = format!(
            "{why}\nNothing is done that cannot be written down: until the state directory can be written again, do not count on \
             any healing, nor on further messages."
        );
        (format!("{service}: the state of the healing cannot be written"), text)
    }

    fn test(&self, service: &str, channel: &str) -> Said {
        let text = format!("If you can read this, messages about {service} reach you through {channel}.");
        (format!("Test message of {service}"), text)
    }

    fn digest_title(&self, service: &str) -> String {
        format!("{service}: report")
    }
}
