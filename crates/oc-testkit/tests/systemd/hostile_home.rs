//! Jobs of a person whose HOME is as hard to quote as can be, read by the real systemd and the real crontab(1).

use crate::rig::{CEILING, TIMER};
use oc_testkit::user_manager::{UserManager, inside};
use oc_testkit::{TestEnv, wait_until};

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn a_home_with_spaces_quotes_dollars_percents_and_umlauts() {
    if !inside() {
        return;
    }
    let mut env = TestEnv::new();
    let home = env.path("Jörg O'N & \"x\" $100% <y>");
    std::fs::create_dir(&home).unwrap();
    env.set("HOME", home.display());
    env.unset("OC_STATE_DIR");
    // The programs lie there as well: systemd is stricter with those than with arguments.
    let bin = home.join("bin");
    std::fs::create_dir(&bin).unwrap();
    for tool in ["oc-guardian", "oc-escalate", "oc-probe", "oc-doctor", "oc-notify"] {
        std::fs::hard_link(oc_testkit::bin(tool), bin.join(tool))
            .or_else(|_| std::fs::copy(oc_testkit::bin(tool), bin.join(tool)).map(drop))
            .unwrap();
    }
    std::fs::copy(oc_testkit::scripts().join("oc-heal"), bin.join("oc-heal")).unwrap();
    env.set("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    let manager = UserManager::start(&mut env);
    let guardian = |args: &[&str]| env.foreign(bin.join("oc-guardian")).args(args).run().expect_code(0);
    guardian(&["install", "--interval", "1s"]);
    let pass = home.join(".openclaw/watchdog/run/run.json");
    wait_until("a pass by the timer", CEILING, || pass.exists());
    assert!(
        manager
            .ask(&env, &["cat", "openclaw-watchdog.service"])
            .contains("/usr/bin/env")
    );
    let lines = env.foreign("crontab").arg("-l").run().expect_code(0).stdout;
    assert!(lines.contains("ensure"), "{lines}");
    assert!(guardian(&["install"]).stdout.contains("nothing changed"));
    guardian(&["uninstall", "--deadline", "60s"]);
    assert!(!home.join(".config").exists());
    let lines = env.foreign("crontab").arg("-l").run().stdout;
    assert!(!lines.contains("oc-guardian"), "{lines}");
    assert!(
        manager
            .ask(&env, &["show", "-p", "LoadState", TIMER])
            .contains("not-found")
    );
}
