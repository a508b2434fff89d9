//! scripts/oc-heal, row by row: stub tools that exit with chosen codes, and what the script then does and exits with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_testkit::{Output, TestEnv};
use std::path::Path;

/// A stub that writes down how it was called and exits as the file `NAME.STEP` (or `NAME`) in `codes` says.
const STUB: &str = r#"
name=${0##*/}
case $name:$1 in oc-escalate:run)
    while [ "$1" != -- ]; do shift; done; shift
    mkdir -p "$HOME/run"; OC_RUN_DIR=$HOME/run; export OC_RUN_DIR
    exec "$@";;
esac
echo "$name $*" | sed "s|$HOME|~|g" >>"$HOME/calls"
for key in "$name.$1.$(grep -c "^$name $1" "$HOME/calls")" "$name.$1" "$name"; do
    [ -f "$HOME/codes/$key" ] && exit "$(cat "$HOME/codes/$key")"
done
exit 0"#;

const TOOLS: [&str; 6] = [
    "oc-probe",
    "oc-escalate",
    "oc-guardian",
    "oc-doctor",
    "oc-claude-pty",
    "oc-notify",
];

struct Stage(TestEnv);

impl Stage {
    fn new(codes: &[(&str, u8)]) -> Self {
        let mut env = TestEnv::new();
        // Only the stubs: a real tool on PATH would hide that the script asked for it.
        env.set("PATH", format!("{}:/usr/bin:/bin", env.path("bin").display()));
        for tool in TOOLS {
            env.stub(tool, STUB);
        }
        std::fs::copy(script(), env.path("bin/oc-heal")).unwrap();
        for (name, code) in codes {
            env.write(Path::new("codes").join(name), code.to_string());
        }
        Self(env)
    }

    fn pass(&self) -> Output {
        self.0.foreign(self.0.path("bin/oc-heal")).run()
    }

    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.0.path("calls")).unwrap_or_default();
        let verb = |line: &str| line.split(" --").next().unwrap().to_owned();
        text.lines().map(verb).collect()
    }
}

fn script() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/oc-heal")
}

#[test]
fn a_healthy_pass_is_two_steps_and_nothing_else() {
    let stage = Stage::new(&[]);
    assert_eq!(stage.pass().expect_code(0).stdout, "");
    assert_eq!(stage.calls(), ["oc-probe", "oc-escalate decide"]);
}

#[test]
fn a_hold_and_a_human_touch_nothing() {
    for (decided, settled, exit) in [(1, 0, 0), (1, 1, 1), (5, 2, 2)] {
        let stage = Stage::new(&[
            ("oc-escalate.decide", decided),
            ("oc-escalate.settle", settled),
            ("oc-probe", 2),
        ]);
        stage.pass().expect_code(exit);
        assert_eq!(
            stage.calls(),
            [
                "oc-probe",
                "oc-escalate decide",
                "oc-escalate settle",
                "oc-notify incident"
            ]
        );
    }
}

/// A shell's own failure (no process, no file) has status 2, too, which is "restart" from decide and "a human" from settle.
#[test]
fn what_fails_in_the_shell_is_no_verdict() {
    for (step, calls) in [("probe", 0), ("decision", 1), ("settle", 2)] {
        let stage = Stage::new(&[("oc-escalate.decide", 1), ("oc-escalate.settle", 1)]);
        // In its place no file can be made.
        stage.0.write(format!("run/{step}.json/in-the-way"), "");
        stage.pass().expect_code(3);
        assert_eq!(stage.calls().len(), calls, "{step}: {:?}", stage.calls());
    }
}

#[test]
fn a_restart_is_preflighted_applied_verified_and_settled() {
    let stage = Stage::new(&[("oc-escalate.decide", 2)]);
    stage.pass().expect_code(0);
    let steps = [
        "oc-probe",
        "oc-escalate decide",
        "oc-doctor preflight",
        "oc-guardian apply",
        "oc-probe",
        "oc-escalate settle",
    ];
    assert_eq!(stage.calls()[..6], steps);
    let calls = std::fs::read_to_string(stage.0.path("calls")).unwrap();
    assert!(
        calls.contains("oc-probe --wait 60s") && calls.contains("settle --json --probe ~/run/verify.json"),
        "{calls}"
    );
}

#[test]
fn a_restart_that_the_configuration_forbids_is_repaired_first() {
    let stage = Stage::new(&[("oc-escalate.decide", 2), ("oc-doctor.preflight", 78)]);
    stage.pass().expect_code(0);
    assert_eq!(
        stage.calls()[2..6],
        ["oc-doctor preflight", "oc-doctor fix", "oc-guardian apply", "oc-probe"]
    );
}

#[test]
fn a_repair_is_committed_when_the_probe_is_good_and_undone_when_not() {
    for (probe, verb, exit) in [
        (0, "oc-doctor commit", 0),
        (2, "oc-doctor undo", 1),
        (3, "oc-doctor undo", 3),
    ] {
        let settled = u8::from(probe != 0);
        let codes = [
            ("oc-escalate.decide", 3),
            ("oc-probe", probe),
            ("oc-escalate.settle", settled),
        ];
        let stage = Stage::new(&codes);
        stage.pass().expect_code(exit);
        let expected = [
            "oc-doctor fix",
            "oc-guardian apply",
            "oc-probe",
            verb,
            "oc-escalate settle",
        ];
        assert_eq!(stage.calls()[2..7], expected);
    }
}

#[test]
fn a_plan_is_applied_only_when_there_is_one() {
    let stage = Stage::new(&[("oc-escalate.decide", 4)]);
    stage.pass().expect_code(0);
    let came_back = ["oc-claude-pty run", "oc-probe"];
    assert_eq!(stage.calls()[2..4], came_back, "no plan: nothing is done to it");
    let stage = Stage::new(&[("oc-escalate.decide", 4)]);
    stage.0.write("run/incident/plan.json", "{}");
    stage.pass().expect_code(0);
    assert_eq!(
        stage.calls()[2..5],
        [
            "oc-claude-pty run",
            "oc-doctor apply ~/run/incident/plan.json",
            "oc-guardian apply"
        ]
    );
    for no_plan in [1, 2, 127, 137] {
        let codes = [
            ("oc-escalate.decide", 4),
            ("oc-claude-pty", no_plan),
            ("oc-probe", 2),
            ("oc-escalate.settle", 1),
        ];
        let stage = Stage::new(&codes);
        stage.pass().expect_code(1);
        assert_eq!(
            stage.calls()[2..5],
            ["oc-claude-pty run", "oc-probe", "oc-escalate settle"],
            "{no_plan}"
        );
    }
}

#[test]
fn a_rung_whose_tool_is_missing_or_broken_is_a_failed_rung() {
    for tool in ["oc-guardian", "oc-doctor"] {
        let stage = Stage::new(&[("oc-escalate.decide", 3), ("oc-probe", 2), ("oc-escalate.settle", 1)]);
        std::fs::remove_file(stage.0.path("bin").join(tool)).unwrap();
        stage.pass().expect_code(1);
        assert_eq!(
            stage.calls().last().unwrap(),
            "oc-notify incident",
            "the pass goes on to its end without {tool}"
        );
    }
    for code in [70, 101, 124, 137] {
        let codes = [
            ("oc-escalate.decide", 2),
            ("oc-guardian", code),
            ("oc-probe", 2),
            ("oc-escalate.settle", 1),
        ];
        Stage::new(&codes).pass().expect_code(1);
    }
}

#[test]
fn a_failing_notification_never_changes_the_code() {
    for code in [1, 2, 70, 127] {
        Stage::new(&[("oc-escalate.decide", 1), ("oc-notify", code)])
            .pass()
            .expect_code(0);
    }
}

#[test]
fn an_unknown_or_failed_decision_does_nothing_and_says_so() {
    for code in [6, 64, 70, 78, 101, 127, 137] {
        let stage = Stage::new(&[("oc-escalate.decide", code)]);
        let said = stage.pass().expect_code(3).stderr;
        assert!(said.contains(&format!("exited with {code}")), "{said}");
        assert_eq!(stage.calls(), ["oc-probe", "oc-escalate decide"]);
    }
}

#[test]
fn could_not_tell_is_said_as_such() {
    let codes = [("oc-probe", 3), ("oc-escalate.decide", 1), ("oc-escalate.settle", 1)];
    Stage::new(&codes).pass().expect_code(3);
}

#[test]
fn without_any_tool_it_fails_loudly() {
    let stage = Stage::new(&[]);
    for tool in TOOLS {
        std::fs::remove_file(stage.0.path("bin").join(tool)).unwrap();
    }
    assert_eq!(stage.pass().code, 127);
}
