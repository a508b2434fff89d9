//! One look at a sound configuration: ours, and what the gateway itself offers for that.

use crate::cost;
use crate::sheet::Sheet;
use oc_testkit::{TestEnv, bin, free_port, wait_until};
use std::path::PathBuf;
use std::time::Duration;

const RUNS: usize = 60;
/// A node process for seconds each.
const THEIRS: usize = 3;

pub(crate) fn configuration(sheet: &mut Sheet) {
    sheet.group("is the configuration sound?");
    let mut env = TestEnv::new();
    let port = free_port();
    env.set("OPENCLAW_GATEWAY_PORT", port);
    let config = format!("{{ gateway: {{ mode: 'local', port: {port}, bind: 'loopback' }} }}");
    let config = env.write(".openclaw/openclaw.json", config);
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    if std::fs::set_permissions(config, private).is_err() {
        return sheet.absent("oc-doctor check", "its configuration cannot be made private");
    }
    let _server = env.cmd("bench-serve").arg(port.to_string()).spawn();
    wait_until("the server answers", Duration::from_secs(10), || {
        crate::recovery::pid_at(port).is_some()
    });
    let openclaw = on_path("openclaw");
    if let Some(dir) = openclaw.as_ref().and_then(|program| program.parent()) {
        env.set(
            "PATH",
            format!("{}:{}:/usr/bin:/bin", env.path("bin").display(), dir.display()),
        );
        // Takes the schema of the installed version, as the first healthy pass does.
        let probed = env.cmd("oc-probe").arg("--json").run();
        let report = env.write("probe.json", probed.stdout).display().to_string();
        env.cmd("oc-doctor")
            .args(["snapshot", "--auto", "--probe", &report])
            .timeout(Duration::from_secs(60))
            .run();
    }
    let mut base = (None, None);
    let theirs = openclaw
        .as_ref()
        .map(|program| (program.clone(), &["config", "validate", "--json"][..], THEIRS));
    let ours = (bin("oc-doctor"), &["check"][..], RUNS);
    for (program, args, runs) in std::iter::once(ours).chain(theirs) {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{name} {}", args.join(" "));
        let mut command = env.std_command(&program);
        command.args(args);
        let Some(costs) = cost::many(runs, &mut command).filter(|costs| costs.iter().all(|cost| cost.status.success()))
        else {
            sheet.absent(&name, "it failed");
            continue;
        };
        let wall = sheet.row(&format!("{name}: wall"), "ms", cost::wall(&costs), base.0, None);
        let cpu = sheet.row(&format!("{name}: CPU"), "ms", cost::cpu(&costs), base.1, None);
        sheet.row(&format!("{name}: memory"), "MiB", cost::rss_mib(&costs), None, None);
        base = (base.0.or(wall), base.1.or(cpu));
    }
    if openclaw.is_none() {
        sheet.absent("openclaw config validate", "no openclaw is on PATH");
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}
