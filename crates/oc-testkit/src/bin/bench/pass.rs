//! A pass of scripts/oc-heal that finds everything in order: what a watcher costs while there is nothing to do.

use crate::cost::{self, Cost};
use crate::figures::Figures;
use crate::sheet::Sheet;
use crate::trace::Trace;
use oc_testkit::{Running, TestEnv, bin, free_port, is_ready, scripts, wait_until};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

const RUNS: usize = 60;
/// CPU of the whole tree, milliseconds.
const CPU: f64 = 5.0;
/// Memory of each tool, MiB.
const RSS: f64 = 10.0;
/// By its path, as oc-heal itself is called: a bare name is looked for after a fork of everything.
pub(crate) const NOTHING: &str = "/bin/true";
/// The shell, `oc-escalate run`, the shell again as its command, the probe, the decision.
const PROGRAMS: f64 = 5.0;

pub(crate) fn healthy_pass(sheet: &mut Sheet) {
    sheet.group("a healthy pass of oc-heal");
    let healthy = Healthy::new();
    let env = &healthy.env;
    let mut heal = env.std_command(scripts().join("oc-heal"));
    let Some(costs) = cost::many(RUNS, &mut heal).filter(|costs| costs.iter().all(|cost| cost.status.success())) else {
        return sheet.absent("oc-heal", "it did not exit 0");
    };
    sheet.row("CPU, the whole tree", "ms", cost::cpu(&costs), None, Some(CPU));
    sheet.row("wall", "ms", cost::wall(&costs), None, None);
    match Trace::of(env, &[scripts().join("oc-heal").as_os_str()]) {
        Some(trace) => {
            let one = |value| Figures::of(vec![value]);
            let (own, others): (Vec<&str>, Vec<&str>) = trace.programs().partition(|program| is_own(program));
            sheet.row(
                "programs executed: sh and our own",
                "",
                one(count(&own)),
                None,
                Some(PROGRAMS),
            );
            sheet.row("programs executed: any other", "", one(count(&others)), None, Some(0.0));
            sheet.row("system calls", "", one(trace.calls()), None, None);
            sheet.row("/proc listed", "", one(trace.proc_scans()), None, Some(0.0));
        }
        None => sheet.absent("programs executed", "there is no strace, or it may not trace"),
    }
    // Each tool alone, as the pass runs it.
    let report = healthy.report.display().to_string();
    for words in [
        &["oc-escalate", "run", "--", NOTHING][..],
        &["oc-probe", "--json"],
        &["oc-escalate", "decide", "--json", "--probe", &report],
    ] {
        let name = words.iter().filter(|word| **word != report).copied();
        let name = name.collect::<Vec<_>>().join(" ");
        let mut command = env.std_command(bin(words[0]));
        command.args(&words[1..]);
        if let Some(costs) = cost::many(RUNS, &mut command) {
            tool(sheet, &name, &costs);
        }
    }
}

fn tool(sheet: &mut Sheet, name: &str, costs: &[Cost]) {
    sheet.row(&format!("{name}: CPU"), "ms", cost::cpu(costs), None, None);
    let memory = cost::rss_mib(costs);
    sheet.row(&format!("{name}: memory"), "MiB", memory, None, Some(RSS));
}

fn is_own(program: &str) -> bool {
    let name = Path::new(program)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    name == "sh" || name.starts_with("oc-")
}

fn count(programs: &[&str]) -> f64 {
    u32::try_from(programs.len()).map_or(f64::INFINITY, f64::from)
}

/// The stand-in under `oc-guardian supervise`, ready, and found healthy by one pass already.
pub(crate) struct Healthy {
    _supervisor: Running,
    pub(crate) env: TestEnv,
    pub(crate) port: u16,
    /// What a probe says about it.
    pub(crate) report: PathBuf,
}

impl Healthy {
    pub(crate) fn new() -> Self {
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
        let words = ["supervise", "--no-heal", "--", &program, "gateway", "run", "--port"];
        let supervisor = env.cmd("oc-guardian").args(words).arg(port.to_string()).spawn();
        let patience = Duration::from_secs(20);
        wait_until("the stand-in is ready", patience, || is_ready(port));
        wait_until("a pass finds it healthy", patience, || {
            env.foreign(scripts().join("oc-heal")).run().code == 0
        });
        let report = env.cmd("oc-probe").arg("--json").run();
        let report = env.write("probe.json", report.stdout);
        Self {
            _supervisor: supervisor,
            env,
            port,
            report,
        }
    }
}
