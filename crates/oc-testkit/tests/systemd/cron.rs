//! Real cron: its bare environment, and the entry that is put back.

use crate::rig::{CEILING, Rig, TIMER, UNIT};
use oc_testkit::user_manager::inside;
use oc_testkit::wait_until;
use std::time::{Duration, Instant};

/// cron looks once a minute.
const MINUTES: Duration = Duration::from_secs(150);

fn crontab(rig: &Rig) -> String {
    rig.env.foreign("crontab").arg("-l").run().stdout
}

#[test]
#[ignore = "needs root, systemd and cron; make e2e"]
fn cron_puts_everything_back_from_its_bare_environment_and_the_watchdog_puts_cron_back() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    let mine = "MAILTO=\"\"\n# mine\n5 4 * * * /bin/true 100\\%\n";
    rig.env.foreign("crontab").arg("-").stdin(mine).run().expect_code(0);
    rig.guardian(&["install", "--interval", "1h"]).expect_code(0);
    let installed = crontab(&rig);
    assert!(
        installed.starts_with(mine) && installed.contains("oc-guardian"),
        "{installed}"
    );
    wait_until("the first passes", CEILING, || rig.heal().code == 0);
    rig.env.cmd("oc-doctor").args(["snapshot"]).run().expect_code(0);

    // The entry is lost: the next healthy pass of the watchdog brings it back.
    rig.env.foreign("crontab").arg("-").stdin(mine).run().expect_code(0);
    drop(std::fs::remove_file(rig.env.watchdog().join("upkeep")));
    rig.heal().expect_code(0);
    assert_eq!(crontab(&rig), installed);

    // Everything else is lost: cron brings it back. Every minute instead of every third, for the sake of this test.
    let often = installed.replace("*/3 * * * *", "* * * * *");
    assert_ne!(often, installed);
    rig.env.foreign("crontab").arg("-").stdin(often).run().expect_code(0);
    let _cron = rig.env.foreign("/usr/sbin/cron").arg("-f").spawn();
    rig.systemctl(&["disable", "--now", TIMER, UNIT]);
    for unit in [TIMER, UNIT] {
        std::fs::remove_file(rig.env.path(".config/systemd/user").join(unit)).unwrap();
    }
    std::fs::remove_file(rig.env.config_path()).unwrap();
    rig.systemctl(&["daemon-reload"]);
    rig.wait_down();
    let began = Instant::now();
    wait_until("cron, and the gateway with it", MINUTES, || rig.serving());
    println!(
        "nuclear option to serving by cron, every minute: {:.0} s",
        began.elapsed().as_secs_f64()
    );
    wait_until("the timer", CEILING, || rig.shown(TIMER, "ActiveState") == "active");
}
