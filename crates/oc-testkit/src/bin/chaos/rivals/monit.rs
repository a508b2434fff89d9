//! monit, with the quickest settings that its manual offers.

use super::{Rival, gateway, version};
use crate::arena::Arena;
use oc_testkit::Cmd;
use oc_testkit::peers::{self, MONITRC};
use std::time::Duration;

/// Its tests wait this long for a start, as ours do.
const START_S: u32 = 10;

pub(super) struct Monit;

impl Rival for Monit {
    fn name(&self) -> &'static str {
        "monit"
    }

    fn setup(&self) -> Result<String, String> {
        Ok(format!(
            "{}; cycle 1 s; `/healthz` with status, content and a timeout of 1 s (30 s in R3), total memory; restarts at the first \
             failure; {START_S} s for a start; a stop is TERM to the group, KILL 1 s later",
            version("monit", "-V")?
        ))
    }

    fn command(&self, arena: &Arena) -> Result<Cmd, String> {
        let (port, limits) = (arena.service.port, arena.limits);
        let tests = [
            format!(
                "if failed port {port} protocol http request \"/healthz\" status = 200 content = 'ok.:true' \
                 with timeout {} seconds then restart",
                limits.silence_s
            ),
            format!("if total memory > {} MB then restart", limits.memory_mb),
        ];
        peers::monit(arena.env(), &gateway(arena).join(" "), START_S, &tests)
    }

    fn person(&self, ours: &[&str]) -> Option<String> {
        let say = |words: &str| format!("monit -c $HOME/{MONITRC} {words} svc");
        match ours {
            // It answers before it has done so.
            ["oc-guardian", "stop", ..] => Some(format!(
                "{}; for _ in $(seq 50); do {} | grep -q 'Not monitored$' && break; sleep 0.2; done",
                say("stop"),
                say("-B status")
            )),
            ["oc-guardian", "start", ..] => Some(say("start")),
            ["oc-escalate", "maintenance", "on", ..] => Some(say("unmonitor")),
            ["oc-escalate", "maintenance", "off", ..] => Some(say("monitor")),
            _ => None,
        }
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(u64::from(START_S) + 2)
    }

    fn round(&self) -> Duration {
        Duration::from_secs(1)
    }
}
