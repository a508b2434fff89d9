//! The stand-in for launchctl answers as the state table says: call by call, state by state.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_testkit::launchd::{Fault, Launchd};
use oc_testkit::{Signal, TestEnv, wait_for, wait_until};
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);
const LABEL: &str = "test.job";
const EIO: &str = "Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.\n";

fn script(text: &str) -> Vec<String> {
    ["/bin/sh", "-c", text].map(str::to_owned).to_vec()
}

struct Stage {
    env: TestEnv,
    plist: String,
}

impl Stage {
    fn new(text: &str, extra: &str) -> Self {
        let env = TestEnv::with_launchd();
        let plist = env.launchd().agent(LABEL, &script(text), extra).display().to_string();
        Self { env, plist }
    }

    fn says(&self, words: &[&str]) -> (i32, String) {
        let out = self.env.launchd().say(words);
        (out.code, out.stdout + &out.stderr)
    }

    fn bootstrap(&self) -> (i32, String) {
        self.says(&["bootstrap", &Launchd::domain(), &self.plist])
    }

    fn to(&self, verb: &str) -> (i32, String) {
        self.says(&[verb, &Launchd::target(LABEL)])
    }

    fn state(&self) -> Option<String> {
        self.env.launchd().state(LABEL)
    }
}

#[test]
fn unloaded() {
    let s = Stage::new("sleep 60", "");
    let uid = rustix::process::getuid().as_raw();
    let missing = format!("Could not find service \"{LABEL}\" in domain for user gui: {uid}\n");
    assert_eq!(s.to("print"), (113, format!("Bad request.\n{missing}")));
    assert_eq!(s.to("kickstart"), (113, missing));
    assert_eq!(s.to("bootout"), (3, "Boot-out failed: 3: No such process\n".to_owned()));
    let path_form = s.says(&["bootout", &Launchd::domain(), &s.plist]);
    assert_eq!(path_form, (5, "Boot-out failed: 5: Input/output error\n".to_owned()));
    assert_eq!(s.says(&["list", LABEL]).0, 113);
    assert_eq!(s.to("enable").0, 0);
    let (code, text) = s.says(&["unload", &s.plist]);
    assert!(code == 0 && text.starts_with("Unload failed: 5"), "{text}");
    assert_eq!(
        s.says(&["frobnicate"]),
        (1, "Unrecognized subcommand: frobnicate\n".to_owned())
    );
}

#[test]
fn running_then_killed_then_throttled() {
    let s = Stage::new("sleep 60", "");
    assert_eq!(s.bootstrap(), (0, String::new()));
    let first = s.env.launchd().pid(LABEL).unwrap();
    assert_eq!(s.state().as_deref(), Some("running"));
    assert_eq!(s.bootstrap(), (5, EIO.to_owned()));
    assert_eq!(s.to("kickstart"), (0, String::new()));
    assert_eq!(
        s.env.launchd().pid(LABEL),
        Some(first),
        "kickstart leaves a running one alone"
    );
    s.env.launchd().knobs(|k| k.second_ms = 60_000);
    s.env.signal(u32::try_from(first).unwrap(), Signal::KILL);
    wait_until("it is to be started again", SOON, || {
        s.state().as_deref() == Some("spawn scheduled")
    });
    let text = s.to("print").1;
    assert!(
        text.contains("\n\tlast terminating signal = Killed: 9\n") && text.contains("\n\truns = 1\n"),
        "{text}"
    );
    assert_eq!(s.to("kickstart").0, 0);
    assert_ne!(s.env.launchd().pid(LABEL).unwrap(), first);
    assert!(s.to("print").1.contains("\n\truns = 2\n"));
    let kill = s.says(&["kill", "SIGKILL", &Launchd::target(LABEL)]);
    assert_eq!(kill.0, 0);
}

#[test]
fn draining_keeps_the_label_until_the_process_is_gone() {
    let s = Stage::new("trap '' TERM; echo up >$HOME/up; while :; do sleep 0.05; done", "");
    s.env.launchd().knobs(|k| k.second_ms = 50);
    assert_eq!(s.bootstrap().0, 0);
    wait_until("it ignores TERM", SOON, || s.env.path("up").exists());
    assert_eq!(s.to("bootout").0, 0);
    assert_eq!(s.state().as_deref(), Some("SIGTERMed"));
    assert_eq!(s.bootstrap(), (5, EIO.to_owned()));
    assert_eq!(s.to("kickstart"), (37, String::new()), "not a word");
    assert_eq!(
        s.to("bootout"),
        (36, "Boot-out failed: 36: Operation now in progress\n".to_owned())
    );
    wait_until("ExitTimeOut ends it", SOON, || s.state().is_none());
    assert_eq!(s.bootstrap().0, 0);
}

#[test]
fn one_five_for_many_causes_and_the_cause_for_root() {
    let s = Stage::new("sleep 60", "");
    let good = std::fs::read(&s.plist).unwrap();
    let knobs = |rich| s.env.launchd().knobs(|k| k.rich = rich);
    let both = |cause: &str, rich: i32| {
        knobs(false);
        assert_eq!(s.bootstrap(), (5, EIO.to_owned()), "{cause}");
        knobs(true);
        assert_eq!(s.bootstrap().0, rich, "{cause}");
    };
    std::fs::remove_file(&s.plist).unwrap();
    both("missing", 2);
    std::fs::write(&s.plist, "garbage").unwrap();
    both("garbage", 109);
    std::fs::write(&s.plist, &good).unwrap();
    let mode = |bits| std::fs::set_permissions(&s.plist, std::os::unix::fs::PermissionsExt::from_mode(bits)).unwrap();
    mode(0o666);
    both("permissions", 122);
    mode(0o644);
    assert_eq!(s.to("disable").0, 0);
    both("disabled", 119);
    assert_eq!(s.to("enable").0, 0);
    assert_eq!(s.bootstrap().0, 0);
    both("loaded", 37);
}

#[test]
fn no_session_and_both_dialects_of_disabled() {
    let s = Stage::new("sleep 60", "");
    assert_eq!(s.to("disable").0, 0);
    let disabled = |old| {
        s.env.launchd().knobs(|k| k.old = old);
        s.says(&["print-disabled", &Launchd::domain()]).1
    };
    assert!(disabled(false).contains(&format!("\t\t\"{LABEL}\" => disabled\n")));
    assert!(disabled(true).contains(&format!("\t\t\"{LABEL}\" => true\n")));
    for code in [112, 125] {
        s.env.launchd().knobs(|k| k.no_session = Some(code));
        assert_eq!(s.to("print").0, code);
        assert_eq!(s.says(&["print", &Launchd::domain()]).0, code);
        assert_eq!(s.bootstrap().0, 125);
    }
    let other = format!("user/{}", rustix::process::getuid().as_raw());
    s.env.launchd().knobs(|k| k.no_session = None);
    assert_eq!(s.to("enable").0, 0);
    assert_eq!(s.says(&["bootstrap", &other, &s.plist]).0, 0);
    assert_eq!(s.to("print").0, 113, "not seen from the other domain");
}

#[test]
fn a_withheld_start_needs_a_kickstart() {
    let s = Stage::new("sleep 60", "");
    s.env.launchd().knobs(|k| k.pend = Some("speculative".to_owned()));
    assert_eq!(s.bootstrap().0, 0);
    let text = s.to("print").1;
    assert!(
        text.contains("\tstate = not running\n") && text.contains("\tpended nondemand spawn = speculative\n"),
        "{text}"
    );
    assert_eq!(s.to("kickstart").0, 0);
    assert!(s.env.launchd().pid(LABEL).is_some());
}

#[test]
fn faults_answer_in_its_place_and_a_race_is_done_nevertheless() {
    let s = Stage::new("sleep 60", "");
    let race = "Bootstrap failed: 37: Operation already in progress\n";
    s.env.launchd().knobs(|k| {
        let mut done = Fault::new("bootstrap", 1, 37, race);
        done.done = true;
        k.faults = vec![Fault::new("bootstrap", 2, 5, EIO), done];
    });
    assert_eq!((s.bootstrap().0, s.bootstrap().0), (5, 5));
    assert_eq!(s.state(), None);
    assert_eq!(s.bootstrap(), (37, race.to_owned()));
    assert_eq!(s.state().as_deref(), Some("running"));
    assert_eq!(s.env.launchd().calls_of("bootstrap").len(), 3);
}

#[test]
fn an_interval_job_runs_again_and_again_and_a_reboot_loads_what_lies_there() {
    let s = Stage::new("echo x >>$HOME/times", "<key>StartInterval</key><integer>2</integer>");
    let text = std::fs::read_to_string(&s.plist).unwrap();
    std::fs::write(&s.plist, text.replace("<key>KeepAlive</key><true/>", "")).unwrap();
    assert_eq!(s.bootstrap().0, 0);
    let times = || std::fs::read_to_string(s.env.path("times")).map_or(0, |text| text.lines().count());
    wait_until("three times", SOON, || times() >= 3);
    assert!(s.to("print").1.contains("\trun interval = 2 seconds\n"));
    assert_eq!(s.to("bootout").0, 0);
    wait_until("it is unloaded", SOON, || s.state().is_none());
    assert_eq!(s.says(&["stand-in-reboot"]).0, 0);
    let before = times();
    wait_for("it runs again", SOON, || (times() > before).then_some(()));
    assert!(Path::new(&s.plist).exists());
}
