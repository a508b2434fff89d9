//! Who holds the port, and is that us? Looked up only when the answer is not the expected one.

use super::check;
use crate::expect::excerpt;
use oc_core::http::Target;
use oc_core::identity::{self, Identity};
use oc_core::report::{Check, CheckStatus, Holder};

/// The process that listens on the target's port, if this machine holds it and we may see that. It is ours only when it
/// is one of `known`, or a descendant of one: what its command line claims proves nothing.
#[must_use]
pub fn look<'a>(target: &Target, known: impl IntoIterator<Item = &'a Identity>) -> Option<Holder> {
    if !target.loopback() {
        return None;
    }
    let identity = identity::listener_of(target.port, None)?;
    let ours = known.into_iter().any(|one| {
        *one == identity
            || (one.alive()
                && identity::descendants(one.pid)
                    .iter()
                    .any(|child| child.identity == identity))
    });
    let command = identity::command_line(identity.pid).unwrap_or_default();
    Some(Holder {
        uid: identity::owner(identity.pid),
        command: excerpt(command.as_bytes()),
        ours,
        identity,
    })
}

/// The line of the report.
#[must_use]
pub fn line(target: &Target, holder: Option<&Holder>) -> Check {
    let expected = format!("port {} held by the service", target.port);
    match holder {
        Some(holder) => {
            let status = if holder.ours {
                CheckStatus::Ok
            } else {
                CheckStatus::Fail
            };
            let whose = if holder.ours { "ours" } else { "not known to be ours" };
            let actual = format!("pid {} ({}), {whose}", holder.identity.pid, holder.command);
            check("port", status, expected, actual)
        }
        None => check(
            "port",
            CheckStatus::Skip,
            expected,
            "nobody that we can see listens there",
        ),
    }
}
