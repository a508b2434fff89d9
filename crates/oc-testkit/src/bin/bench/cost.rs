//! What a command costs, with everything it starts and waits for: wait4(2) adds that up.

use crate::figures::{Figures, ms};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    /// The largest of its processes. Linux counts the moment before exec as well, so that our own size is the floor.
    pub(crate) rss_kib: i64,
    pub(crate) status: ExitStatus,
}

pub(crate) fn once(command: &mut Command) -> std::io::Result<Cost> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let child = command.spawn()?;
    let (status, usage) = wait(child.id())?;
    let cpu = time(usage.ru_utime) + time(usage.ru_stime);
    Ok(Cost {
        wall: begun.elapsed(),
        cpu,
        rss_kib: usage.ru_maxrss,
        status,
    })
}

/// `n` runs after one that warms the caches. `None` when it cannot be run.
pub(crate) fn many(n: usize, command: &mut Command) -> Option<Vec<Cost>> {
    once(command).ok()?;
    (0..n).map(|_| once(command).ok()).collect()
}

/// [`many`] of each command, taking turns: what else the machine does meets all of them alike.
pub(crate) fn in_turn<const N: usize>(n: usize, commands: &mut [Command; N]) -> Option<[Vec<Cost>; N]> {
    let mut costs = [const { Vec::new() }; N];
    for run in 0..=n {
        for (command, costs) in commands.iter_mut().zip(&mut costs) {
            let cost = once(command).ok()?;
            if run > 0 {
                costs.push(cost);
            }
        }
    }
    Some(costs)
}

pub(crate) fn wall(costs: &[Cost]) -> Option<Figures> {
    Figures::of(costs.iter().map(|cost| ms(cost.wall)).collect())
}

pub(crate) fn cpu(costs: &[Cost]) -> Option<Figures> {
    Figures::of(costs.iter().map(|cost| ms(cost.cpu)).collect())
}

pub(crate) fn rss_mib(costs: &[Cost]) -> Option<Figures> {
    let mib = |kib: i64| f64::from(i32::try_from(kib).unwrap_or(i32::MAX)) / 1024.0;
    Figures::of(costs.iter().map(|cost| mib(cost.rss_kib)).collect())
}

#[expect(
    unsafe_code,
    reason = "neither std nor rustix returns the resource usage of one child"
)]
fn wait(pid: u32) -> std::io::Result<(ExitStatus, libc::rusage)> {
    let pid = libc::pid_t::try_from(pid).map_err(std::io::Error::other)?;
    loop {
        let mut status = 0;
        // SAFETY: rusage is plain numbers, for which zero is a value.
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live, writable variables of the right type.
        if unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } == pid {
            return Ok((ExitStatus::from_raw(status), usage));
        }
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn time(value: libc::timeval) -> Duration {
    let seconds = u64::try_from(value.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(value.tv_usec).unwrap_or(0))
}
