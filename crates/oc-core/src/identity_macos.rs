//! Process facts from libproc and sysctl. Compiled and linked in CI for both Apple targets; not run there.
#![allow(
    unsafe_code,
    reason = "libproc and sysctl have no safe binding among our dependencies"
)]

use super::{Identity, ProcessInfo, ProcessState};
use crate::clock::boot_id;
use crate::proc::Cmd;
use rustix::process::{Pid, Signal};
use std::ffi::CStr;
use std::mem::{MaybeUninit, size_of};
use std::time::Duration;

/// The boot session UUID.
pub fn read_boot_id() -> Option<String> {
    let mut buffer = [0_u8; 64];
    let mut len = buffer.len();
    // SAFETY: the name is a NUL-terminated literal, `buffer` is writable for `len` bytes, and the call writes at most
    // `len` bytes and the new length; no new value is set.
    let rc = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            buffer.as_mut_ptr().cast(),
            &raw mut len,
            std::ptr::null_mut(),
            0,
        )
    };
    if rc != 0 {
        return None;
    }
    CStr::from_bytes_until_nul(&buffer)
        .ok()?
        .to_str()
        .ok()
        .map(str::to_owned)
}

fn bsd_info(pid: i32) -> Option<libc::proc_bsdinfo> {
    let mut info = MaybeUninit::<libc::proc_bsdinfo>::zeroed();
    let size = i32::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the buffer is exactly `size` bytes of a plain C struct that any byte pattern makes valid.
    let got = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, info.as_mut_ptr().cast(), size) };
    // SAFETY: zeroed before and filled by the kernel; checked that all bytes were written.
    (got == size).then(|| unsafe { info.assume_init() })
}

pub(super) fn lookup(pid: i32) -> Option<ProcessInfo> {
    let info = bsd_info(pid)?;
    let state = match info.pbi_status {
        4 => ProcessState::Stopped, // SSTOP
        5 => ProcessState::Zombie,  // SZOMB
        _ => ProcessState::Alive,
    };
    Some(ProcessInfo {
        identity: Identity {
            pid,
            started: info
                .pbi_start_tvsec
                .saturating_mul(1_000_000)
                .saturating_add(info.pbi_start_tvusec),
            boot: boot_id().to_owned(),
        },
        parent: i32::try_from(info.pbi_ppid).ok()?,
        session: i32::try_from(info.pbi_pgid).ok()?,
        state,
    })
}

pub(super) fn age_ms(identity: &Identity) -> Option<u64> {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let now_us = u64::try_from(t.tv_sec).ok()? * 1_000_000 + u64::try_from(t.tv_nsec).ok()? / 1000;
    Some(now_us.saturating_sub(identity.started) / 1000)
}

pub(super) fn signal(identity: &Identity, signal: Signal) -> Result<(), rustix::io::Errno> {
    let pid = Pid::from_raw(identity.pid).ok_or(rustix::io::Errno::SRCH)?;
    identity.info().ok_or(rustix::io::Errno::SRCH)?;
    rustix::process::kill_process(pid, signal)
}

/// Resident bytes of one process.
pub fn rss_bytes(pid: i32) -> Option<u64> {
    let mut info = MaybeUninit::<libc::proc_taskinfo>::zeroed();
    let size = i32::try_from(size_of::<libc::proc_taskinfo>()).ok()?;
    // SAFETY: as in `bsd_info`.
    let got = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTASKINFO, 0, info.as_mut_ptr().cast(), size) };
    // SAFETY: as in `bsd_info`.
    (got == size).then(|| unsafe { info.assume_init() }.pti_resident_size)
}

/// The direct children of a process.
pub fn children(pid: i32) -> Vec<i32> {
    let mut pids = vec![0_i32; 4096];
    let bytes = i32::try_from(pids.len() * size_of::<i32>()).unwrap_or(0);
    // SAFETY: `pids` is writable for `bytes` bytes.
    let count = unsafe { libc::proc_listchildpids(pid, pids.as_mut_ptr().cast(), bytes) };
    pids.truncate(usize::try_from(count).unwrap_or(0));
    pids
}

/// All descendants of a process, parents before children. Bounded.
pub fn descendants(pid: i32) -> Vec<ProcessInfo> {
    let mut queue = vec![pid];
    let mut found: Vec<ProcessInfo> = Vec::new();
    while let Some(next) = queue.pop() {
        for child in children(next) {
            if found.len() < 10_000
                && !found.iter().any(|p| p.identity.pid == child)
                && let Some(info) = super::lookup(child)
            {
                found.push(info);
                queue.push(child);
            }
        }
    }
    found
}

/// Every process of a process group.
pub fn session_members(group: i32) -> Vec<ProcessInfo> {
    let mut pids = vec![0_i32; 4096];
    let bytes = i32::try_from(pids.len() * size_of::<i32>()).unwrap_or(0);
    // SAFETY: `pids` is writable for `bytes` bytes.
    let count = unsafe { libc::proc_listpgrppids(group, pids.as_mut_ptr().cast(), bytes) };
    pids.truncate(usize::try_from(count).unwrap_or(0));
    pids.into_iter().filter_map(super::lookup).collect()
}

/// The command's path, for messages.
pub fn command_line(pid: i32) -> Option<String> {
    let mut buffer = vec![0_u8; 4096];
    let size = u32::try_from(buffer.len()).ok()?;
    // SAFETY: `buffer` is writable for `size` bytes.
    let len = unsafe { libc::proc_pidpath(pid, buffer.as_mut_ptr().cast(), size) };
    buffer.truncate(usize::try_from(len).ok().filter(|l| *l > 0)?);
    String::from_utf8(buffer).ok()
}

/// The uid that owns a process.
pub fn owner(pid: i32) -> Option<u32> {
    bsd_info(pid).map(|i| i.pbi_uid)
}

/// The process that listens on a TCP port of this machine, by lsof (which is not on cron's PATH).
pub fn listener_of(port: u16, among: Option<&[i32]>) -> Option<Identity> {
    let mut cmd = Cmd::new("/usr/sbin/lsof");
    cmd.args(["-nP", &format!("-iTCP:{port}"), "-sTCP:LISTEN", "-Fp"])
        .timeout(Duration::from_secs(5));
    let out = cmd.run().ok()?;
    out.stdout_text()
        .lines()
        .filter_map(|l| l.strip_prefix('p')?.parse::<i32>().ok())
        .find(|p| among.is_none_or(|pids| pids.contains(p)))
        .and_then(Identity::of)
}
