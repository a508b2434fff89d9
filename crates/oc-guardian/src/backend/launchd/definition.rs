//! The property list on disk: whether launchd can take it.

use oc_core::clock::Deadline;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::proc::which;
use oc_core::service::launchd::{Agent, Call};
use oc_core::world::World;
use plist::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A property list is a few kilobytes.
const CAP: u64 = 1 << 20;

/// Makes sure that there is one which launchd takes.
///
/// # Errors
/// 69 when nobody knows how to put it back, 74 or 77 when it cannot be.
pub(super) fn put_right(world: &World, agent: &Agent, deadline: &Deadline) -> Result<()> {
    let wrong = match wrong(agent) {
        None => return keep_private(agent.plist()),
        Some(wrong) => wrong,
    };
    if crate::backend::definition::recover(world, agent.plist(), deadline)? && self::wrong(agent).is_none() {
        return keep_private(agent.plist());
    }
    Err(Fault::new(Exit::Unavailable, wrong).hint(format_args!(
        "put {} back (`openclaw gateway install --force` writes the gateway's), then `{}`",
        agent.plist().display(),
        agent.line(Call::Bootstrap)
    )))
}

/// Why launchd would not take it; `None` when it would.
#[must_use]
pub(crate) fn wrong(agent: &Agent) -> Option<String> {
    let path = agent.plist();
    let bytes = match fsx::read_capped(path, CAP) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Some(format!("{} is gone", path.display())),
        Err(fault) => return Some(fault.what),
    };
    problem(&bytes, agent.label()).map(|what| format!("{} {what}", path.display()))
}

/// What is wrong with the content.
fn problem(bytes: &[u8], label: &str) -> Option<String> {
    let Ok(Value::Dictionary(dict)) = Value::from_reader(std::io::Cursor::new(bytes)) else {
        return Some("is no property list".to_owned());
    };
    let named = dict.get("Label").and_then(Value::as_string);
    if named != Some(label) {
        return Some(format!("is about {:?}, not {label}", named.unwrap_or_default()));
    }
    let first = dict
        .get("ProgramArguments")
        .and_then(Value::as_array)
        .and_then(|all| all.first());
    let program = dict.get("Program").or(first).and_then(Value::as_string);
    match program {
        None => Some("names no program".to_owned()),
        Some(program) if !program.starts_with('/') || which(program).is_none() => {
            Some(format!("names a program that cannot be run: {program}"))
        }
        Some(_) => None,
    }
}

/// launchd refuses a file that others may write.
fn keep_private(path: &Path) -> Result<()> {
    let mode = std::fs::metadata(path)
        .map_err(|e| Fault::io("look at", path, e))?
        .permissions()
        .mode();
    if mode & 0o022 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode & 0o755))
        .map_err(|e| Fault::io("take write access of others from", path, e))
}

#[cfg(test)]
mod tests {
    use super::problem;

    fn list(body: &str) -> Vec<u8> {
        format!("<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>{body}</dict></plist>").into_bytes()
    }

    #[test]
    fn only_what_launchd_takes_is_right() {
        let sh = "<key>ProgramArguments</key><array><string>/bin/sh</string></array>";
        let label = "<key>Label</key><string>a.b</string>";
        assert_eq!(problem(&list(&format!("{label}{sh}")), "a.b"), None);
        let wrong = [
            Vec::new(),
            b"garbage".to_vec(),
            list(sh),
            list(label),
            list(&format!("<key>Label</key><string>a.bc</string>{sh}")),
            list(&format!(
                "{label}<key>ProgramArguments</key><array><string>sh</string></array>"
            )),
            list(&format!("{label}<key>Program</key><string>/no/such</string>{sh}")),
        ];
        for bytes in wrong {
            assert!(problem(&bytes, "a.b").is_some(), "{}", String::from_utf8_lossy(&bytes));
        }
    }
}
