//! The unit that the real `openclaw gateway install` writes, under a whole systemd of its own.

use oc_testkit::user_manager::{UserManager, inside_booted, live_in};
use oc_testkit::{Output, TestEnv, free_port, is_ready, wait_until};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};

const UNIT: &str = "openclaw-gateway.service";
/// A boot of the real gateway on a busy machine.
const BOOT: Duration = Duration::from_secs(180);

struct Real {
    manager: UserManager,
    env: TestEnv,
    port: u16,
}

impl Real {
    fn installed() -> Self {
        let openclaw = oc_testkit::real::openclaw().expect("OC_REAL_OPENCLAW");
        let mut env = TestEnv::new();
        live_in(&env);
        let port = free_port();
        let config = format!(
            "{{\n  // mine\n  gateway: {{\n    mode: 'local',\n    port: {port},\n    bind: 'loopback',\n    \
             auth: {{ mode: 'token', token: 'tok' }},\n  }},\n}}\n"
        );
        env.write(".openclaw/openclaw.json", config);
        let package = openclaw
            .parent()
            .and_then(Path::parent)
            .expect("node_modules")
            .join("openclaw");
        env.oc_config(&json!({
            "service": {"package_dir": package},
            "policy": {"hold": {"manager": "0s"}, "healthy": {"stable": "1s", "stable_same_process": "2s"}},
        }));
        oc_testkit::real::equip(&mut env, &openclaw);
        let manager = UserManager::start(&mut env);
        let real = Self { manager, env, port };
        real.openclaw(&["gateway", "install", "--port", &port.to_string()]);
        real.wait_serving();
        real
    }

    fn openclaw(&self, words: &[&str]) -> Output {
        oc_testkit::real::typed(&self.env, words).timeout(BOOT).run()
    }

    fn guardian(&self, words: &[&str]) -> Output {
        self.env.cmd("oc-guardian").args(words).timeout(BOOT).run()
    }

    fn shown(&self, property: &str) -> String {
        let args = ["show", "--value", "-p", property, UNIT];
        self.manager.ask(&self.env, &args).trim().to_owned()
    }

    fn serving(&self) -> bool {
        is_ready(self.port)
    }

    #[track_caller]
    fn wait_serving(&self) {
        wait_until("the real gateway serving", BOOT, || self.serving());
    }
}

#[test]
#[ignore = "needs root, systemd and the real gateway; make e2e"]
fn the_real_unit_survives_a_deleted_mode_and_the_nuclear_option_and_its_own_stop_is_a_persons() {
    if !inside_booted(Duration::from_secs(500)) {
        return;
    }
    let real = Real::installed();
    real.guardian(&["install", "--interval", "30s", "--no-cron"])
        .expect_code(0);
    wait_until("a closed look", BOOT, || {
        real.env.foreign("oc-heal").timeout(BOOT).run().code == 0
    });
    real.env.cmd("oc-doctor").arg("snapshot").run().expect_code(0);
    let good = std::fs::read_to_string(real.env.config_path()).unwrap();

    // The case that the original could not heal: deleted live, accepted by the hot reload, and the unit is parked with 78.
    let broken: String = good
        .lines()
        .filter(|line| !line.contains("mode: 'local'"))
        .map(|l| format!("{l}\n"))
        .collect();
    assert_ne!(broken, good);
    let fault = Instant::now();
    std::fs::write(real.env.config_path(), broken).unwrap();
    wait_until("the end of the gateway", BOOT, || !real.serving());
    let down = fault.elapsed();
    real.wait_serving();
    println!(
        "gateway.mode deleted live under systemd: down after {:.1} s, serving after {:.1} s",
        down.as_secs_f64(),
        fault.elapsed().as_secs_f64()
    );
    let healed = std::fs::read_to_string(real.env.config_path()).unwrap();
    assert!(healed.contains("// mine") && healed.contains("mode:"), "{healed}");

    // Both jobs, all definitions and the configuration at once.
    wait_until("a quiet moment", BOOT, || {
        real.env.foreign("oc-heal").timeout(BOOT).run().code == 0
    });
    real.manager.tell(
        &real.env,
        &[
            "disable",
            "--now",
            "openclaw-watchdog.timer",
            "openclaw-guardian.timer",
            UNIT,
        ],
    );
    std::fs::remove_dir_all(real.env.path(".config/systemd/user")).unwrap();
    std::fs::remove_file(real.env.config_path()).unwrap();
    real.manager.tell(&real.env, &["daemon-reload"]);
    let nuked = Instant::now();
    let out = real.guardian(&["ensure"]);
    assert_eq!(out.code, 1, "{} {}", out.stdout, out.stderr);
    real.wait_serving();
    println!(
        "nuclear option, the real unit: serving {:.1} s after the guardian came",
        nuked.elapsed().as_secs_f64()
    );
    assert_eq!(real.shown("UnitFileState"), "enabled");

    // Stopped with OpenClaw's own command: a person's will, until the same person starts it.
    wait_until("a quiet moment", BOOT, || {
        real.env.foreign("oc-heal").timeout(BOOT).run().code == 0
    });
    real.openclaw(&["gateway", "stop", "--force", "--json"]);
    wait_until("the stop", BOOT, || !real.serving());
    real.env.foreign("oc-heal").timeout(BOOT).run().expect_code(0);
    real.guardian(&["ensure"]).expect_code(0);
    assert!(!real.serving());
    real.openclaw(&["gateway", "start", "--json"]);
    real.wait_serving();
}
