//! The system calls of a command and of all that it starts, by strace.

use crate::cost;
use oc_testkit::TestEnv;
use std::ffi::OsStr;

pub(crate) struct Trace {
    lines: Vec<String>,
}

impl Trace {
    /// `None` where strace is missing or may not trace, or the command fails.
    pub(crate) fn of(env: &TestEnv, words: &[&OsStr]) -> Option<Self> {
        let dir = env.path("strace");
        std::fs::create_dir_all(&dir).ok()?;
        let mut command = env.std_command("strace");
        // A file for each process: in a common one, a call that another interrupts is torn in two.
        command.args(["-ff", "-qq", "-o"]).arg(dir.join("of")).args(words);
        if !cost::once(&mut command).ok()?.status.success() {
            return None;
        }
        let mut lines = Vec::new();
        for file in std::fs::read_dir(&dir).ok()?.flatten() {
            let text = std::fs::read_to_string(file.path()).ok()?;
            lines.extend(text.lines().map(str::to_owned));
        }
        std::fs::remove_dir_all(dir).ok()?;
        Some(Self { lines })
    }

    pub(crate) fn calls(&self) -> f64 {
        self.count(|_| true)
    }

    /// Programs that were executed.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| {
            let (_, rest) = line.split_once("execve(\"")?;
            // A search along PATH also tries where the program is not.
            rest.ends_with("= 0").then(|| rest.split('"').next()).flatten()
        })
    }

    /// Times that something below /proc was opened or asked for.
    pub(crate) fn proc_files(&self) -> f64 {
        self.count(|line| line.contains("\"/proc/"))
    }

    /// Times that /proc was opened to be listed.
    pub(crate) fn proc_scans(&self) -> f64 {
        self.count(|line| line.contains("\"/proc\"") || line.contains("\"/proc/\""))
    }

    fn count(&self, which: impl Fn(&str) -> bool) -> f64 {
        let count = self.lines.iter().filter(|line| which(line)).count();
        u32::try_from(count).map_or(f64::INFINITY, f64::from)
    }
}
