//! Who holds the service's port while the service does not serve.

use crate::finding::Finding;
use crate::owner;
use crate::scene::Scene;
use oc_core::http::Target;
use oc_core::identity::{Identity, command_line, listener_of, owner as uid_of};

/// port.foreign, port.stale_gateway
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    if scene.evidence.serving() == Some(true) {
        return;
    }
    let Ok(target) = Target::parse(&scene.world.config.probe.url) else {
        return;
    };
    if !target.loopback() {
        return;
    }
    let Some(holder) = listener_of(target.port, None) else {
        return;
    };
    let subject = format!("port {}", target.port);
    let of_this_instance = owner::of(scene).as_ref() == Some(&holder);
    if of_this_instance && owner::stale(scene).is_none() || owner::supervised(scene, &holder) {
        // The service itself: slow, starting, hung or back again, which is not for the doctor to say.
        return;
    }
    let who = describe(&holder);
    if of_this_instance {
        let message = format!("{subject} is held by a gateway of this instance that nobody supervises: {who}");
        findings.push(Finding::error("port.stale_gateway", subject, message));
    } else {
        let message = format!("{subject} is held by another program: {who}; the service cannot start until it ends");
        findings.push(Finding::error("port.foreign", subject, message).command(format!("kill {}", holder.pid)));
    }
}

/// pid, owner and command line, without control characters or secrets.
pub(crate) fn describe(identity: &Identity) -> String {
    let command = command_line(identity.pid).unwrap_or_default();
    let command = oc_core::redact::Redactor::patterns()
        .redact(&command)
        .chars()
        .take(200)
        .collect::<String>();
    let uid = uid_of(identity.pid)
        .map(|uid| format!(", uid {uid}"))
        .unwrap_or_default();
    let command: String = command.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("pid {}{uid}: {}", identity.pid, command.trim_end())
}
