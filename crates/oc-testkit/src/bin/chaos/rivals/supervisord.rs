//! supervisord, with the two listeners of superlance that look at what it runs.

use super::{Rival, gateway, version};
use crate::arena::Arena;
use oc_testkit::Cmd;
use oc_testkit::peers::{self, SUPERVISORD_CONF, installed};
use std::time::Duration;

/// A start that lives this long has succeeded; until then httpok leaves it alone.
const START_S: u64 = 10;

pub(super) struct Supervisord;

impl Rival for Supervisord {
    fn name(&self) -> &'static str {
        "supervisord + httpok"
    }

    fn setup(&self) -> Result<String, String> {
        let version = version("supervisord", "--version")?;
        for listener in ["httpok", "memmon"] {
            installed(listener).map_err(|why| format!("{why} (PyPI: superlance)"))?;
        }
        Ok(format!(
            "{version}; httpok every 5 s (`TICK_5`, the shortest) with status and a timeout of 1 s (30 s in R3), memmon -c as often; \
             no body check (`-b`), which ends httpok of superlance 2.0.0 with a TypeError on Python 3; autorestart, startsecs {START_S}, startretries 100, stopwaitsecs 1, stop and kill as group"
        ))
    }

    fn command(&self, arena: &Arena) -> Result<Cmd, String> {
        let (port, limits) = (arena.service.port, arena.limits);
        let listener = |name: &str, arguments: &str| -> Result<String, String> {
            let program = installed(name)?;
            // Without a limit, an answer that never ends fills the machine's memory.
            Ok(format!(
                "[eventlistener:{name}]\ncommand=sh -c \"ulimit -v 1000000; exec {} {arguments}\"\nevents=TICK_5\nautorestart=true",
                program.display()
            ))
        };
        let settings = [
            format!(
                "startsecs={START_S}\nstartretries=100\nstopwaitsecs=1\nstopasgroup=true\nkillasgroup=true\nstdout_logfile=NONE\n\
                 stderr_logfile=NONE"
            ),
            listener(
                "httpok",
                &format!("-p svc -t {} -c 200 http://127.0.0.1:{port}/healthz", limits.silence_s),
            )?,
            listener("memmon", &format!("-c -p svc={}MB", limits.memory_mb))?,
        ];
        peers::supervisord(arena.env(), &gateway(arena).join(" "), &settings)
    }

    fn person(&self, ours: &[&str]) -> Option<String> {
        let say = |words: &str| Some(format!("supervisorctl -c $HOME/{SUPERVISORD_CONF} {words}"));
        match ours {
            ["oc-guardian", "stop", ..] => say("stop svc"),
            ["oc-guardian", "start", ..] => say("start svc"),
            ["oc-escalate", "maintenance", "on", ..] => say("stop httpok"),
            ["oc-escalate", "maintenance", "off", ..] => say("start httpok"),
            _ => None,
        }
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(START_S + 1)
    }

    fn round(&self) -> Duration {
        Duration::from_secs(5)
    }
}
