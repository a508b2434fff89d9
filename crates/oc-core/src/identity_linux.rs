//! Process facts from /proc.

use super::{Identity, ProcessInfo, ProcessState};
use crate::clock::boot_id;
use rustix::process::{Pid, PidfdFlags, Signal};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The kernel's boot id.
pub fn read_boot_id() -> Option<String> {
    Some(text("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

pub(super) fn lookup(pid: i32) -> Option<ProcessInfo> {
    parse_stat(&text(&format!("/proc/{pid}/stat"))?, boot_id())
}

/// A file of /proc says that it is empty: std then feels its way from 32 bytes on, with six reads for a line.
fn text(path: &str) -> Option<String> {
    let bytes = crate::fsx::read_capped(Path::new(path), 64 << 10).ok()??;
    String::from_utf8(bytes).ok()
}

/// The command name in field 2 may hold spaces and brackets, so fields are counted from the last `)`.
fn parse_stat(stat: &str, boot: &str) -> Option<ProcessInfo> {
    let pid = stat.split(' ').next()?.parse().ok()?;
    let rest: Vec<&str> = stat.get(stat.rfind(')')? + 2..)?.split_ascii_whitespace().collect();
    let state = match *rest.first()? {
        "Z" | "X" | "x" => ProcessState::Zombie,
        "T" | "t" => ProcessState::Stopped,
        "D" => ProcessState::Uninterruptible,
        _ => ProcessState::Alive,
    };
    Some(ProcessInfo {
        identity: Identity {
            pid,
            started: rest.get(19)?.parse().ok()?,
            boot: boot.to_owned(),
        },
        parent: rest.get(1)?.parse().ok()?,
        session: rest.get(3)?.parse().ok()?,
        state,
    })
}

pub(super) fn age_ms(identity: &Identity) -> Option<u64> {
    let ticks = rustix::param::clock_ticks_per_second();
    let started_ms = identity.started.saturating_mul(1000).checked_div(ticks)?;
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let now_ms = u64::try_from(t.tv_sec).ok()? * 1000 + u64::try_from(t.tv_nsec).ok()? / 1_000_000;
    Some(now_ms.saturating_sub(started_ms))
}

pub(super) fn signal(identity: &Identity, signal: Signal) -> Result<(), rustix::io::Errno> {
    let pid = Pid::from_raw(identity.pid).ok_or(rustix::io::Errno::SRCH)?;
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(fd) => {
            identity.info().ok_or(rustix::io::Errno::SRCH)?;
            rustix::process::pidfd_send_signal(&fd, signal)
        }
        // Kernels and sandboxes without pidfd: verify, then signal at once.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
            identity.info().ok_or(rustix::io::Errno::SRCH)?;
            rustix::process::kill_process(pid, signal)
        }
        Err(error) => Err(error),
    }
}

/// Resident bytes of one process.
pub fn rss_bytes(pid: i32) -> Option<u64> {
    let statm = text(&format!("/proc/{pid}/statm"))?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages.saturating_mul(rustix::param::page_size() as u64))
}

/// The direct children of a process, without a scan of /proc where the kernel offers the list.
pub fn children(pid: i32) -> Vec<i32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for task in tasks.flatten() {
        match fs::read_to_string(task.path().join("children")) {
            Ok(list) => found.extend(list.split_ascii_whitespace().filter_map(|p| p.parse::<i32>().ok())),
            Err(_) => {
                return table()
                    .into_iter()
                    .filter(|p| p.parent == pid)
                    .map(|p| p.identity.pid)
                    .collect();
            }
        }
    }
    found
}

/// All descendants of a process, parents before children. Bounded, so that a fork bomb cannot hold us.
pub fn descendants(pid: i32) -> Vec<ProcessInfo> {
    let mut seen = BTreeSet::from([pid]);
    let mut queue = vec![pid];
    let mut found = Vec::new();
    while let Some(next) = queue.pop() {
        for child in children(next) {
            if seen.len() < 10_000
                && seen.insert(child)
                && let Some(info) = super::lookup(child)
            {
                found.push(info);
                queue.push(child);
            }
        }
    }
    found
}

/// Every process of a session (a /proc scan: for ending a tree, never for a healthy pass).
pub fn session_members(session: i32) -> Vec<ProcessInfo> {
    table().into_iter().filter(|p| p.session == session).collect()
}

fn table() -> Vec<ProcessInfo> {
    let Ok(proc) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    proc.flatten()
        .filter_map(|e| e.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(super::lookup)
        .collect()
}

/// The command line for messages: arguments joined by blanks, trailing padding removed.
pub fn command_line(pid: i32) -> Option<String> {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&raw);
    let words: Vec<&str> = text.split('\0').filter(|w| !w.is_empty()).collect();
    Some(words.join(" ").trim_end().to_owned())
}

/// The uid that owns a process.
pub fn owner(pid: i32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    Some(fs::metadata(format!("/proc/{pid}")).ok()?.uid())
}

/// The process that listens on a TCP port of this machine. `None` when nobody does or when it belongs to another user
/// whose descriptors we may not read. With `among`, only those pids are looked at (no /proc scan).
pub fn listener_of(port: u16, among: Option<&[i32]>) -> Option<Identity> {
    let inodes = listening_inodes(port);
    if inodes.is_empty() {
        return None;
    }
    let holds = |pid: i32| -> bool {
        let Ok(fds) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            return false;
        };
        fds.flatten().any(|fd| {
            fs::read_link(fd.path()).is_ok_and(|to| {
                to.to_str()
                    .and_then(|t| t.strip_prefix("socket:[")?.strip_suffix(']')?.parse::<u64>().ok())
                    .is_some_and(|inode| inodes.contains(&inode))
            })
        })
    };
    match among {
        Some(pids) => pids.iter().copied().find(|p| holds(*p)).and_then(Identity::of),
        None => table().into_iter().map(|p| p.identity).find(|i| holds(i.pid)),
    }
}

fn listening_inodes(port: u16) -> BTreeSet<u64> {
    let mut inodes = BTreeSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        if let Ok(text) = fs::read_to_string(Path::new(table)) {
            inodes.extend(text.lines().filter_map(|l| listening_inode(l, port)));
        }
    }
    inodes
}

/// One line of /proc/net/tcp: `sl local rem st tx:rx tr:tm retr uid timeout inode ...`, state 0A is LISTEN.
fn listening_inode(line: &str, port: u16) -> Option<u64> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let local = fields.get(1)?.rsplit(':').next()?;
    if *fields.get(3)? != "0A" || u16::from_str_radix(local, 16).ok()? != port {
        return None;
    }
    fields.get(9)?.parse().ok().filter(|inode| *inode != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_command_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        let stat = "42 (a) b (c)) S 7 42 43 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 1";
        let info = parse_stat(stat, "b").unwrap();
        assert_eq!(
            (info.identity.pid, info.identity.started, info.parent, info.session),
            (42, 98765, 7, 43)
        );
    }

    #[test]
    fn a_zombie_is_gone() {
        let info = parse_stat("42 (x) Z 7 42 42 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 5 1 1", "b").unwrap();
        assert_eq!(info.state, ProcessState::Zombie);
    }

    #[test]
    fn finds_the_listener_of_a_port() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        let me = i32::try_from(std::process::id()).unwrap();
        assert_eq!(listener_of(port, Some(&[me])).unwrap().pid, me);
        assert_eq!(listener_of(port, None).unwrap().pid, me);
    }

    proptest! {
        #[test]
        fn no_bytes_in_stat_make_it_panic(text in ".{0,200}") {
            let _info = parse_stat(&text, "b");
            let _inode = listening_inode(&text, 80);
        }
    }
}
