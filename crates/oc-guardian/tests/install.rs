//! install and uninstall: what a person finds in HOME and in the crontab afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

use oc_testkit::launchd::Launchd;
use oc_testkit::{Cmd, Crontab, Output, TestEnv, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Lines of a person: a comment, a variable, a foreign block, a carriage return, bytes that are no UTF-8.
const PERSONS: &[u8] =
    b"# mine\nMAILTO=me\n0 5 * * * tar czf /x.tgz ~ \n# BEGIN other\n@daily true\r\n# END other\n1 2 3 4 5 echo \xe4\n";
const HOSTILE: &str = "Jörg O'Neil & \"Söhne\" $100% <x>";

const SYSTEMCTL: &str = r#"
dir=$HOME/.stand-in-systemd
/bin/mkdir -p "$dir"
shift
verb=$1
shift
echo "$verb $*" >>"$dir/calls"
[ "$(/bin/cat "$dir/kill-at" 2>/dev/null)" = "$verb" ] && kill -9 "$PPID"
for name; do :; done
unit=$HOME/.config/systemd/user/$name
is() { if [ -e "$1" ]; then echo "$2"; else echo "$3"; fi; }
case $verb in
show)
    is "$unit" LoadState=loaded LoadState=not-found
    is "$dir/$name.enabled" UnitFileState=enabled UnitFileState=disabled
    is "$dir/$name.active" ActiveState=active ActiveState=inactive
    echo NeedDaemonReload=no ;;
enable)
    [ -f "$unit" ] || { echo "Failed to enable unit: Unit file $name does not exist." >&2; exit 1; }
    : >"$dir/$name.enabled" ;;
restart) : >"$dir/$name.active" ;;
disable) /bin/rm -f "$dir/$name.enabled" ;;
stop) /bin/rm -f "$dir/$name.active" ;;
esac
"#;

struct Rig {
    env: TestEnv,
    home: PathBuf,
}

impl Rig {
    /// Without a service manager.
    fn new() -> Self {
        Self::at("")
    }

    /// HOME is a directory of this name.
    fn at(name: &str) -> Self {
        Self::of(TestEnv::new(), name)
    }

    fn systemd() -> Self {
        let mut env = TestEnv::new();
        env.set("OC_SERVICE_MANAGER", "systemd");
        env.stub("systemctl", SYSTEMCTL);
        Self::of(env, "")
    }

    fn launchd() -> Self {
        Self::of(TestEnv::with_launchd(), "")
    }

    fn of(mut env: TestEnv, name: &str) -> Self {
        env.crontab(Crontab::Works);
        let home = env.path(name);
        if !name.is_empty() {
            env.write(Path::new(name).join(".stand-in-crontab-mode"), "Works");
            env.set("HOME", home.display());
            env.unset("OC_STATE_DIR");
        }
        Self { env, home }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.home.join(below)
    }

    fn write(&self, below: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn guardian(&self, args: &[&str]) -> Output {
        self.guardian_cmd(args).run()
    }

    fn guardian_cmd(&self, args: &[&str]) -> Cmd {
        self.env.cmd("oc-guardian").args(args)
    }

    #[track_caller]
    fn answer(&self, args: &[&str], code: i32) -> Value {
        let answer = self.guardian_cmd(args).arg("--json").run().expect_code(code).json();
        let schema = std::fs::read(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../schemas/guardian.schema.json"
        ))
        .unwrap();
        let schema: Value = serde_json::from_slice(&schema).unwrap();
        let errors: Vec<String> = jsonschema::validator_for(&schema)
            .unwrap()
            .iter_errors(&answer)
            .map(|e| e.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}\n{answer:#}");
        answer
    }

    fn crontab(&self) -> Vec<u8> {
        std::fs::read(self.path(".stand-in-crontab")).unwrap_or_default()
    }

    /// The commands of our cron lines, as cron hands them to sh.
    fn cron_commands(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.crontab()).into_owned();
        let ours = text.split("# BEGIN oc-guardian default\n").nth(1).unwrap_or_default();
        let ours = ours.split("# END oc-guardian default").next().unwrap_or_default();
        ours.lines()
            .map(|line| line.splitn(6, ' ').nth(5).unwrap().replace("\\%", "%"))
            .collect()
    }

    /// Every file and directory below HOME that is no state of ours and none of the stand-ins', with its content.
    fn tree(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut tree = BTreeMap::new();
        let mut todo = vec![self.home.clone()];
        while let Some(dir) = todo.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let below = path.strip_prefix(&self.home).unwrap().to_owned();
                let name = below.to_string_lossy();
                if name.starts_with(".stand-in") || [".openclaw/watchdog", ".openclaw/logs", "tmp"].contains(&&*name) {
                    continue;
                }
                let content = if path.is_dir() {
                    todo.push(path.clone());
                    Vec::new()
                } else {
                    std::fs::read(&path).unwrap()
                };
                tree.insert(below, content);
            }
        }
        tree
    }

    /// The property lists in place.
    fn agents(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path("Library/LaunchAgents"));
        let mut paths: Vec<PathBuf> = entries
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths
    }

    fn found_by_the_watchdog(&self, program: &str) -> PathBuf {
        let list = plist::Value::from_file(self.path("Library/LaunchAgents/ai.openclaw.watchdog.plist")).unwrap();
        let variables = list.as_dictionary().unwrap()["EnvironmentVariables"].as_dictionary();
        let path = variables.unwrap()["PATH"].as_string().unwrap().to_owned();
        let mut found = std::env::split_paths(&path).map(|dir| dir.join(program));
        found.find(|file| file.exists()).unwrap_or_default()
    }

    fn notes(answer: &Value) -> String {
        answer["notes"].to_string()
    }
}

/// install, install, uninstall: the second changes nothing, the third leaves nothing.
fn there_and_back(rig: &Rig) -> Value {
    std::fs::create_dir_all(rig.path(".openclaw")).unwrap();
    rig.write(".stand-in-crontab", PERSONS);
    let before = rig.tree();
    let first = rig.answer(&["install"], 0);
    assert_eq!(first["verdict"], "done", "{first:#}");
    let between = (
        rig.tree(),
        rig.crontab(),
        std::fs::read(rig.path(".openclaw/watchdog/registration.json")).unwrap(),
    );
    assert!(between.1.starts_with(PERSONS), "other lines stay as they are");
    let second = rig.answer(&["install"], 0);
    assert_eq!(
        (&second["verdict"], &second["steps"]),
        (&json!("unchanged"), &json!([])),
        "{second:#}"
    );
    let after = (
        rig.tree(),
        rig.crontab(),
        std::fs::read(rig.path(".openclaw/watchdog/registration.json")).unwrap(),
    );
    assert_eq!(between, after);
    rig.guardian(&["uninstall"]).expect_code(0);
    assert_eq!(rig.tree(), before);
    assert_eq!(rig.crontab(), PERSONS);
    assert!(!rig.path(".openclaw/watchdog/registration.json").exists());
    assert_eq!(rig.answer(&["uninstall"], 0)["verdict"], "unchanged");
    first
}

#[test]
fn without_a_manager_cron_does_both_and_all_of_it_goes_again() {
    there_and_back(&Rig::new());
}

#[test]
fn units_are_written_enabled_and_gone_again() {
    let rig = Rig::systemd();
    let unit = "[Service]\nExecStart=/bin/true\n";
    rig.write(".config/systemd/user/openclaw-gateway.service", unit);
    let answer = there_and_back(&rig);
    let kinds: Vec<&str> = answer["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|j| j["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["gateway", "watchdog"]);
    let calls = std::fs::read_to_string(rig.path(".stand-in-systemd/calls")).unwrap();
    assert!(
        !calls.contains("gateway.service") || !calls.contains("restart openclaw-gateway"),
        "{calls}"
    );
    rig.answer(&["install"], 0);
    let record = rig.env.read_json(".openclaw/watchdog/registration.json");
    assert_eq!(
        record["jobs"][0]["files"][0]["content"], unit,
        "the service's own unit, byte for byte"
    );
    let drop_in = rig.path(".config/systemd/user/openclaw-gateway.service.d/50-oc-guardian.conf");
    assert!(
        std::fs::read_to_string(drop_in)
            .unwrap()
            .contains("OnFailure=openclaw-watchdog.service")
    );
    assert!(rig.path(".stand-in-systemd/openclaw-watchdog.timer.active").exists());
    assert!(
        !rig.path(".stand-in-systemd/openclaw-gateway.service.active").exists(),
        "nobody started the service"
    );
}

#[test]
fn a_service_of_ones_own_gets_a_job_and_loses_it_again() {
    let rig = Rig::systemd();
    std::fs::create_dir_all(rig.path(".openclaw")).unwrap();
    let service = json!({"kind": "generic", "unit": "shop.service", "command": ["/bin/sleep", "100% of $x"]});
    rig.env
        .oc_config(&json!({"service": service, "probe": {"url": "http://127.0.0.1:1/"}}));
    let before = rig.tree();
    rig.answer(&["install"], 0);
    let unit = std::fs::read_to_string(rig.path(".config/systemd/user/shop.service")).unwrap();
    assert!(unit.contains("exec -- /bin/sleep \"100%% of $x\""), "{unit}");
    assert!(rig.path(".stand-in-systemd/shop.service.active").exists());
    assert_eq!(rig.answer(&["install"], 0)["verdict"], "unchanged");
    rig.guardian(&["uninstall"]).expect_code(0);
    assert_eq!(rig.tree(), before);
    assert!(!rig.path(".stand-in-systemd/shop.service.active").exists());

    let rig = Rig::launchd();
    let service = json!({"kind": "generic", "label": "org.shop", "command": ["/bin/sleep", "600"]});
    rig.env
        .oc_config(&json!({"service": service, "probe": {"url": "http://127.0.0.1:1/"}}));
    rig.answer(&["install"], 0);
    wait_until("it runs", Duration::from_secs(20), || {
        rig.env.launchd().pid("org.shop").is_some()
    });
    rig.guardian(&["uninstall", "--deadline", "2m"]).expect_code(0);
    assert_eq!((rig.env.launchd().state("org.shop"), rig.agents()), (None, Vec::new()));
}

#[test]
fn agents_are_loaded_started_and_gone_again() {
    let rig = Rig::launchd();
    let launchd = rig.env.launchd();
    let port = rig.env.gateway_agent();
    let gateway = rig.path("Library/LaunchAgents/ai.openclaw.gateway.plist");
    let bootstrap = ["bootstrap", &Launchd::domain(), &gateway.to_string_lossy()];
    launchd.say(&bootstrap).expect_code(0);
    wait_until("the gateway serves", Duration::from_secs(20), || {
        oc_testkit::is_ready(port)
    });
    let process = launchd.pid("ai.openclaw.gateway");
    let before = (std::fs::read(&gateway).unwrap(), rig.agents());
    rig.answer(&["install"], 0);
    assert_eq!(rig.agents().len(), 2);
    assert!(launchd.state("ai.openclaw.watchdog").is_some());
    for program in ["launchctl", "crontab"] {
        assert_eq!(
            rig.found_by_the_watchdog(program),
            rig.path("bin").join(program),
            "the watchdog has to ask the same {program} as the person who installed it"
        );
    }
    let passed = || std::fs::read_to_string(rig.path(".openclaw/logs/watchdog.out.log")).is_ok();
    wait_until("a pass began", Duration::from_secs(20), passed);
    assert_eq!(rig.answer(&["install"], 0)["verdict"], "unchanged");
    let kickstarts = launchd.calls_of("kickstart");
    assert!(
        !kickstarts.is_empty() && kickstarts.iter().all(|call| !call.contains("-k")),
        "{kickstarts:?}"
    );
    rig.guardian(&["uninstall"]).expect_code(0);
    assert_eq!((std::fs::read(&gateway).unwrap(), rig.agents()), before);
    assert_eq!(launchd.state("ai.openclaw.watchdog"), None);
    assert_eq!(launchd.pid("ai.openclaw.gateway"), process, "the service never noticed");
}

#[test]
fn a_home_with_spaces_quotes_and_umlauts_and_the_lines_really_run() {
    let rig = Rig::at(HOSTILE);
    there_and_back(&rig);
    rig.answer(&["install"], 0);
    let commands = rig.cron_commands();
    assert_eq!(commands.len(), 2);
    for command in commands {
        // As cron does it.
        Cmd::new("/bin/sh")
            .args(["-c", &command])
            .env("HOME", "/")
            .env("PATH", "/usr/bin:/bin")
            .cwd("/")
            .run();
    }
    assert!(
        rig.path(".openclaw/watchdog/state.json").exists(),
        "a pass ran and found its instance"
    );
    let log = std::fs::metadata(rig.path(".openclaw/logs/guardian.log")).unwrap();
    assert_eq!(log.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_dry_run_touches_nothing_and_says_the_same() {
    let rig = Rig::systemd();
    rig.write(".stand-in-crontab", PERSONS);
    rig.write(".openclaw/watchdog/config.json", "{}");
    let before = rig.tree();
    let plan = rig.answer(&["install", "--dry-run", "--agent", "claude", "--interval", "1m"], 0);
    assert_eq!((rig.tree(), rig.crontab()), (before, PERSONS.to_vec()));
    assert_eq!(
        std::fs::read(rig.path(".openclaw/watchdog/config.json")).unwrap(),
        b"{}"
    );
    let inside: Vec<_> = std::fs::read_dir(rig.path(".openclaw/watchdog")).unwrap().collect();
    assert_eq!(inside.len(), 1, "{inside:?}");
    let calls = std::fs::read_to_string(rig.path(".stand-in-systemd/calls")).unwrap();
    assert!(calls.lines().all(|call| call.starts_with("show")), "{calls}");
    let real = rig.answer(&["install", "--agent", "claude", "--interval", "1m"], 0);
    let texts = |answer: &Value| -> Vec<String> {
        answer["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["text"].to_string())
            .collect()
    };
    assert_eq!(texts(&plan), texts(&real));
    assert!(
        plan["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|s| s["state"] == "planned")
    );
}

#[test]
fn a_cron_that_is_not_to_be_had_is_replaced_and_named() {
    for (how, why) in [
        (Crontab::Refuses, "Operation not permitted"),
        (Crontab::Hangs, "does not answer"),
        (Crontab::Forgets, "does not contain"),
    ] {
        let rig = Rig::systemd();
        rig.env.crontab(how);
        let answer = rig.answer(&["install", "--timeout", "1s"], 0);
        let notes = Rig::notes(&answer);
        assert!(notes.contains(why), "{how:?}: {notes}");
        assert_eq!(answer["crontab"], false);
        assert!(
            rig.path(".stand-in-systemd/openclaw-guardian.timer.active").exists(),
            "{how:?}"
        );
        let again = rig.answer(&["install", "--timeout", "1s"], 0);
        assert_eq!(again["verdict"], "unchanged", "{how:?}: {again:#}");
        rig.env.crontab(Crontab::WithoutCheck);
        let answer = rig.answer(&["install"], 0);
        assert_eq!(answer["crontab"], true, "cron is back: {answer:#}");
        assert!(!rig.path(".config/systemd/user/openclaw-guardian.timer").exists());
        assert!(!rig.path(".stand-in-systemd/openclaw-guardian.timer.enabled").exists());
    }
    let rig = Rig::new();
    rig.env.crontab(Crontab::Refuses);
    let answer = rig.answer(&["install"], 0);
    assert!(Rig::notes(&answer).contains("every 3 minutes"), "{answer:#}");
}

#[test]
fn what_was_removed_meanwhile_comes_back_by_another_install() {
    let rig = Rig::systemd();
    rig.answer(&["install"], 0);
    std::fs::remove_file(rig.path(".config/systemd/user/openclaw-watchdog.timer")).unwrap();
    std::fs::remove_file(rig.path(".stand-in-systemd/openclaw-watchdog.timer.active")).unwrap();
    rig.write(".stand-in-crontab", PERSONS);
    let answer = rig.answer(&["install"], 0);
    let steps: Vec<&str> = answer["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["crontab", "write", "reload", "register"]);
    assert!(rig.path(".stand-in-systemd/openclaw-watchdog.timer.active").exists());
}

#[test]
fn a_damaged_definition_of_the_service_is_not_taken_for_the_recorded_one() {
    let rig = Rig::systemd();
    let good = "[Service]\nExecStart=/bin/true\n";
    let unit = rig.write(".config/systemd/user/openclaw-gateway.service", good);
    rig.answer(&["install"], 0);
    for (damaged, after) in [
        ("", good),
        ("[Serv", good),
        ("[Service]\nExecStart=/bin/new\n", "[Service]\nExecStart=/bin/new\n"),
    ] {
        std::fs::write(&unit, damaged).unwrap();
        rig.answer(&["install"], 0);
        assert_eq!(std::fs::read_to_string(&unit).unwrap(), after);
    }
    std::fs::remove_file(&unit).unwrap();
    rig.answer(&["install"], 0);
    assert!(
        std::fs::read_to_string(&unit).unwrap().contains("/bin/new"),
        "the newest that worked"
    );
}

#[test]
fn an_install_that_was_killed_is_finished_or_undone_by_the_next_command() {
    for verb in ["show", "daemon-reload", "enable", "restart"] {
        for then in ["install", "uninstall"] {
            let rig = Rig::systemd();
            std::fs::create_dir_all(rig.path(".openclaw")).unwrap();
            rig.write(
                ".config/systemd/user/openclaw-gateway.service",
                "[Service]\nExecStart=/bin/true\n",
            );
            rig.write(".stand-in-crontab", PERSONS);
            let before = rig.tree();
            let kill = rig.write(".stand-in-systemd/kill-at", verb);
            rig.guardian(&["install"]).expect_code(137);
            std::fs::remove_file(kill).unwrap();
            rig.answer(&[then], 0);
            if then == "install" {
                assert!(
                    rig.path(".stand-in-systemd/openclaw-watchdog.timer.active").exists(),
                    "{verb}"
                );
                assert_eq!(rig.answer(&["install"], 0)["verdict"], "unchanged", "{verb}");
                rig.answer(&["uninstall"], 0);
            }
            assert_eq!(rig.crontab(), PERSONS, "{verb} {then}");
            let left: Vec<_> = rig
                .tree()
                .into_keys()
                .filter(|path| !before.contains_key(path))
                .collect();
            assert!(
                left.iter().all(|path| path.ends_with("openclaw-gateway.service.d")),
                "{verb} {then}: {left:?}"
            );
        }
    }
}

#[test]
fn consent_changes_one_setting_and_every_other_byte_stays() {
    let rig = Rig::new();
    let answer = rig.answer(&["install"], 0);
    assert!(Rig::notes(&answer).contains("agent.enabled"), "{answer:#}");
    assert!(
        !rig.path(".openclaw/watchdog/config.json").exists(),
        "nobody was asked, nothing was written"
    );
    let text = "{\n  \"probe\": {\"tries\":   4},\n\n  \"agent\": {\n    \"model\": \"x\"\n  }\n}\n";
    let file = rig.write(".openclaw/watchdog/config.json", text);
    let answer = rig.answer(&["install", "--agent", "claude"], 0);
    assert!(!Rig::notes(&answer).contains("agent.enabled"));
    let new = std::fs::read_to_string(&file).unwrap();
    assert_eq!(new.replace(",\n    \"enabled\": true", ""), text);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(rig.answer(&["install", "--agent", "claude"], 0)["verdict"], "unchanged");
    rig.answer(&["install", "--agent", "none"], 0);
    assert!(std::fs::read_to_string(&file).unwrap().contains("\"enabled\": false"));
    rig.guardian(&["install", "--agent", "no such agent"]).expect_code(64);
}

/// script(1) of util-linux is the terminal.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_one_question_is_asked_and_never_again() {
    let rig = Rig::new();
    let on_a_terminal = |typed: &str| {
        let words = ["-qec", "oc-guardian install", "/dev/null"];
        rig.env
            .foreign("script")
            .args(words)
            .stdin(typed)
            .run()
            .expect_code(0)
            .stdout
    };
    let enabled = || rig.env.read_json(".openclaw/watchdog/config.json")["agent"]["enabled"].clone();
    assert!(on_a_terminal("\n").contains("[y/N]"));
    assert_eq!(enabled(), false, "silence is no consent");
    assert!(!on_a_terminal("y\n").contains("[y/N]"), "a person said no");
    std::fs::remove_file(rig.path(".openclaw/watchdog/config.json")).unwrap();
    assert!(on_a_terminal("y\n").contains("money"));
    assert_eq!(enabled(), true);
}

#[test]
fn the_cadence_is_kept_for_the_policy_and_for_the_next_install() {
    let rig = Rig::systemd();
    rig.answer(&["install", "--interval", "90s"], 0);
    let timer = || std::fs::read_to_string(rig.path(".config/systemd/user/openclaw-watchdog.timer")).unwrap();
    assert!(timer().contains("OnUnitActiveSec=90s"), "{}", timer());
    assert_eq!(
        rig.env.read_json(".openclaw/watchdog/config.json")["policy"]["interval"],
        "90s"
    );
    assert_eq!(rig.answer(&["install"], 0)["verdict"], "unchanged");
}

#[test]
fn the_predecessor_is_named_and_only_taken_over_when_asked() {
    let rig = Rig::systemd();
    let unit = "[Service]\nExecStart=/home/x/.openclaw/skills/openclaw-self-healing/scripts/gateway-healthcheck.sh\n";
    let service = rig.write(".config/systemd/user/openclaw-healthcheck.service", unit);
    let timer = rig.write(
        ".config/systemd/user/openclaw-healthcheck.timer",
        "[Timer]\nOnBootSec=60\n",
    );
    rig.write(".stand-in-systemd/openclaw-healthcheck.timer.enabled", "");
    let other = rig.write(
        ".config/systemd/user/backup.service",
        "[Service]\nExecStart=/bin/true\n",
    );
    let theirs = b"*/3 * * * * bash ~/.openclaw/scripts/launchd-guardian.sh\n";
    rig.write(".stand-in-crontab", [PERSONS, theirs].concat());
    rig.write(".openclaw/.env", "HEALTH_CHECK_MAX_RETRIES=7\n");
    let before = rig.tree();
    let answer = rig.answer(&["install"], 1);
    assert_eq!(answer["verdict"], "refused");
    let reason = answer["reason"].as_str().unwrap();
    for name in ["openclaw-healthcheck.timer", "launchd-guardian.sh"] {
        assert!(reason.contains(name), "{reason}");
    }
    assert_eq!(rig.tree(), before, "nothing was done");

    let answer = rig.answer(&["install", "--takeover"], 0);
    assert!(!service.exists() && !timer.exists() && other.exists());
    assert!(
        !rig.path(".stand-in-systemd/openclaw-healthcheck.timer.enabled")
            .exists()
    );
    assert!(
        rig.crontab().starts_with(PERSONS) && !String::from_utf8_lossy(&rig.crontab()).contains("launchd-guardian")
    );
    assert!(
        Rig::notes(&answer).contains("systemctl --user enable --now openclaw-healthcheck.timer"),
        "{answer:#}"
    );
    let kept = rig.path(".openclaw/watchdog/taken-over/openclaw-healthcheck.service");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), unit);
    let settings = rig
        .env
        .cmd("oc-probe")
        .args(["--print-config", "--json"])
        .run()
        .expect_code(0)
        .stdout;
    assert!(
        settings.contains("HEALTH_CHECK_MAX_RETRIES"),
        "its settings go on working: {settings}"
    );
    assert_eq!(rig.answer(&["install"], 0)["verdict"], "unchanged");
}

#[test]
fn an_agent_of_the_predecessor_under_our_own_label_is_replaced_on_takeover() {
    let rig = Rig::launchd();
    let words = ["/bin/bash", "-c", "exec sleep 600 # gateway-watchdog.sh"].map(str::to_owned);
    let plist = rig.env.launchd().agent("ai.openclaw.watchdog", &words, "");
    rig.env
        .launchd()
        .say(&["bootstrap", &Launchd::domain(), &plist.to_string_lossy()])
        .expect_code(0);
    rig.answer(&["install"], 1);
    rig.answer(&["install", "--takeover"], 0);
    assert!(std::fs::read_to_string(&plist).unwrap().contains("oc-heal"));
    assert!(rig.env.launchd().state("ai.openclaw.watchdog").is_some());
    rig.guardian(&["uninstall"]).expect_code(0);
}

#[test]
fn purge_removes_our_state_and_nothing_else() {
    let rig = Rig::new();
    rig.answer(&["install"], 0);
    let foreign = rig.write(".openclaw/watchdog/crash-counter", "3");
    let answer = rig.answer(&["uninstall", "--purge"], 0);
    assert!(Rig::notes(&answer).contains("crash-counter"), "{answer:#}");
    let left: Vec<_> = std::fs::read_dir(rig.path(".openclaw/watchdog"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    assert_eq!(left, std::slice::from_ref(&foreign));
    std::fs::remove_file(foreign).unwrap();
    rig.answer(&["install"], 0);
    rig.answer(&["uninstall", "--purge"], 0);
    assert!(!rig.path(".openclaw/watchdog").exists());
    // A state directory that is a person's own loses nothing.
    rig.write("precious/thesis.tex", "x");
    let state = rig.path("precious").display().to_string();
    rig.guardian(&["--state-dir", &state, "uninstall", "--purge"])
        .expect_code(0);
    assert!(rig.path("precious/thesis.tex").exists());
}

#[test]
fn what_could_not_be_uninstalled_is_not_forgotten() {
    let rig = Rig::new();
    rig.answer(&["install"], 0);
    rig.env.crontab(Crontab::Refuses);
    let answer = rig.answer(&["uninstall", "--purge"], 2);
    assert!(
        answer["reason"].as_str().unwrap().contains("Operation not permitted"),
        "{answer:#}"
    );
    rig.env.crontab(Crontab::Works);
    rig.answer(&["uninstall"], 0);
    assert!(rig.crontab().is_empty());
}

#[test]
fn a_damaged_record_is_kept_and_written_anew() {
    let rig = Rig::new();
    rig.answer(&["install"], 0);
    let file = rig.write(".openclaw/watchdog/registration.json", "{");
    rig.guardian(&["uninstall"]).expect_code(65);
    rig.answer(&["install"], 0);
    assert!(std::fs::read_to_string(file).unwrap().contains("ensure"));
    rig.guardian(&["uninstall"]).expect_code(0);
    assert!(rig.crontab().is_empty());
}

#[test]
fn the_guardian_keeps_the_logs_of_the_jobs_within_bounds() {
    let rig = Rig::new();
    rig.answer(&["install"], 0);
    let log = rig.write(".openclaw/logs/guardian.log", vec![b'x'; 11 << 20]);
    let _plan = rig.guardian(&["ensure", "--dry-run"]);
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 11 << 20);
    let _visit = rig.guardian(&["ensure"]);
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
    let rotated = rig.path(".openclaw/logs/guardian.log.1.gz");
    assert!(std::fs::metadata(rotated).unwrap().len() < 1 << 20);
}

#[test]
fn what_could_not_be_put_back_is_tried_again_and_never_taken_for_a_persons_will() {
    let rig = Rig::new();
    rig.guardian(&["install"]).expect_code(0);
    let installed = rig.crontab();
    rig.env
        .foreign("crontab")
        .arg("-")
        .stdin("# mine\n")
        .run()
        .expect_code(0);
    rig.env.crontab(Crontab::Refuses);
    for _ in 0..3 {
        rig.guardian(&["upkeep"]).expect_code(2);
    }
    rig.env.crontab(Crontab::Works);
    rig.guardian(&["upkeep"]).expect_code(1);
    let now = rig.crontab();
    assert!(
        now.ends_with(&installed) && now.starts_with(b"# mine"),
        "{}",
        String::from_utf8_lossy(&now)
    );
    // Put back, and gone again: that is a person.
    rig.env
        .foreign("crontab")
        .arg("-")
        .stdin("# mine\n")
        .run()
        .expect_code(0);
    let said = rig.guardian(&["upkeep"]).expect_code(0);
    assert!(said.stdout.contains("a person did that"), "{}", said.stdout);
}
