//! Follows a process tree by ptrace(2). Only our tools are stopped at their system calls; shells are followed for what they
//! start; everything else is let go at once, so that a service never knows of it.

use crate::steps::{self, Call, Step};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Error, Result};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

const SHELLS: [&str; 4] = ["sh", "dash", "bash", "env"];
const OPTIONS: libc::c_int = libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC;

pub(crate) struct Tracer {
    /// What was about to be done, in order.
    pub(crate) steps: Vec<String>,
    tool: String,
    wanted: Option<usize>,
    killed: bool,
    /// The name of the tool that each process of ours runs.
    tools: BTreeMap<i32, String>,
}

impl Tracer {
    pub(crate) fn new(tool: &str, wanted: Option<usize>) -> Self {
        Self {
            steps: Vec::new(),
            tool: tool.to_owned(),
            wanted,
            killed: false,
            tools: BTreeMap::new(),
        }
    }

    /// Runs the command to its end; what it leaves running goes on without us.
    pub(crate) fn run(&mut self, command: &[OsString]) -> Result<u8> {
        // It waits until we hold it, so that nothing it does is missed.
        let child = Command::new("/bin/sh")
            .args(["-c", "kill -STOP $$; exec \"$@\"", "sh"])
            .args(command)
            .process_group(0)
            .spawn()?;
        let root = i32::try_from(child.id()).map_err(Error::other)?;
        wait(root, libc::WUNTRACED)?;
        ptrace(libc::PTRACE_SEIZE, root, OPTIONS as usize)?;
        kill_process(Pid::from_child(&child), Signal::CONT)?;
        loop {
            let (tid, status) = wait(-1, libc::__WALL)?;
            if libc::WIFSTOPPED(status) {
                self.stopped(tid, status);
                continue;
            }
            if tid == root {
                let code = if libc::WIFEXITED(status) {
                    libc::WEXITSTATUS(status)
                } else {
                    128 + libc::WTERMSIG(status)
                };
                return u8::try_from(code).map_err(Error::other);
            }
        }
    }

    /// What goes wrong here is a process that has gone meanwhile.
    fn stopped(&mut self, tid: i32, status: libc::c_int) {
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        if event == libc::PTRACE_EVENT_EXEC && !self.became(tid) {
            _ = ptrace(libc::PTRACE_DETACH, tid, 0);
            return;
        }
        let mut deliver = 0;
        match event {
            0 if signal == libc::SIGTRAP | 0x80 => self.at_call(tid),
            0 => deliver = signal,
            // Stopped for good, until somebody continues it: it must stay so.
            libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => {
                _ = ptrace(libc::PTRACE_LISTEN, tid, 0);
                return;
            }
            _ => {}
        }
        let counts = !self.killed && self.tools.contains_key(&group(tid));
        let request = if counts {
            libc::PTRACE_SYSCALL
        } else {
            libc::PTRACE_CONT
        };
        _ = ptrace(request, tid, usize::try_from(deliver).unwrap_or(0));
    }

    /// Whether what the process runs now is of interest.
    fn became(&mut self, pid: i32) -> bool {
        let exe = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        let name = exe.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.tools.remove(&pid);
        if name.starts_with("oc-") {
            if name.starts_with(&self.tool) {
                self.tools.insert(pid, name);
            }
            return true;
        }
        SHELLS.contains(&name.as_str())
    }

    fn at_call(&mut self, tid: i32) {
        let pid = group(tid);
        let Some(tool) = self.tools.get(&pid).cloned() else {
            return;
        };
        let Some(call) = call(tid).map(|(number, args)| Call { pid, number, args }) else {
            return;
        };
        let Some(step) = steps::of(&call) else { return };
        self.count(pid, &format!("{tool} {}", step.what), || ());
        if let Step { what, half: Some(half) } = step {
            self.count(pid, &format!("{tool} {what}, half of it"), || _ = half.write(pid));
        }
    }

    fn count(&mut self, pid: i32, what: &str, first: impl FnOnce()) {
        if self.killed {
            return;
        }
        self.steps.push(what.to_owned());
        if self.wanted == Some(self.steps.len())
            && let Some(pid) = Pid::from_raw(pid)
        {
            first();
            self.killed = true;
            // It is stopped, so it is there.
            _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn group(tid: i32) -> i32 {
    let text = std::fs::read_to_string(format!("/proc/{tid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Tgid:"));
    line.and_then(|pid| pid.trim().parse().ok()).unwrap_or(tid)
}

/// The system call that a stopped thread is about to make.
fn call(tid: i32) -> Option<(i64, [u64; 6])> {
    // SAFETY: plain old data, for which all zeroes is a value.
    #[expect(unsafe_code, reason = "a struct of the kernel")]
    let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
    let size = size_of::<libc::ptrace_syscall_info>();
    // SAFETY: the kernel writes at most `size` bytes to `info`, which lives until the call returns.
    #[expect(unsafe_code, reason = "no wrapper in rustix or std")]
    let got = unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, tid, size, &raw mut info) };
    if got <= 0 || info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    // SAFETY: `op` says that `entry` is the member that was written.
    #[expect(unsafe_code, reason = "a union of the kernel")]
    let entry = unsafe { info.u.entry };
    Some((i64::try_from(entry.nr).ok()?, entry.args))
}

fn ptrace(request: libc::c_uint, tid: i32, data: usize) -> Result<()> {
    // SAFETY: these requests take numbers and write no memory of ours.
    #[expect(unsafe_code, reason = "no wrapper in rustix or std")]
    let done = unsafe { libc::ptrace(request, tid, 0_usize, data) };
    if done < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

fn wait(pid: i32, flags: libc::c_int) -> Result<(i32, libc::c_int)> {
    let mut status = 0;
    loop {
        // SAFETY: `status` lives until the call returns.
        #[expect(unsafe_code, reason = "rustix has no __WALL")]
        let found = unsafe { libc::waitpid(pid, &raw mut status, flags) };
        if found > 0 {
            return Ok((found, status));
        }
        let error = Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
