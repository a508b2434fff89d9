//! One liveness probe: ours, the least that a program can do, and curl, all of the same server.

use crate::cost;
use crate::figures::Figures;
use crate::sheet::Sheet;
use crate::trace::Trace;
use oc_testkit::{TestEnv, bin, free_port, wait_until};
use std::ffi::OsStr;
use std::time::Duration;

const RUNS: usize = 200;
/// Ours over the least.
const RATIO: f64 = 2.0;

pub(crate) fn one_probe(sheet: &mut Sheet) {
    sheet.group("one liveness probe");
    let mut env = TestEnv::new();
    let port = free_port();
    env.set("OPENCLAW_GATEWAY_PORT", port);
    env.write(".openclaw/openclaw.json", r#"{"gateway":{"mode":"local"}}"#);
    let _server = env.cmd("bench-serve").arg(port.to_string()).spawn();
    wait_until("the server answers", Duration::from_secs(10), || {
        crate::recovery::pid_at(port).is_some()
    });
    let url = format!("http://127.0.0.1:{port}/healthz");
    let port = port.to_string();
    if let Some(trace) = Trace::of(
        &env,
        &[bin("oc-probe").as_os_str(), "--checks".as_ref(), "liveness".as_ref()],
    ) {
        let one = |value| Figures::of(vec![value]);
        let name = "oc-probe --checks liveness: system calls";
        sheet.row(name, "", one(trace.calls()), None, None);
        let name = "oc-probe --checks liveness: files of /proc";
        sheet.row(name, "", one(trace.proc_files()), None, None);
        let name = "oc-probe --checks liveness: /proc listed";
        sheet.row(name, "", one(trace.proc_scans()), None, Some(0.0));
    } else {
        sheet.absent("system calls", "there is no strace, or it may not trace");
    }
    let command = |program: &OsStr, args: &[&str]| {
        let mut command = env.std_command(program);
        command.args(args);
        command
    };
    let pair = cost::in_turn(
        RUNS,
        &mut [
            command(bin("bench-get").as_os_str(), &[&port]),
            command(bin("oc-probe").as_os_str(), &["--checks", "liveness", "--quiet"]),
        ],
    );
    let (least, ours) = pair.map_or((None, None), |[least, ours]| (Some(least), Some(ours)));
    // By itself: after a program of its size the next one finds nothing in the caches.
    let curl = cost::many(RUNS, &mut command("curl".as_ref(), &["-fsS", "-o", "/dev/null", &url]));
    let mut base = (None, None);
    for (name, costs, limit) in [
        ("the least: a static program, one GET", least, None),
        ("oc-probe --checks liveness --quiet", ours, Some(RATIO)),
        ("curl -fsS -o /dev/null", curl, None),
    ] {
        let Some(costs) = costs.filter(|costs| costs.iter().all(|cost| cost.status.success())) else {
            sheet.absent(name, "it is missing or failed");
            continue;
        };
        let target = base.0.zip(limit).map(|(base, limit)| base * limit);
        let wall = sheet.row(&format!("{name}: wall"), "ms", cost::wall(&costs), base.0, target);
        let cpu = sheet.row(&format!("{name}: CPU"), "ms", cost::cpu(&costs), base.1, None);
        base = (base.0.or(wall), base.1.or(cpu));
    }
}
