//! What was seen, as one sentence for a person.

use crate::checks::liveness::Liveness;
use crate::checks::process::Process;
use crate::classify::Seen;
use oc_core::class::Class;

/// One sentence for a person.
#[must_use]
pub fn summary(seen: &Seen, class: Option<Class>) -> String {
    let text = |option: &Option<String>| option.clone().unwrap_or_default();
    let pid = seen
        .process
        .as_ref()
        .and_then(Process::identity)
        .map_or(String::new(), |identity| format!(" (pid {})", identity.pid));
    let Some(class) = class else {
        return match seen.liveness {
            Some(_) => format!("the service answers as it should{pid}"),
            None => "nothing is wrong with what was looked at".to_owned(),
        };
    };
    let said = seen.readiness.as_ref().map_or("", |readiness| readiness.said.as_str());
    let config = || {
        let problem = seen.config.as_ref().and_then(|config| config.problem.as_ref());
        problem.map_or(String::new(), |problem| problem.what.clone())
    };
    let stalled_s = seen.liveness.as_ref().map_or(0, Liveness::stalled_ms) / 1000;
    match class {
        Class::StoppedOnPurpose => format!("the service was stopped on purpose: {}", text(&seen.stopped)),
        Class::Maintenance => format!("maintenance is declared: {}", text(&seen.maintenance)),
        Class::Upgrading => format!("an upgrade is under way: {}", text(&seen.upgrade)),
        Class::Inconclusive if seen.slept => "the machine slept while we looked".to_owned(),
        Class::Inconclusive => match &seen.liveness {
            _ if seen.blind.is_some() => format!(
                "could not tell whether it was stopped on purpose: {}",
                text(&seen.blind)
            ),
            Some(Liveness::Unmeasured { what }) => format!("could not tell: {what}"),
            Some(Liveness::Quiet { .. }) => {
                format!("no byte came for {stalled_s} s; that is too short to call it hung")
            }
            _ => "could not tell".to_owned(),
        },
        Class::Draining => format!("the service{pid} was told to stop and finishes its work first"),
        Class::Starting => format!("the service{pid} is starting"),
        Class::NewerConfig => format!("the configuration is newer than the program: {}", config()),
        Class::StateDb => format!("the state database cannot be read: {}", text(&seen.database)),
        Class::DiskFull => "there is no space left where the service writes".to_owned(),
        Class::ForeignListener => match &seen.holder {
            Some(holder) => format!(
                "another program answers on the port: pid {} ({})",
                holder.identity.pid, holder.command
            ),
            None => "another program answers on the port".to_owned(),
        },
        Class::ConfigMissing => format!("the configuration is missing: {}", config()),
        Class::ConfigInvalid => format!("the configuration is broken: {}", config()),
        Class::ExitConfig => "the service exited with 78: its configuration does not let it run".to_owned(),
        Class::Auth => "the service's credentials are refused".to_owned(),
        Class::StartLimit => "the service manager gave up after too many starts".to_owned(),
        Class::Unregistered => "the service manager does not know the service".to_owned(),
        Class::CrashLoop => {
            let times = seen.service.as_ref().map_or(0, |view| view.never_ready_in_a_row);
            format!("the service died {times} times in a row before it was ready once")
        }
        Class::Hung => format!("the service{pid} accepts connections but has not sent a byte for {stalled_s} s"),
        Class::ProcessGone => "the service has no process".to_owned(),
        Class::Refused => format!("the service{pid} refuses connections"),
        Class::HttpError => match &seen.liveness {
            Some(Liveness::Status { status, .. }) => format!("the service{pid} answers with HTTP {status}"),
            Some(Liveness::Broken { what }) => format!("the service{pid} does not answer properly: {what}"),
            _ => format!("the service{pid} does not answer properly"),
        },
        Class::WrongBody => format!("the service{pid} answers, but not what it should"),
        Class::NotReady => format!("the service{pid} lives, but is not ready: {said}"),
        Class::SafeMode => {
            let channels = seen
                .readiness
                .as_ref()
                .map_or(String::new(), |r| r.suppressed.join(", "));
            format!("the service{pid} keeps channels down after crashes: {channels}")
        }
        Class::MemoryHigh => format!("the service{pid} uses too much memory"),
        Class::MemoryLeak => format!("the service{pid} leaks memory"),
        Class::Slow => format!("the service{pid} answers slowly"),
        Class::DeepFailed => format!("behind the service fails: {}", seen.deep_failed.join(", ")),
    }
}
