//! A pass of scripts/oc-heal that finds everything in order: what a watcher costs while there is nothing to do.

use crate::cost::{self, Cost};
use crate::figures::Figures;
use crate::sheet::Sheet;
use oc_testkit::{Running, TestEnv, bin, free_port, is_ready, scripts, wait_until};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

const RUNS: usize = 60;
/// CPU of the whole tree, milliseconds.
const CPU: f64 = 5.0;
/// Memory of each tool, MiB.
const RSS: f64 = 10.0;

pub(crate) fn healthy_pass(sheet: &mut Sheet) {
    let group = "a healthy pass of oc-heal";
    let (env, _supervisor) = serving();
    sheet.group(group);
    let mut heal = env.std_command(scripts().join("oc-heal"));
    let Some(costs) = cost::many(RUNS, &mut heal).filter(|costs| costs.iter().all(|cost| cost.status.success())) else {
        return sheet.absent(group, "it did not exit 0");
    };
    sheet.row(group, "CPU, the whole tree", "ms", cost::cpu(&costs), None, Some(CPU));
    sheet.row(group, "wall", "ms", cost::wall(&costs), None, None);
    match executed(&env) {
        Some(count) => {
            sheet.row(group, "programs executed", "", Figures::of(vec![count]), None, None);
        }
        None => sheet.absent("programs executed", "strace is missing"),
    }
    // Each tool alone, as the pass runs it.
    let probe = env.home().join("probe.json").display().to_string();
    let report = env.cmd("oc-probe").arg("--json").run();
    env.write("probe.json", report.stdout);
    for words in [
        &["oc-escalate", "run", "--", "true"][..],
        &["oc-probe", "--json"],
        &["oc-escalate", "decide", "--json", "--probe", &probe],
    ] {
        let name = words
            .iter()
            .filter(|word| !word.contains('/'))
            .copied()
            .collect::<Vec<_>>()
            .join(" ");
        let mut command = env.std_command(bin(words[0]));
        command.args(&words[1..]);
        if let Some(costs) = cost::many(RUNS, &mut command) {
            tool(sheet, group, &name, &costs);
        }
    }
}

fn tool(sheet: &mut Sheet, group: &str, name: &str, costs: &[Cost]) {
    sheet.row(group, &format!("{name}: CPU"), "ms", cost::cpu(costs), None, None);
    sheet.row(
        group,
        &format!("{name}: memory"),
        "MiB",
        cost::rss_mib(costs),
        None,
        Some(RSS),
    );
}

/// The stand-in under `oc-guardian supervise`, ready, and found healthy by one pass already.
fn serving() -> (TestEnv, Running) {
    let env = TestEnv::new();
    let port = free_port();
    let gateway =
        json!({"mode": "local", "port": port, "bind": "loopback", "auth": {"mode": "token", "token": "bench"}});
    env.write(".openclaw/openclaw.json", json!({"gateway": gateway}).to_string());
    env.write(
        ".openclaw/.env",
        "DISCORD_WEBHOOK_URL=https://discord.example/api/webhooks/1/x\n",
    );
    env.oc_config(&json!({"service": {"supervise": {"ready_poll": "10ms"}}}));
    let program = bin("stand-in-gateway").display().to_string();
    let port_word = port.to_string();
    let words = [
        "supervise",
        "--no-heal",
        "--",
        &program,
        "gateway",
        "run",
        "--port",
        &port_word,
    ];
    let supervisor = env.cmd("oc-guardian").args(words).spawn();
    let patience = Duration::from_secs(20);
    wait_until("the stand-in is ready", patience, || is_ready(port));
    wait_until("a pass finds it healthy", patience, || {
        env.foreign(scripts().join("oc-heal")).run().code == 0
    });
    (env, supervisor)
}

/// Counted by strace, where there is one.
fn executed(env: &TestEnv) -> Option<f64> {
    let log = env.path("strace.txt");
    let mut command: Command = env.std_command("strace");
    command.args(["-f", "-qq", "-e", "trace=execve", "-e", "status=successful", "-o"]);
    command.arg(&log).arg(scripts().join("oc-heal"));
    if !cost::once(&mut command).ok()?.status.success() {
        return None;
    }
    let text = std::fs::read_to_string(log).ok()?;
    let count = text.lines().filter(|line| line.contains("execve(")).count();
    u32::try_from(count).ok().map(f64::from)
}
