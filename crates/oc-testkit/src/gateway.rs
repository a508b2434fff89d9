//! Starting a gateway for a test: the stand-in, or the real one when `OC_REAL_OPENCLAW` names its executable.

use crate::cmd::{Cmd, Output, Running};
use crate::env::{TestEnv, bin, free_port};
use crate::faults::Faults;
use crate::get::{Asked, Response, ask, get, is_ready};
use crate::wait::{try_wait_for, wait_until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// A gateway being described.
#[derive(Debug)]
pub struct GatewayBuilder<'a> {
    env: &'a TestEnv,
    port: u16,
    config: Option<String>,
    faults: Option<Faults>,
    args: Vec<String>,
    vars: Vec<(String, String)>,
    real: Option<PathBuf>,
}

impl<'a> GatewayBuilder<'a> {
    pub(crate) fn new(env: &'a TestEnv) -> Self {
        let port = free_port();
        Self {
            env,
            port,
            config: Some(Self::good_config(port).to_string()),
            faults: None,
            args: Vec::new(),
            vars: Vec::new(),
            real: None,
        }
    }

    /// The smallest config that starts.
    #[must_use]
    pub fn good_config(port: u16) -> Value {
        json!({"gateway": {"mode": "local", "port": port, "bind": "loopback", "auth": {"mode": "token", "token": "tok"}}})
    }

    /// Writes this text as the config instead of the good one.
    #[must_use]
    pub fn config(mut self, text: impl ToString) -> Self {
        self.config = Some(text.to_string());
        self
    }

    /// Changes the config that is written.
    ///
    /// # Panics
    /// When it is not JSON, or is to be left alone.
    #[must_use]
    pub fn edit(mut self, change: impl FnOnce(&mut Value)) -> Self {
        let text = self.config.as_deref().expect("a config to edit");
        let mut config = serde_json::from_str(text).expect("only JSON can be edited");
        change(&mut config);
        self.config = Some(config.to_string());
        self
    }

    /// Leaves the config file alone, whatever it is.
    #[must_use]
    pub fn config_untouched(mut self) -> Self {
        self.config = None;
        self
    }

    /// Uses this port instead of a free one; the good config follows.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        self.port = port;
        if self.config.is_some() {
            self.config = Some(Self::good_config(port).to_string());
        }
        self
    }

    /// The port it will listen on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What is wrong with it from the start. Only the stand-in obeys.
    #[must_use]
    pub fn faults(mut self, change: impl FnOnce(&mut Faults)) -> Self {
        change(self.faults.get_or_insert_default());
        self
    }

    /// One more argument after `gateway run --port N`.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// One more variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.vars.push((name.to_owned(), value.to_string()));
        self
    }

    /// The real gateway instead of the stand-in, if `OC_REAL_OPENCLAW` names one. For tests that hold for both.
    #[must_use]
    pub fn real_if_named(mut self) -> Self {
        self.real = crate::real::openclaw();
        self
    }

    /// Writes config and faults, and returns the words that start this gateway: for a supervisor's command line.
    ///
    /// # Panics
    /// When the files cannot be written.
    #[expect(clippy::must_use_candidate, reason = "often only the files are wanted")]
    pub fn prepare(&self) -> Vec<String> {
        if let Some(config) = &self.config {
            self.env.write(".openclaw/openclaw.json", config);
        }
        if let Some(faults) = &self.faults {
            Faults::change(&self.env.state_dir(), |file| file.clone_from(faults));
        }
        let program = self.real.clone().unwrap_or_else(|| bin("stand-in-gateway"));
        let mut words = vec![
            program.display().to_string(),
            "gateway".into(),
            "run".into(),
            "--port".into(),
        ];
        words.push(self.port.to_string());
        words.extend(self.args.iter().cloned());
        words
    }

    fn command(&self) -> Cmd {
        let words = self.prepare();
        let mut cmd = self.env.foreign(&words[0]).args(&words[1..]);
        if let Some(dir) = self.real.as_ref().and_then(|real| real.parent()) {
            cmd = cmd
                .env("PATH", format!("{}:/usr/bin:/bin", dir.display()))
                .env("TMPDIR", crate::real::tmp().display());
        }
        self.vars.iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value))
    }

    /// Starts it and does not wait.
    #[must_use]
    pub fn spawn(&self) -> Gateway {
        let running = self.command().spawn();
        Gateway {
            pid: running.pid(),
            running: Some(running),
            port: self.port,
            state_dir: self.env.state_dir(),
            patience: self.patience(),
        }
    }

    /// Starts it and waits until `/readyz` answers 200.
    ///
    /// # Panics
    /// When it is not ready in time (10 s; the real one 240 s), with what it said.
    #[must_use]
    pub fn start(&self) -> Gateway {
        let mut gateway = self.spawn();
        gateway.wait_ready();
        gateway
    }

    /// Runs it until it exits by itself, for configs that do not start.
    ///
    /// # Panics
    /// When it does not exit in time (10 s; the real one 240 s).
    #[must_use]
    pub fn run(&self) -> Output {
        self.command().timeout(self.patience()).run()
    }

    /// How long a boot may take.
    #[must_use]
    pub fn patience(&self) -> Duration {
        // A ceiling, not an expectation: on a crowded machine the real one was seen to take more than 90 s.
        Duration::from_secs(if self.real.is_some() { 240 } else { 10 })
    }
}

/// A gateway that was started. Dropping it kills it.
#[derive(Debug)]
pub struct Gateway {
    running: Option<Running>,
    pid: u32,
    port: u16,
    state_dir: PathBuf,
    patience: Duration,
}

impl Gateway {
    fn running(&mut self) -> &mut Running {
        self.running.as_mut().expect("not waited for yet")
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// GET, which must be answered.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    #[must_use]
    pub fn get(&self, path: &str) -> Response {
        get(self.port, path)
    }

    /// GET, whatever comes of it.
    #[must_use]
    pub fn ask(&self, path: &str) -> Asked {
        ask(self.port, path)
    }

    /// Whether `/readyz` answers 200.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        is_ready(self.port)
    }

    /// Waits until `/readyz` answers 200.
    ///
    /// # Panics
    /// When it exits instead, or is not ready in time; with what it said.
    pub fn wait_ready(&mut self) {
        let mut exited = None;
        let ready = try_wait_for(self.patience, || {
            exited = self.running().try_wait();
            (exited.is_some() || self.is_ready()).then_some(exited.is_none())
        });
        if ready != Some(true) {
            panic!("the gateway is not ready (exit: {exited:?})\n{}", self.said());
        }
    }

    /// Waits until connections are refused.
    ///
    /// # Panics
    /// When they are not in time.
    pub fn wait_refused(&self) {
        wait_until("connections are refused", self.patience, || {
            self.ask("/healthz") == Asked::Refused
        });
    }

    /// Changes what is wrong with it.
    pub fn fault(&self, change: impl FnOnce(&mut Faults)) {
        Faults::change(&self.state_dir, change);
    }

    /// Changes what is wrong with this process only: its successor on the same state directory is healthy.
    pub fn fault_here(&self, change: impl FnOnce(&mut Faults)) {
        Faults::change(&self.state_dir, |faults| {
            faults.only_pid = Some(self.pid);
            change(faults);
        });
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.running().signal(signal);
    }

    /// Whether the process is there (a zombie is not).
    pub fn alive(&mut self) -> bool {
        self.running().try_wait().is_none()
    }

    /// Waits for its exit.
    ///
    /// # Panics
    /// When it does not exit in time.
    pub fn wait_exit(mut self) -> Output {
        let patience = self.patience;
        self.running.take().expect("not waited for yet").wait(patience)
    }

    /// `kill -9`, and its end awaited.
    pub fn kill9(mut self) -> Output {
        self.signal(Signal::KILL);
        self.wait_exit()
    }

    /// All it said so far, stdout then stderr.
    #[must_use]
    pub fn said(&self) -> String {
        self.running
            .as_ref()
            .map(|running| running.stdout() + &running.stderr())
            .unwrap_or_default()
    }
}
