//! The bash predecessor, from a checkout of its own: its watchdog beside the stand-in for launchd, which it is written for.

use super::{Rival, gateway};
use crate::arena::Arena;
use oc_testkit::launchd::Launchd;
use oc_testkit::{Cmd, bin};
use std::path::{Path, PathBuf};
use std::time::Duration;

const LABEL: &str = "ai.openclaw.gateway";
const WATCHDOG: &str = "scripts/gateway-watchdog.sh";

/// `None`: nobody said where it is.
pub(super) struct Predecessor(Option<PathBuf>);

impl Predecessor {
    pub(super) fn of(checkout: Option<&Path>) -> Self {
        Self(checkout.map(Path::to_owned))
    }

    fn watchdog(&self) -> Result<String, String> {
        let checkout = self.0.as_ref().ok_or("no checkout given (--predecessor DIR)")?;
        let file = checkout.join(WATCHDOG);
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
    }
}

impl Rival for Predecessor {
    fn name(&self) -> &'static str {
        "predecessor"
    }

    fn setup(&self) -> Result<String, String> {
        let text = self.watchdog()?;
        // Its version is in its second line, after the `v`.
        let title = text.lines().nth(1).unwrap_or_default();
        let version = title.split(' ').find(|word| word.starts_with('v')).unwrap_or("?");
        Ok(format!(
            "watchdog {version}, run every second (its own schedule: every 180 s, so that what it heals takes up to 180 s longer and \
             short faults are rarely met); the stand-in for launchd, KeepAlive, ThrottleInterval 1; GNU stat dressed as the BSD one \
             and its lock moved from /tmp into HOME. Not asked: its health check (300 s) and its AI stage (30 min), which are beyond \
             the ceiling"
        ))
    }

    fn command(&self, arena: &Arena) -> Result<Cmd, String> {
        let (env, home) = (arena.env(), arena.env().home().display());
        let text = self
            .watchdog()?
            .replace("/tmp/openclaw-", &format!("{home}/tmp/openclaw-"));
        let watchdog = env.write("watchdog.sh", text);
        env.stub(
            "stat",
            "[ \"$1\" != -f ] || { shift 2; set -- -c %Y \"$@\"; }\nexec /usr/bin/stat \"$@\"",
        );
        let launchctl = bin("stand-in-launchctl").display().to_string();
        env.stub("launchctl", &format!("exec {launchctl} \"$@\""));
        let throttle = "<key>ThrottleInterval</key><integer>1</integer>";
        let plist = Launchd::of(env).agent(LABEL, &gateway(arena), throttle);
        let (domain, plist, watchdog) = (Launchd::domain(), plist.display(), watchdog.display());
        let script =
            format!("launchctl bootstrap {domain} {plist}\nwhile :; do bash {watchdog} >/dev/null 2>&1; sleep 1; done");
        let shell = env.foreign("sh").arg("-c").arg(script);
        Ok(shell.env("OPENCLAW_GATEWAY_PORT", arena.service.port))
    }

    fn person(&self, ours: &[&str]) -> Option<String> {
        let (domain, target) = (Launchd::domain(), Launchd::target(LABEL));
        match ours {
            ["oc-guardian", "stop", ..] => Some(format!("launchctl bootout {target}")),
            ["oc-guardian", "start", ..] => Some(format!(
                "launchctl bootstrap {domain} $HOME/Library/LaunchAgents/{LABEL}.plist"
            )),
            _ => None,
        }
    }

    fn grace(&self) -> Duration {
        Duration::from_secs(3)
    }

    /// A second of rest, and a look, which waits up to five for an answer and two for what it registered.
    fn round(&self) -> Duration {
        Duration::from_secs(5)
    }

    fn exempt(&self, id: &str) -> Option<&'static str> {
        (id == "P8").then_some("launchd keeps it, and does not die alone")
    }
}
