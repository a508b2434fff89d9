//! Which system calls change something that outlives the process that makes them.

use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// A system call about to be made.
pub(crate) struct Call {
    pub(crate) pid: i32,
    pub(crate) number: i64,
    pub(crate) args: [u64; 6],
}

/// A change.
pub(crate) struct Step {
    pub(crate) what: String,
    /// It is a write that can be cut short.
    pub(crate) half: Option<Half>,
}

/// The first half of what is about to be written.
pub(crate) struct Half {
    fd: i32,
    bytes: Vec<u8>,
}

impl Half {
    /// Writes it through the process's own open file, hence at its place.
    pub(crate) fn write(self, pid: i32) -> std::io::Result<()> {
        let process = pidfd_open(
            Pid::from_raw(pid).ok_or(std::io::ErrorKind::NotFound)?,
            PidfdFlags::empty(),
        )?;
        let file = pidfd_getfd(process, self.fd, PidfdGetfdFlags::empty())?;
        File::from(file).write_all(&self.bytes)
    }
}

/// `None`: nothing is changed, or nothing but the process itself. Durability (fsync) changes nothing that a kill could show.
pub(crate) fn of(call: &Call) -> Option<Step> {
    let plain = |what: String| Some(Step { what, half: None });
    let named = |name: &str, at: usize| plain(format!("{name} {}", call.path(at)));
    match call.number {
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => call.creates(0, call.args[1]),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_rename | libc::SYS_link | libc::SYS_symlink => named("rename or link to", 1),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_unlink | libc::SYS_rmdir => named("remove", 0),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_mkdir | libc::SYS_mknod => named("make", 0),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chmod | libc::SYS_chown | libc::SYS_lchown => named("change the mode of", 0),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_fork | libc::SYS_vfork => plain("start a process".to_owned()),
        libc::SYS_openat => call.creates(1, call.args[2]),
        libc::SYS_renameat | libc::SYS_renameat2 | libc::SYS_linkat => named("rename or link to", 3),
        libc::SYS_symlinkat => named("symlink", 2),
        libc::SYS_unlinkat => named("remove", 1),
        libc::SYS_mkdirat | libc::SYS_mknodat => named("make", 1),
        libc::SYS_fchmodat | libc::SYS_fchownat | libc::SYS_utimensat => named("change the mode of", 1),
        libc::SYS_truncate | libc::SYS_setxattr => named("change", 0),
        libc::SYS_fchmod
        | libc::SYS_fchown
        | libc::SYS_ftruncate
        | libc::SYS_fallocate
        | libc::SYS_copy_file_range
        | libc::SYS_sendfile => {
            let at = if call.number == libc::SYS_copy_file_range { 2 } else { 0 };
            plain(format!("change {}", call.open_file(at)?))
        }
        libc::SYS_write | libc::SYS_pwrite64 => call.writes(),
        libc::SYS_writev | libc::SYS_pwritev => plain(format!("write {}", call.open_file(0)?)),
        libc::SYS_sendto | libc::SYS_sendmsg => plain("send".to_owned()),
        libc::SYS_connect => plain("connect".to_owned()),
        libc::SYS_flock => plain(format!("lock {}", call.open_file(0)?)),
        // A signal to itself, or none (is it there?), changes nothing.
        libc::SYS_kill | libc::SYS_pidfd_send_signal if call.args[1] != 0 => plain("signal".to_owned()),
        libc::SYS_clone if call.args[0] & libc::CLONE_THREAD as u64 == 0 => plain("start a process".to_owned()),
        libc::SYS_clone3 => {
            let flags = u64::from_ne_bytes(call.memory(call.args[0], 8).try_into().ok()?);
            (flags & libc::CLONE_THREAD as u64 == 0).then(|| Step {
                what: "start a process".to_owned(),
                half: None,
            })
        }
        libc::SYS_execve => named("become", 0),
        _ => None,
    }
}

impl Call {
    fn creates(&self, at: usize, flags: u64) -> Option<Step> {
        let path = self.path(at);
        let asked = |flag: libc::c_int| flags & u64::from(flag.unsigned_abs()) != 0;
        let changes = asked(libc::O_TRUNC) || asked(libc::O_CREAT) && !Path::new(&path).exists();
        // A file without a name goes with its process.
        (changes && !path.starts_with("/dev/") && !asked(libc::O_TMPFILE & !libc::O_DIRECTORY)).then(|| Step {
            what: format!("create {path}"),
            half: None,
        })
    }

    fn writes(&self) -> Option<Step> {
        let what = format!("write {}", self.open_file(0)?);
        let (fd, half) = (self.number(0), usize::try_from(self.args[2] / 2).ok()?);
        let regular = std::fs::metadata(format!("/proc/{}/fd/{fd}", self.pid)).is_ok_and(|meta| meta.is_file());
        let half = (regular && half > 0).then(|| Half {
            fd,
            bytes: self.memory(self.args[1], half),
        });
        Some(Step { what, half })
    }

    /// What an open file is called; `None`: a pipe, an event counter, a device, gone with the process.
    fn open_file(&self, at: usize) -> Option<String> {
        let link = std::fs::read_link(format!("/proc/{}/fd/{}", self.pid, self.number(at))).ok()?;
        let name = link.to_string_lossy().into_owned();
        (name.starts_with("socket:") || name.starts_with('/') && !name.starts_with("/dev/")).then_some(name)
    }

    /// An argument that is an `int` of C.
    fn number(&self, at: usize) -> i32 {
        #[expect(clippy::cast_possible_truncation, reason = "the upper half means nothing")]
        let number = self.args[at] as i32;
        number
    }

    fn path(&self, at: usize) -> String {
        let bytes = self.memory(self.args[at], 4096);
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    /// As much as there is.
    fn memory(&self, from: u64, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let mut done = 0;
        if let Ok(memory) = File::open(format!("/proc/{}/mem", self.pid)) {
            while done < len {
                match memory.read_at(&mut bytes[done..], from + done as u64) {
                    Ok(n) if n > 0 => done += n,
                    _ => break,
                }
            }
        }
        bytes.truncate(done);
        bytes
    }
}
