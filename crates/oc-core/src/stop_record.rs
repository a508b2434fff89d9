//! OpenClaw's own record of a person's `openclaw gateway stop`: a line of `logs/gateway-restart.log` (docs/adr/0008). The manager
//! cannot tell that stop from a bare `systemctl stop`, which may as well be damage.

use crate::clock::{Stamp, parse_rfc3339};
use crate::fsx;
use crate::intent::Stopped;
use crate::paths::Paths;
use serde::Deserialize;
use std::time::Duration;

/// Some tens of the latest lines.
const TAIL: u64 = 8 << 10;
const STATE_CAP: u64 = 16 << 20;
const MARK: &str = "openclaw gateway lifecycle ";

/// The stop that was the last thing told to OpenClaw, if the service did not serve since and the machine was not started since:
/// a boot starts it again. Only of use where the manager says that it is not started.
#[must_use]
pub fn in_force(paths: &Paths) -> Option<Stopped> {
    let log = fsx::tail(&paths.openclaw().join("logs/gateway-restart.log"), TAIL).ok()?;
    let at = last_stop(&String::from_utf8_lossy(&log))?;
    let now = Stamp::now();
    let ago = Duration::from_millis(u64::try_from(now.wall_ms.saturating_sub(at)).ok()?);
    let since = Stamp {
        wall_ms: at,
        boot_ms: now.boot_ms.checked_sub(u64::try_from(ago.as_millis()).ok()?)?,
        ..now
    };
    match served_since(paths) {
        Some(served) if served >= at => None,
        _ => Some(Stopped {
            since,
            by: "`openclaw gateway stop`".to_owned(),
            reason: None,
        }),
    }
}

/// When it was stopped, if that is the last that a person told it. A restart of OpenClaw's own is no person's.
fn last_stop(log: &str) -> Option<i64> {
    let line = log.lines().rfind(|line| line.contains(MARK))?;
    let (at, rest) = line.strip_prefix('[')?.split_once(']')?;
    let word = |wanted: &str| rest.split_whitespace().any(|word| word == wanted);
    (word("source=cli") && word("action=stop")).then(|| parse_rfc3339(at).ok())?
}

/// When the process that served last was first seen to serve.
fn served_since(paths: &Paths) -> Option<i64> {
    #[derive(Deserialize)]
    struct State {
        served: Option<Served>,
    }
    #[derive(Deserialize)]
    struct Served {
        since: Stamp,
    }
    let bytes = fsx::read_capped(&paths.state(), STATE_CAP).ok()??;
    let state: State = serde_json::from_slice(&bytes).ok()?;
    Some(state.served?.since.wall_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from OpenClaw 2026.9.6.
    const STOP: &str = "[2026-11-21T13:48:34.454Z] openclaw gateway lifecycle source=cli action=stop mode=systemctl-stop \
        interactive=0\n";
    const START: &str = "[2026-11-21T13:48:56.414Z] openclaw gateway lifecycle source=cli action=start mode=service-repair \
        interactive=0\n";

    #[test]
    fn the_last_line_of_a_person_counts() {
        assert_eq!(last_stop(STOP), parse_rfc3339("2026-11-21T13:48:34.454Z").ok());
        assert_eq!(last_stop(&format!("{STOP}{START}")), None);
        assert!(last_stop(&format!("{START}{STOP}other output of a helper\n")).is_some());
        for text in [
            "",
            "garbage",
            &STOP.replace("cli", "update"),
            &STOP.replace('[', ""),
            "[x] openclaw gateway lifecycle source=cli action=stop",
        ] {
            assert_eq!(last_stop(text), None, "{text:?}");
        }
    }
}
