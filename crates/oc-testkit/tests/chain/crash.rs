//! kill -9 of any tool at any step: the next pass goes on.

use crate::stage::Stage;

/// A tool that dies in the middle of its first call (before the real work, or after it) and is itself from then on.
fn dying(stage: &Stage, tool: &str, when: &str, verb: &str) {
    let real = oc_testkit::bin(tool);
    let mark = stage.env.path("died");
    let (before, after) = match when {
        "before" => ("kill -9 $$", ""),
        _ => ("", "kill -9 $$"),
    };
    let script = format!(
        "if [ \"$1\" = {verb} ] || [ {verb} = any ]; then if [ ! -e {mark} ]; then : >{mark}; {before}\n{real} \"$@\"; {after}\nfi; fi\nexec {real} \"$@\"",
        mark = mark.display(),
        real = real.display()
    );
    stage.env.stub(tool, &script);
}

fn a_hang_heals_although(tool: &str, when: &str, verb: &str) {
    let stage = Stage::serving();
    dying(&stage, tool, when, verb);
    let heal = stage.install();
    stage.hang();
    for _ in 0..60 {
        let out = stage
            .env
            .foreign(&heal)
            .timeout(std::time::Duration::from_secs(60))
            .run();
        if out.code == 0 && stage.env.path("died").exists() {
            break;
        }
    }
    assert!(stage.env.path("died").exists(), "{tool} {verb} was never called");
    stage.wait_ready();
    assert!(stage.attempts().len() <= 3, "no storm: {:?}", stage.attempts());
    let journal = stage.journal();
    assert_eq!(
        journal.iter().filter(|e| e["kind"] == "incident_opened").count(),
        1,
        "no lost, no double incident"
    );
    stage.heal_until_well();
    assert_eq!(stage.events("incident_closed").len(), 1);
}

#[test]
fn invariant_4_a_killed_probe() {
    a_hang_heals_although("oc-probe", "before", "any");
}

#[test]
fn invariant_4_a_decision_killed_before_and_after_it_is_written() {
    a_hang_heals_although("oc-escalate", "before", "decide");
    a_hang_heals_although("oc-escalate", "after", "decide");
}

#[test]
fn invariant_4_an_action_killed_before_and_after_it_is_made() {
    a_hang_heals_although("oc-guardian", "before", "apply");
    a_hang_heals_although("oc-guardian", "after", "apply");
}

#[test]
fn invariant_4_a_settlement_killed_before_and_after_it_is_written() {
    a_hang_heals_although("oc-escalate", "before", "settle");
    a_hang_heals_although("oc-escalate", "after", "settle");
}

#[test]
fn invariant_4_the_whole_pass_killed_is_closed_by_the_next() {
    let stage = Stage::serving();
    let (mut holder, command) = stage.holding();
    holder.signal(oc_testkit::Signal::KILL);
    rustix::process::kill_process(command, oc_testkit::Signal::KILL).unwrap();
    stage.heal_until_well();
    assert_eq!(stage.events("pass_abandoned").len(), 1);
    stage.heal_until_well();
    assert_eq!(stage.events("pass_abandoned").len(), 1, "once");
}
