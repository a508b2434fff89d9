//! Running a program under test: own process group, hard timeout, output in files.

use crate::wait::try_wait_for;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A command being built. It inherits no environment except through [`crate::TestEnv`].
#[derive(Debug)]
pub struct Cmd {
    inner: Command,
    stdin: Vec<u8>,
    timeout: Duration,
}

impl Cmd {
    /// A command with an empty environment, empty stdin and a timeout of 30 s.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut inner = Command::new(program);
        inner.env_clear();
        Self {
            inner,
            stdin: Vec::new(),
            timeout: Duration::from_secs(30),
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.inner.arg(arg);
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.inner.args(args);
        self
    }

    /// Sets a variable; anything that prints will do (`env("PORT", 80)`).
    #[must_use]
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.inner.env(name, value.to_string());
        self
    }

    /// Takes a variable away that [`crate::TestEnv`] would set.
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Self {
        self.inner.env_remove(name);
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn cwd(mut self, dir: impl AsRef<Path>) -> Self {
        self.inner.current_dir(dir);
        self
    }

    /// What the program reads on stdin.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Lets another program start this one: `setpriv`, `nice`.
    #[must_use]
    pub fn through(mut self, program: impl AsRef<OsStr>, args: &[&str]) -> Self {
        let mut outer = Command::new(program);
        outer
            .env_clear()
            .args(args)
            .arg(self.inner.get_program())
            .args(self.inner.get_args());
        let vars = self.inner.get_envs().filter_map(|(name, value)| Some((name, value?)));
        outer.envs(vars);
        if let Some(dir) = self.inner.get_current_dir() {
            outer.current_dir(dir);
        }
        self.inner = outer;
        self
    }

    /// The hard timeout of [`Cmd::run`]; the whole group is killed and the test fails.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Starts the program and leaves it running until it is waited for or dropped.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn spawn(mut self) -> Running {
        // Files, not pipes: a background process that inherits a pipe would keep its reader waiting after the program
        // under test is long gone, and a full pipe would stop it.
        let mut input = tempfile::tempfile().expect("a temporary file");
        input.write_all(&self.stdin).expect("stdin written");
        input.rewind().expect("stdin rewound");
        let stdout = tempfile::tempfile().expect("a temporary file");
        let stderr = tempfile::tempfile().expect("a temporary file");
        self.inner
            .process_group(0)
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(stdout.try_clone().expect("a descriptor")))
            .stderr(Stdio::from(stderr.try_clone().expect("a descriptor")));
        let name = format!("{:?}", self.inner.get_program());
        let child = self
            .inner
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {name}: {e}"));
        Running {
            child,
            ended: None,
            stdout,
            stderr,
            name,
            begun: Instant::now(),
        }
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it cannot be started, or is not over within the timeout (its group is killed and what it said is shown).
    pub fn run(self) -> Output {
        let timeout = self.timeout;
        self.spawn().wait(timeout)
    }
}

/// A program that runs. Dropping it kills its process group.
#[derive(Debug)]
pub struct Running {
    child: Child,
    ended: Option<ExitStatus>,
    stdout: File,
    stderr: File,
    name: String,
    begun: Instant,
}

impl Running {
    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process alone; nothing is sent once its end has been seen.
    pub fn signal(&mut self, signal: Signal) {
        if self.try_wait().is_none() {
            kill_process(self.raw(), signal).expect("the signal is delivered: the process is not reaped yet");
        }
    }

    /// Its exit code (128+n for signal n) once it is over.
    pub fn try_wait(&mut self) -> Option<i32> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("a child can be waited for");
        }
        self.ended.map(code)
    }

    /// What it has written to stdout so far.
    #[must_use]
    pub fn stdout(&self) -> String {
        slurp(&self.stdout)
    }

    /// What it has written to stderr so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        slurp(&self.stderr)
    }

    /// Waits for the end.
    ///
    /// # Panics
    /// When it is not over within `timeout`: its group is killed and what it said is shown.
    pub fn wait(mut self, timeout: Duration) -> Output {
        let Some(code) = try_wait_for(timeout, || self.try_wait()) else {
            let (out, err) = (self.stdout(), self.stderr());
            panic!(
                "{} still runs after {timeout:?}\n--- stdout\n{out}\n--- stderr\n{err}",
                self.name
            );
        };
        Output {
            code,
            stdout: self.stdout(),
            stderr: self.stderr(),
            took: self.begun.elapsed(),
        }
    }

    fn raw(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Before reaping: until then the group id cannot belong to anybody else.
        if self.try_wait().is_none() {
            _ = kill_process_group(self.raw(), Signal::KILL);
            _ = self.child.wait();
        }
    }
}

/// How a program ended and what it said.
#[derive(Debug, Clone)]
pub struct Output {
    /// The exit code; 128+n when signal n ended it.
    pub code: i32,
    /// All of stdout, foreign bytes replaced.
    pub stdout: String,
    /// All of stderr, foreign bytes replaced.
    pub stderr: String,
    /// From the start to the observed end.
    pub took: Duration,
}

impl Output {
    /// Asserts the exit code and returns the output for further questions.
    ///
    /// # Panics
    /// When the code differs; both streams are shown.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// The one JSON object on stdout.
    ///
    /// # Panics
    /// When stdout is anything else.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| {
            panic!(
                "stdout is not JSON: {e}\n--- stdout\n{}\n--- stderr\n{}",
                self.stdout, self.stderr
            )
        })
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn slurp(file: &File) -> String {
    // Read at offsets: the descriptor shares its position with the writer.
    use std::os::unix::fs::FileExt as _;
    let len = usize::try_from(file.metadata().map_or(0, |m| m.len())).unwrap_or(0);
    let mut bytes = vec![0; len];
    let mut done = 0;
    while done < len {
        match file.read_at(&mut bytes[done..], done as u64) {
            Ok(0) | Err(_) => break,
            Ok(n) => done += n,
        }
    }
    bytes.truncate(done);
    String::from_utf8_lossy(&bytes).into_owned()
}
