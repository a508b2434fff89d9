//! Level 0 itself.

use super::{Field, SCENARIO, Scenario, words};
use oc_testkit::{Running, Signal};

pub(crate) const LIFE: Scenario = Scenario {
    name: "supervise",
    what: "the supervisor starts the gateway, restarts it after a crash, and is told to end",
    command: |field| {
        let words = field.supervise();
        let mut all = vec!["oc-guardian"];
        all.extend(words.iter().map(String::as_str));
        self::words(&all)
    },
    beside: |field, running| {
        let supervisor = running.pid();
        if served(field, running, None) {
            let first = field.service.pid();
            first.into_iter().for_each(|pid| field.env().signal(pid, Signal::KILL));
            if served(field, running, first) {
                for child in oc_testkit::process::children(supervisor) {
                    field.env().signal(child, Signal::TERM);
                }
            }
        }
        Field::wait_end(running);
    },
    recover: |field| {
        // cron puts back what was killed; what was told to end, or never came to be, a person starts.
        field.call(&["oc-guardian", "ensure"]);
        if !field.service.is_ready() && field.call(&["oc-guardian", "start"]).code != 0 {
            field.start();
        }
        field.ensure_until_well();
    },
    verify: |field| field.one_gateway(4),
    ..SCENARIO
};

/// Waits until another process than `other` serves; false: the supervisor has ended.
fn served(field: &Field, running: &mut Running, other: Option<u32>) -> bool {
    oc_testkit::wait_for("it serves, or was killed", super::super::field::PATIENCE, || {
        if running.try_wait().is_some() {
            return Some(false);
        }
        let another = field.service.pid().is_some_and(|pid| Some(pid) != other);
        (another && field.phase() == "up" && field.service.is_ready()).then_some(true)
    })
}
