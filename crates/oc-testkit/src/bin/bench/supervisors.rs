//! How each supervisor is set up for the same service, in a HOME of its own. Whatever it starts has that HOME in its
//! environment and is ended with it.

use oc_testkit::peers::{self, installed, script};
use oc_testkit::{Running, Signal, TestEnv, bin, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

pub(crate) const OURS: &str = "oc-guardian supervise";

/// Sets a supervisor up and starts it; the error says why it is not measured.
pub(crate) type Start = fn(&TestEnv, u16) -> Result<Supervisor, String>;

pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) crash: Start,
    /// `None` when it has no liveness check.
    pub(crate) hang: Option<Start>,
}

pub(crate) const ALL: &[Peer] = &[
    Peer {
        name: OURS,
        crash: |env, port| Ok(ours(env, port, false)),
        hang: Some(|env, port| Ok(ours(env, port, true))),
    },
    Peer {
        name: "runit (runsv)",
        crash: runit,
        hang: None,
    },
    Peer {
        name: "s6-supervise, with readiness",
        crash: |env, port| s6(env, port, true),
        hang: None,
    },
    Peer {
        name: "s6-supervise, without",
        crash: |env, port| s6(env, port, false),
        hang: None,
    },
    Peer {
        name: "systemd --user, Restart=always",
        crash: systemd,
        hang: None,
    },
    Peer {
        name: "supervisord",
        crash: supervisord,
        hang: None,
    },
    Peer {
        name: "monit, 1 s cycle",
        crash: monit,
        hang: Some(monit),
    },
];

/// A supervisor at work.
pub(crate) struct Supervisor {
    running: Option<Running>,
    /// Words that end what does not live in our HOME.
    stop: Vec<String>,
    /// An incident of ours must be closed before the next injury counts.
    ours: bool,
}

impl Supervisor {
    fn of(running: Running) -> Self {
        Self {
            running: Some(running),
            stop: Vec::new(),
            ours: false,
        }
    }

    /// Waits until it is at rest.
    pub(crate) fn settle(&self, env: &TestEnv) {
        if self.ours {
            wait_until("no incident is open", Duration::from_secs(60), || {
                let status = env.cmd("oc-escalate").args(["status", "--json"]).run();
                status.code == 0 && status.json()["incident"] == Value::Null
            });
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Some((program, args)) = self.stop.split_first() {
            // It may have ended by itself.
            drop(std::process::Command::new(program).args(args).output());
        }
        if let Some(running) = &mut self.running {
            running.signal(Signal::TERM);
            let begun = std::time::Instant::now();
            while running.try_wait().is_none() && begun.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn service(port: u16) -> String {
    format!("{} {port}", bin("bench-serve").display())
}

/// With `passes`: one every second, and hung after one without a byte.
fn ours(env: &TestEnv, port: u16, passes: bool) -> Supervisor {
    env.oc_config(&json!({
        "service": {"kind": "generic", "config_type": "none", "required_keys": [], "restart_signal": null, "supervise": {"ready_poll": "10ms"}},
        "probe": {"url": format!("http://127.0.0.1:{port}"), "startup_path": null, "readiness_path": null,
            "timeout": "500ms", "tries": 1, "interval": "50ms", "hang_after": "1s"},
        "policy": {
            "interval": "1s", "interval_embedded": "1s",
            "hold": {"manager": "0s"}, "kill": {"unclean_limit": 1000}, "restarts": {"limit": 1000},
            "healthy": {"stable": "500ms"},
        },
    }));
    let mut cmd = env.cmd("oc-guardian").arg("supervise");
    if !passes {
        cmd = cmd.arg("--no-heal");
    }
    let program = bin("bench-serve").display().to_string();
    let running = cmd.args(["--", &program, &port.to_string()]).spawn();
    Supervisor {
        running: Some(running),
        stop: Vec::new(),
        ours: passes,
    }
}

fn runit(env: &TestEnv, port: u16) -> Result<Supervisor, String> {
    let runsv = installed("runsv")?;
    script(env, "service/run", &format!("exec {} 2>/dev/null", service(port)));
    Ok(Supervisor::of(env.foreign(runsv).arg(env.path("service")).spawn()))
}

fn s6(env: &TestEnv, port: u16, readiness: bool) -> Result<Supervisor, String> {
    let supervise = installed("s6-supervise")?;
    if readiness {
        env.write("service/notification-fd", "3\n");
        script(env, "service/run", &format!("exec {} --ready-on-3", service(port)));
    } else {
        script(env, "service/run", &format!("exec {}", service(port)));
    }
    Ok(Supervisor::of(env.foreign(supervise).arg(env.path("service")).spawn()))
}

/// A transient unit of the user's own manager, with the defaults of systemd.
fn systemd(env: &TestEnv, port: u16) -> Result<Supervisor, String> {
    installed("systemd-run")?;
    let manager = std::process::Command::new("systemctl")
        .args(["--user", "show-environment"])
        .output();
    if !manager.is_ok_and(|output| output.status.success()) {
        return Err("no systemd user manager answers".to_owned());
    }
    let unit = format!("oc-bench-{}.service", std::process::id());
    let started = std::process::Command::new("systemd-run")
        .args([
            "--user",
            "--quiet",
            "--collect",
            "--property=Restart=always",
            "--unit",
            &unit,
        ])
        .arg(format!("--setenv=HOME={}", env.home().display()))
        .arg(bin("bench-serve"))
        .arg(port.to_string())
        .output();
    if !started.is_ok_and(|output| output.status.success()) {
        return Err("systemd-run failed".to_owned());
    }
    Ok(Supervisor {
        running: None,
        stop: ["systemctl", "--user", "stop", &unit].map(str::to_owned).to_vec(),
        ours: false,
    })
}

fn supervisord(env: &TestEnv, port: u16) -> Result<Supervisor, String> {
    let cmd = peers::supervisord(env, &service(port), &[])?;
    Ok(Supervisor::of(cmd.spawn()))
}

/// As quick as it goes: 1 s cycle, 1 s timeout, acts on the first failure.
fn monit(env: &TestEnv, port: u16) -> Result<Supervisor, String> {
    let test = format!("if failed port {port} protocol http request \"/healthz\" with timeout 1 seconds then restart");
    let cmd = peers::monit(env, &service(port), 4, &[test])?;
    Ok(Supervisor::of(cmd.spawn()))
}
