//! A gateway under `oc-guardian supervise`, in a HOME of its own.

use crate::cmd::{Cmd, Running};
use crate::env::{TestEnv, free_port};
use crate::get::{Asked, ask_with};
use crate::process;
use crate::wait::try_wait_for;
use rustix::process::Signal;
use serde_json::Value;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

/// The supervisor gets this long to stop its service in order; then everything is killed by pid.
const PARTING: Duration = Duration::from_secs(5);

/// See the module. Dropping it stops the supervisor first, so that its service is stopped in order.
#[derive(Debug)]
pub struct Supervised {
    /// Its HOME.
    pub env: TestEnv,
    /// The port the gateway listens on.
    pub port: u16,
    supervisor: Option<Running>,
}

impl Supervised {
    /// A HOME and a free port; nothing runs.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it makes directories")]
    pub fn new() -> Self {
        Self {
            env: TestEnv::new(),
            port: free_port(),
            supervisor: None,
        }
    }

    /// The words of `oc-guardian` that supervise this program, passes included.
    #[must_use]
    pub fn words(&self, gateway: &Path) -> Vec<String> {
        let gateway = gateway.display().to_string();
        let port = self.port.to_string();
        ["supervise", "--", &gateway, "gateway", "run", "--port", &port]
            .map(str::to_owned)
            .to_vec()
    }

    /// Starts the supervisor.
    pub fn start(&mut self, gateway: &Path) {
        self.start_as(self.env.cmd("oc-guardian").args(self.words(gateway)));
    }

    /// Starts the supervisor by a command that becomes it.
    pub fn start_as(&mut self, command: Cmd) {
        self.supervisor = Some(command.spawn());
    }

    /// The supervisor's process, as it was started here.
    pub fn supervisor(&mut self) -> Option<&mut Running> {
        self.supervisor.as_mut()
    }

    /// What the supervisor publishes.
    #[must_use]
    pub fn status(&self) -> Option<Value> {
        json(&self.env.watchdog().join("supervise/status.json"))
    }

    /// The service's process, as the supervisor knows it.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.status()?["child"]["pid"].as_u64()?.try_into().ok()
    }

    /// Which pass was the latest to begin.
    #[must_use]
    pub fn pass(&self) -> Option<String> {
        let run = json(&self.env.watchdog().join("run/run.json"))?;
        run["id"].as_str().map(str::to_owned)
    }

    /// Whether `/readyz` answers 200 within half a second.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let limit = Duration::from_millis(500);
        matches!(
            ask_with(Ipv4Addr::LOCALHOST.into(), self.port, "GET", "/readyz", &[], limit),
            Asked::Answered(answer) if answer.status == 200
        )
    }

    /// Stops supervisor and service in order, as far as they let themselves be stopped.
    pub fn end(&mut self) {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.signal(Signal::TERM);
            _ = try_wait_for(PARTING, || supervisor.try_wait());
        }
        // One that the guardian has put in its place.
        let named = self.status().and_then(|status| status["supervisor"]["pid"].as_u64());
        if let Some(pid) = named.and_then(|pid| u32::try_from(pid).ok())
            && process::lives_in(pid, self.env.home())
        {
            self.env.signal(pid, Signal::TERM);
            _ = try_wait_for(PARTING, || (!process::alive(pid)).then_some(()));
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.end();
    }
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}
