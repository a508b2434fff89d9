//! `simulate --trace FILE`: a year of passes through the pure policy in a second. Touches nothing.

use crate::simulate::{Line, Setup, Summary, parse_line, run};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::out;
use oc_core::report::Action;
use oc_core::run::{Answer, Common};
use oc_core::world::World;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

/// The largest trace that is read.
const CAP: u64 = 256 << 20;
/// Printed at most this many bytes at a time.
const CHUNK: usize = 64 << 10;

/// `oc-escalate simulate --trace FILE`.
///
/// # Errors
/// 65 naming the line that is no trace, 74, 77, 78.
pub fn simulate(common: &Common, trace: &Path) -> Result<Answer> {
    let world = World::open("oc-escalate", common, false)?;
    let text = read(trace)?;
    let lines: Vec<Line> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| parse_line(n + 1, line))
        .collect::<Result<_>>()?;
    let setup = Setup {
        policy: world.config.policy.clone(),
        consent: world.config.agent.enabled,
    };
    let silent = common.quiet || common.json;
    let mut shown = Shown::default();
    let summary = run(&setup, &lines, |pass| {
        if silent {
            return;
        }
        let decision = pass.decision;
        // A hold that goes on is one line, not one a pass; so is health.
        let same = matches!(decision.action, Action::None | Action::Hold) && decision.reason == shown.last;
        if !same {
            shown.last.clone_from(&decision.reason);
            let class = decision.class.map_or("healthy", oc_core::class::Class::name);
            shown.line(&format!(
                "{}  {:<8} {:<18} {}\n",
                pass.now.rfc3339(),
                decision.action.name(),
                class,
                decision.reason
            ));
        }
        if pass.settlement.is_some_and(|s| s.closed) {
            shown.line(&format!("{}  closed\n", pass.now.rfc3339()));
        }
    });
    shown.flush();
    Ok(Answer::new("oc.simulation/1", Exit::Good, "simulated", &summary)?.text(totals(&summary)))
}

#[derive(Default)]
struct Shown {
    last: String,
    pending: String,
}

impl Shown {
    fn line(&mut self, line: &str) {
        self.pending.push_str(line);
        if self.pending.len() > CHUNK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Err(fault) = out::answer(&self.pending) {
            out::talk(fault);
        }
        self.pending.clear();
    }
}

fn totals(summary: &Summary) -> String {
    let mut text = String::new();
    let rows = [
        ("passes", summary.passes),
        ("restarts", summary.restarts),
        ("doctor runs", summary.doctors),
        ("agent sessions", summary.agents),
        ("asked a human", summary.humans),
        ("holds", summary.holds),
        ("incidents closed", summary.closed),
        ("notices", summary.notices),
    ];
    for (name, count) in rows {
        // Writing into a String cannot fail.
        let _written = writeln!(text, "{name:<17}{count:>9}");
    }
    text
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().take(CAP).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|f| f.take(CAP).read_to_string(&mut text))
    };
    read.map_err(|e| Fault::io("read the trace in", path, e))?;
    Ok(text)
}
