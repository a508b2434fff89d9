//! Level 3: from the agent's last word to a plan that can be applied.

use crate::figures::{Figures, ms};
use crate::sheet::Sheet;
use oc_testkit::{TestEnv, bin};
use serde_json::json;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 5;
/// Milliseconds.
const NOTICED: f64 = 1000.0;
const PATIENCE: Duration = Duration::from_secs(30);
/// The comma after "local" is missing.
const BROKEN: &str = "{\n  \"gateway\": {\n    \"mode\": \"local\"\n    \"port\": 1\n  }\n}\n";

pub(crate) fn end_of_work(sheet: &mut Sheet) {
    sheet.group("from the agent's last word to its plan (stand-in agent)");
    for driver in ["tmux", "headless"] {
        let missing = driver == "tmux"
            && Command::new("tmux")
                .arg("-V")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_err();
        if missing {
            sheet.absent(driver, "it is not installed");
            continue;
        }
        let times: Option<Vec<f64>> = (0..RUNS).map(|_| session(driver)).collect();
        let name = format!("oc-claude-pty run --driver {driver}");
        sheet.row(&name, "ms", times.and_then(Figures::of), None, Some(NOTICED));
    }
}

fn session(driver: &str) -> Option<f64> {
    let mut env = TestEnv::new();
    env.set("ANTHROPIC_API_KEY", "sk-ant-none");
    env.write(".openclaw/openclaw.json", BROKEN);
    env.oc_config(&json!({"agent": {"enabled": true}}));
    let work = json!({"acts": [
        {"say": "A comma is missing."},
        {"replace": {"path": "{{dir}}/work/openclaw.json", "from": "\"local\"\n", "to": "\"local\",\n"}},
        {"say": "The comma after local was missing."},
    ]});
    let script = env.write("agent.json", work.to_string());
    let record = env.path("record.jsonl");
    let agent = bin("stand-in-agent");
    let (agent, script) = (agent.display(), script.display());
    env.stub(
        "claude",
        &format!(
            "exec '{agent}' --script '{script}' --record '{}' \"$@\"",
            record.display()
        ),
    );
    let incident = env.watchdog().join("incidents/bench");
    std::fs::create_dir_all(&incident).ok()?;
    let run = env
        .cmd("oc-claude-pty")
        .args(["run", "--json", "--driver", driver, "--incident"]);
    let run = run.arg(&incident).timeout(PATIENCE).spawn();
    let begun = Instant::now();
    while !std::fs::read_to_string(&record).is_ok_and(|text| text.contains(r#""event":"stop""#)) {
        if begun.elapsed() > PATIENCE {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let stopped = Instant::now();
    let code = run.wait(PATIENCE).code;
    (code == 0).then(|| ms(stopped.elapsed()))
}
