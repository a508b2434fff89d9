//! What the service needs around it, looked at before a start: the Docker daemon, the network, its port. Each is off by
//! default and has its own deadline; none of them keeps a start back.

use crate::checks;
use crate::finding::{Finding, Severity};
use crate::scene::Scene;
use oc_core::clock::{Deadline, pause};
use oc_core::config::{Docker, Network};
use oc_core::proc::Cmd;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

/// How often a daemon that was started is asked.
const POLL: Duration = Duration::from_millis(200);

/// Warnings about what is missing, and what was done about it.
#[must_use]
pub fn look(scene: &Scene<'_>, dry_run: bool) -> (Vec<Finding>, Vec<String>) {
    let wanted = &scene.world.config.doctor.preflight;
    let (mut findings, mut actions) = (Vec::new(), Vec::new());
    if wanted.docker.enabled {
        docker(&wanted.docker, dry_run, &mut findings, &mut actions);
    }
    network(&wanted.network, &mut findings);
    if wanted.port {
        checks::port::check(scene, &mut findings);
    }
    findings.iter_mut().for_each(|f| f.severity = Severity::Warning);
    (findings, actions)
}

/// dependency.docker
fn docker(wanted: &Docker, dry_run: bool, findings: &mut Vec<Finding>, actions: &mut Vec<String>) {
    let deadline = Deadline::after(wanted.timeout.get());
    if answers(&deadline) {
        return;
    }
    let missing = |what: String| Finding::warning("dependency.docker", "docker", what);
    let Some((program, args)) = wanted.start.split_first() else {
        findings.push(missing("the Docker daemon does not answer".to_owned()));
        return;
    };
    let command = wanted.start.join(" ");
    actions.push(format!("Docker started: {command}"));
    if dry_run {
        return;
    }
    let started = Cmd::new(program).args(args).timeout(deadline.left()).run();
    while !deadline.passed() {
        if answers(&deadline) {
            return;
        }
        pause(POLL.min(deadline.left()));
    }
    let why = match started {
        Ok(output) if output.ended.success() => String::new(),
        Ok(_) => format!("; `{command}` failed"),
        Err(fault) => format!("; {}", fault.what),
    };
    let after = wanted.timeout.get().as_secs();
    findings.push(missing(format!(
        "the Docker daemon does not answer {after} s after it was started{why}"
    )));
}

fn answers(deadline: &Deadline) -> bool {
    let output = Cmd::new("docker")
        .args(["info", "--format", "{{.ID}}"])
        .timeout(deadline.left())
        .run();
    output.is_ok_and(|output| output.ended.success())
}

/// dependency.network
fn network(wanted: &Network, findings: &mut Vec<Finding>) {
    let deadline = Deadline::after(wanted.timeout.get());
    // All at once: one that takes its time must not use up that of the others. The system's resolver knows no deadline, so
    // whoever is still asking then is left behind.
    let asked: Vec<_> = wanted
        .hosts
        .iter()
        .map(|host| {
            let (tell, told) = mpsc::channel();
            let (name, limit) = (host.clone(), deadline.left());
            std::thread::spawn(move || drop(tell.send(reach(&name, limit))));
            (host, told)
        })
        .collect();
    for (host, told) in asked {
        let left = deadline.left().max(Duration::from_millis(1));
        let answer = told
            .recv_timeout(left)
            .unwrap_or_else(|_| Err("no answer in time".to_owned()));
        if let Err(why) = answer {
            findings.push(Finding::warning(
                "dependency.network",
                host,
                format!("{host} cannot be reached: {why}"),
            ));
        }
    }
}

fn reach(host: &str, limit: Duration) -> Result<(), String> {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (
            name,
            Some(port.parse::<u16>().map_err(|_| format!("{port:?} is no port"))?),
        ),
        None => (host, None),
    };
    let mut found = (name, port.unwrap_or(0)).to_socket_addrs().map_err(|e| e.to_string())?;
    if port.is_none() {
        return found
            .next()
            .map(drop)
            .ok_or_else(|| "the name has no address".to_owned());
    }
    let mut why = "the name has no address".to_owned();
    for address in found {
        match TcpStream::connect_timeout(&address, limit.max(Duration::from_millis(1))) {
            Ok(_) => return Ok(()),
            Err(e) => why = e.to_string(),
        }
    }
    Err(why)
}
