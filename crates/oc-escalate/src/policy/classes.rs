//! One row for each failure class: what it calls for. What the ladder and the bounds make of it is decided elsewhere.

use super::Case;
use crate::history::Incident;
use oc_core::class::{Class, Health};
use oc_core::report::{Action, Method, Report, ServiceState};
use std::borrow::Cow;
use std::time::Duration;

/// What a class calls for.
pub(super) enum Plan {
    /// Leave it alone; `left`: for how long at most, where that is bounded.
    Wait {
        reason: Cow<'static, str>,
        left: Option<Duration>,
    },
    /// Climb the ladder.
    Climb(Climb),
    /// One graceful restart outside the ladder, if there was none for this reason for a while.
    Once { reason: &'static str },
    /// Only a person can mend this.
    Human { reason: Cow<'static, str>, command: String },
}

/// How the ladder is climbed for a class.
pub(super) struct Climb {
    /// The rung to begin with: a restart alone cannot help against a broken configuration.
    pub(super) first: Action,
    /// How the service is (re)started on every rung; null = it need not be.
    pub(super) method: Option<Method>,
    /// Whether the agent can be of use.
    pub(super) agent: bool,
    /// What is wrong, as the first half of a sentence.
    pub(super) what: Cow<'static, str>,
}

/// Whether a report speaks for or against the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It serves.
    Good,
    /// It says nothing: on the way up or down, or not measured.
    Neutral,
    /// It does not serve, or not as it must.
    Bad(Class),
}

/// See [`Standing`]. A degraded service serves; but an incident about the service's safe mode is not over while it lasts.
pub(super) fn standing(report: &Report, incident: Option<&Incident>) -> Standing {
    match report.class {
        None => Standing::Good,
        Some(class) if class <= Class::Starting => Standing::Neutral,
        Some(class) if class == Class::SafeMode && incident.is_some_and(|i| i.class == Class::SafeMode) => {
            Standing::Bad(class)
        }
        // It still serves, but not for long: room is made while that is so.
        Some(Class::DiskFull) => Standing::Bad(Class::DiskFull),
        Some(class) => match report.health() {
            Health::Healthy | Health::Degraded => Standing::Good,
            Health::Unknown => Standing::Neutral,
            Health::Down => Standing::Bad(class),
        },
    }
}

/// The table.
pub(super) fn plan(case: &Case<'_>, class: Class) -> Plan {
    let hold = &case.policy.hold;
    let serving = case.report.serving();
    if let Some(plan) = masked(case, class).or_else(|| deaf(case, class)) {
        return plan;
    }
    match class {
        Class::StoppedOnPurpose => wait("It was stopped on purpose; it stays so until a person starts it.", None),
        Class::Maintenance => wait("Maintenance is declared; nothing is done meanwhile.", None),
        Class::Upgrading => wait("An upgrade is under way.", left(case, class, hold.upgrading.get())),
        Class::Inconclusive => wait("We could not measure; not knowing is not down.", None),
        Class::Draining => wait(
            "It was told to stop and finishes its work first.",
            left(case, class, hold.draining.get()),
        ),
        Class::Starting => wait("It is starting.", left(case, class, hold.starting.get())),

        Class::NewerConfig if serving => wait(
            "The configuration was written by a newer version; the running service is not affected before its next start.",
            None,
        ),
        Class::NewerConfig => human(
            "The configuration was written by a newer version of the service than the one installed; starting the \
             older one would downgrade it.",
            "openclaw update",
        ),
        Class::StateDb => human(
            "The service's state database cannot be read; it is never repaired or rolled back automatically.",
            "openclaw backup restore",
        ),
        Class::Auth => human(
            "The service's credentials are refused; no restart can mend that.",
            "openclaw configure",
        ),
        Class::DiskFull => climb(
            Action::Doctor,
            (!serving).then(|| revive(case)),
            false,
            "There is no space left where the service writes",
        ),
        Class::ForeignListener => holder(case),
        // A restart for memory would not come back on this configuration: the row of memory says so to a person.
        Class::ConfigMissing | Class::ConfigInvalid if serving && case.report.has(Class::MemoryHigh) => {
            plan(case, Class::MemoryHigh)
        }
        Class::ConfigMissing | Class::ConfigInvalid if serving => wait(
            "The configuration on disk is broken, but the running service does not read it before its next start; it is \
             not touched.",
            None,
        ),
        Class::ConfigMissing => climb(
            Action::Doctor,
            Some(revive(case)),
            true,
            "The configuration file is missing",
        ),
        Class::ConfigInvalid => climb(Action::Doctor, Some(revive(case)), true, "The configuration is broken"),
        Class::ExitConfig => climb(
            Action::Doctor,
            Some(revive(case)),
            true,
            "It exited with 78, so its configuration does not let it run",
        ),
        Class::StartLimit => climb(
            Action::Restart,
            Some(Method::Register),
            true,
            "Its manager gave up after too many starts",
        ),
        Class::Unregistered if case.history.unloaded_by_person.is_some() => wait(
            "It was taken out of its manager again right after we had put it back: a person did that. Start it with \
             `oc-guardian start`.",
            None,
        ),
        Class::Unregistered => climb(
            Action::Restart,
            Some(Method::Register),
            true,
            "It is not loaded in its manager",
        ),
        Class::CrashLoop => climb(
            Action::Doctor,
            Some(revive(case)),
            true,
            "It died again and again before it was ready once",
        ),
        Class::Hung => stuck(case, "It accepts connections and does not send a byte"),
        Class::ProcessGone => gone(case),
        Class::Refused if case.report.identity.is_none() => gone(case),
        Class::Refused => climb(
            first(case),
            Some(unstick(case)),
            true,
            "Its process lives and refuses connections",
        ),
        Class::HttpError | Class::WrongBody => erring(case, class),

        Class::NotReady => wait(
            "It is live and started but not ready; one broken channel does that, and a restart does not mend it.",
            None,
        ),
        Class::SafeMode => safe_mode(case),
        Class::MemoryHigh | Class::MemoryLeak if case.broken_config() => human(
            "Its memory calls for a restart, but its configuration is broken: it would not come back.",
            "oc-doctor fix --verify",
        ),
        Class::MemoryHigh => Plan::Once {
            reason: "Its memory is over the limit",
        },
        Class::MemoryLeak => Plan::Once {
            reason: "Its memory rises and will reach the limit soon",
        },
        Class::Slow if case.policy.restart_when_slow => Plan::Once {
            reason: "Its answers are slow, and a restart is configured for that",
        },
        Class::Slow => wait("Its answers are slow; that is reported only.", None),
        Class::DeepFailed if case.policy.restart_when_deep_failed => Plan::Once {
            reason: "A deep probe fails, and a restart is configured for that",
        },
        Class::DeepFailed => wait("A deep probe fails; that is reported only.", None),
    }
}

/// True for the classes that no try of ours can mend, so that there is no half-open either.
pub(super) const fn needs_human(class: Class) -> bool {
    matches!(class, Class::NewerConfig | Class::StateDb | Class::Auth)
}

fn wait(reason: &'static str, left: Option<Duration>) -> Plan {
    Plan::Wait {
        reason: Cow::Borrowed(reason),
        left,
    }
}

fn human(reason: impl Into<Cow<'static, str>>, command: impl Into<String>) -> Plan {
    Plan::Human {
        reason: reason.into(),
        command: command.into(),
    }
}

fn climb(first: Action, method: Option<Method>, agent: bool, what: &'static str) -> Plan {
    Plan::Climb(Climb {
        first,
        method,
        agent,
        what: Cow::Borrowed(what),
    })
}

fn left(case: &Case<'_>, class: Class, limit: Duration) -> Option<Duration> {
    Some(limit.saturating_sub(case.age(class)))
}

/// The first rung: restarting onto a broken configuration would only lose what still runs.
fn first(case: &Case<'_>) -> Action {
    if case.broken_config() {
        Action::Doctor
    } else {
        Action::Restart
    }
}

/// How to bring it up whatever state it is in.
fn revive(case: &Case<'_>) -> Method {
    if case.report.has(Class::Hung) {
        Method::Kill
    } else if case.report.has(Class::StartLimit) || case.report.has(Class::Unregistered) {
        Method::Register
    } else if case.report.identity.is_some() {
        unstick(case)
    } else {
        Method::Start
    }
}

/// How to replace a live process: gently, unless that was tried in this incident or its drain is overdue.
fn unstick(case: &Case<'_>) -> Method {
    let tried = case.history.incident.as_ref().is_some_and(|incident| {
        let mut own = case.history.attempts.iter().filter(|a| a.incident == incident.id);
        own.any(|a| a.method == Some(Method::Graceful) && a.identity == case.report.identity)
    });
    if tried || case.report.has(Class::Draining) {
        Method::Kill
    } else {
        Method::Graceful
    }
}

fn stuck(case: &Case<'_>, what: &'static str) -> Plan {
    climb(first(case), Some(Method::Kill), true, what)
}

fn gone(case: &Case<'_>) -> Plan {
    let starting = case
        .report
        .service
        .as_ref()
        .is_some_and(|s| s.state == ServiceState::Starting);
    let hold = &case.policy.hold;
    let grace = if starting { hold.manager_starting } else { hold.manager };
    let age = case.age(Class::ProcessGone).max(case.age(Class::Refused));
    match grace.get().checked_sub(age).filter(|left| !left.is_zero()) {
        Some(left) => wait(
            "Its process is gone; its manager starts it by itself in a moment.",
            Some(left),
        ),
        None => climb(first(case), Some(Method::Start), true, "Its process is gone"),
    }
}

/// Errors and wrong answers: first of all, whose?
fn erring(case: &Case<'_>, class: Class) -> Plan {
    let ours = match &case.report.holder {
        Some(holder) => holder.ours,
        None => case.report.identity.is_some(),
    };
    if !ours {
        return holder(case);
    }
    let held = case.age(class);
    match case
        .policy
        .hold
        .http_error
        .get()
        .checked_sub(held)
        .filter(|left| !left.is_zero())
    {
        Some(left) => wait("It answers with errors; that may pass.", Some(left)),
        None => stuck(case, "It answers with errors"),
    }
}

/// Who holds the port? Only a stale gateway that is proven to be ours is ended.
fn holder(case: &Case<'_>) -> Plan {
    match &case.report.holder {
        Some(holder) if holder.ours => climb(
            first(case),
            Some(Method::EndStale),
            true,
            "A stale process of ours holds the port",
        ),
        Some(holder) => human(
            format!(
                "Another program holds the port: pid {} ({}). It is not ours and is left alone; end it, or give one of \
                 the two another port.",
                holder.identity.pid, holder.command
            ),
            format!("kill {}", holder.identity.pid),
        ),
        None => human(
            "Something that is not ours answers on the port, and its owner cannot be seen from here.",
            "sudo ss -ltnp",
        ),
    }
}

fn safe_mode(case: &Case<'_>) -> Plan {
    let window = left(case, Class::SafeMode, case.policy.hold.safe_mode.get()).filter(|left| !left.is_zero());
    if window.is_some() {
        return wait(
            "Its own crash-loop breaker keeps channels down; that clears by itself.",
            window,
        );
    }
    let restarted =
        case.history.attempts.iter().any(|a| {
            a.class == Class::SafeMode && case.ctx.now.since(&a.at) < case.policy.memory.restart_spacing.get()
        });
    if restarted {
        return human(
            "Its own crash-loop breaker keeps channels down, and one restart did not clear it.",
            "openclaw channels status --timeout 10000",
        );
    }
    Plan::Once {
        reason: "Its own crash-loop breaker has kept channels down for longer than its window",
    }
}

/// Masked or disabled by a person: that is a decision, and the manager would refuse a start anyway.
fn masked(case: &Case<'_>, class: Class) -> Option<Plan> {
    let service = case.report.service.as_ref()?;
    if class <= Class::Starting || needs_human(class) || service.state != ServiceState::Masked || case.report.serving()
    {
        return None;
    }
    let label = case.ctx.label;
    let command = match service.manager {
        oc_core::report::ManagerKind::Systemd => format!("systemctl --user unmask {label} && oc-guardian start"),
        oc_core::report::ManagerKind::Launchd => {
            format!("launchctl enable gui/$(id -u)/{label} && oc-guardian start")
        }
        oc_core::report::ManagerKind::Embedded => "oc-guardian start".to_owned(),
    };
    Some(human(
        "The service is masked or disabled in its manager; a person did that, and a person has to undo it.",
        command,
    ))
}

/// Nobody is logged in, or the manager does not answer: without it nothing can be started, and neither a repair nor an agent
/// changes that. A live process is another matter: it can still be ended.
fn deaf(case: &Case<'_>, class: Class) -> Option<Plan> {
    let service = case.report.service.as_ref()?;
    let dead = case.report.identity.is_none() && !case.report.serving();
    (dead && class > Class::Starting && !needs_human(class) && service.state == ServiceState::Unknown).then(|| {
        human(
            "It does not run, and its service manager cannot be asked to start it.",
            "oc-guardian status",
        )
    })
}
