//! Ending processes: the kill ladder, groups, whole trees. Nobody is signalled whose identity was not verified.

use super::Ended;
use crate::clock::{Deadline, pause};
use crate::identity::{Identity, ProcessInfo, descendants};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::process::Child;
use std::time::Duration;

/// Ends a child and its whole tree: TERM to the group, `grace`, then KILL to the group and to every descendant that had
/// left it (each verified by identity). The child is reaped.
pub fn end_tree(child: &mut Child, grace: Duration) -> Ended {
    let pid = i32::try_from(child.id()).unwrap_or(0);
    let tree = descendants(pid);
    signal_group(pid, Signal::TERM);
    let deadline = Deadline::after(grace);
    while !deadline.passed() {
        if let Ok(Some(status)) = child.try_wait() {
            signal_group(pid, Signal::KILL);
            kill_remaining(&tree, pid);
            return status.into();
        }
        pause(Duration::from_millis(10));
    }
    let tree = descendants(pid).into_iter().chain(tree).collect::<Vec<_>>();
    signal_group(pid, Signal::KILL);
    kill_remaining(&tree, pid);
    child.wait().map_or(Ended::Deadline, Ended::from)
}

/// Sends a signal to a process group that a child of ours leads. A group that is gone is not an error.
pub fn signal_group(leader: i32, signal: Signal) {
    if leader > 1
        && let Some(pid) = Pid::from_raw(leader)
        && let Err(error) = kill_process_group(pid, signal)
        && error != rustix::io::Errno::SRCH
    {
        crate::out::talk(format_args!("cannot signal group {leader}: {error}"));
    }
}

/// True while a process group has a member, be it dead and not collected yet.
#[must_use]
pub fn group_exists(leader: i32) -> bool {
    Pid::from_raw(leader).is_some_and(|pid| test_kill_process_group(pid) != Err(rustix::io::Errno::SRCH))
}

/// KILLs a service and everything that descends from it or lives in its session, each verified by identity.
/// Returns how many processes were signalled.
///
/// # Errors
/// `EPERM` when the root is not ours to signal.
pub fn kill_service_tree(root: &Identity) -> Result<usize, rustix::io::Errno> {
    let session = root.info().map(|i| i.session).filter(|s| *s == root.pid);
    let mut tree = descendants(root.pid);
    if let Some(session) = session {
        tree.extend(crate::identity::session_members(session));
    }
    match root.signal(Signal::KILL) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => return Err(error),
    }
    // Children may have been born between the look and the KILL; they are found under the members just recorded.
    let late: Vec<ProcessInfo> = tree.iter().flat_map(|p| descendants(p.identity.pid)).collect();
    let killed = tree
        .iter()
        .chain(&late)
        .filter(|p| p.identity != *root)
        .filter(|p| p.identity.signal(Signal::KILL).is_ok());
    Ok(1 + killed.count())
}

/// KILLs what is left of a tree that was recorded before its root ended. What has a session of its own was started to
/// outlive the tree (see [`Cmd::spawn_detached`]) and is left alone.
fn kill_remaining(tree: &[ProcessInfo], root: i32) {
    let own = crate::identity::lookup(i32::try_from(std::process::id()).unwrap_or(0)).map(|i| i.session);
    for process in tree {
        if (process.session == root || Some(process.session) == own)
            && let Err(error) = process.identity.signal(Signal::KILL)
            && error != rustix::io::Errno::SRCH
        {
            crate::out::talk(format_args!("cannot end pid {}: {error}", process.identity.pid));
        }
    }
}
