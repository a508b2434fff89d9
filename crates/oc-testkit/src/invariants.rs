//! What must hold after anything that was done to the tools (docs/architecture.md, invariants), as far as journal, state and
//! file system show it. Each violation is a sentence.

use crate::env::TestEnv;
use crate::journal::{Event, Journal};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What only the caller knows.
#[derive(Debug, Default)]
pub struct Known<'a> {
    /// Values that must be in no file of ours but the snapshots of the configuration.
    pub secrets: &'a [&'a str],
    /// The service's configuration as the caller last wrote it; `None`: the caller removed it, or another writer was there.
    pub config: Option<&'a [u8]>,
    /// A pass may still be running: nothing is said about locks and temporary files.
    pub busy: bool,
    /// So many lines of the journal may be cut short: writers were killed in the middle of them.
    pub torn: usize,
}

/// Every violation. Supervisor and passes are over, unless `known.busy`.
#[must_use]
pub fn check(env: &TestEnv, known: &Known<'_>) -> Vec<String> {
    let mut journal = Journal::new(env.watchdog().join("journal.jsonl"));
    let events = journal.fresh();
    let mut found = Vec::new();
    if journal.torn > known.torn {
        found.push(format!("{} lines of the journal are no events", journal.torn));
    }
    found.extend(one_healing_at_a_time(&events));
    found.extend(write_ahead(&events));
    found.extend(incidents(&events));
    found.extend(one_session(&events));
    found.extend(persons_will(env, &events));
    let files = files(&env.watchdog());
    found.extend(secrets(&files, env, known.secrets));
    found.extend(private(env, &files, known.busy));
    found.extend(half_written(env, &files));
    found.extend(snapshot_first(env, &files, known.config));
    if !known.busy {
        found.extend(left_over(env));
        found.extend(lock_free(env));
    }
    found
}

/// Invariant 2: the events of two passes never interleave.
fn one_healing_at_a_time(events: &[Event]) -> Vec<String> {
    let mut over = BTreeSet::new();
    let mut current: Option<&str> = None;
    let mut found = Vec::new();
    // The supervisor inherits nothing of a pass, and the other tools may be called by a person.
    for run in events
        .iter()
        .filter(|e| e.tool == "oc-escalate")
        .filter_map(|e| e.run.as_deref())
    {
        if current == Some(run) {
            continue;
        }
        over.extend(current);
        if over.contains(run) {
            found.push(format!("pass {run} went on although another one had begun"));
        }
        current = Some(run);
    }
    found
}

/// Invariants 4 and 5: attempts of an incident are numbered without gap or repetition, at most one in a pass.
fn write_ahead(events: &[Event]) -> Vec<String> {
    let mut found = Vec::new();
    let mut passes = BTreeSet::new();
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events.iter().filter(|e| e.kind == "attempt") {
        if let Some(run) = &event.run
            && !passes.insert(run)
        {
            found.push(format!("pass {run} acted twice"));
        }
        let (Some(incident), Some(number)) = (event.incident.as_deref(), event.data["attempt"].as_u64()) else {
            found.push(format!("an attempt without incident or number: {}", event.text));
            continue;
        };
        let before = last.insert(incident, number);
        if number != before.unwrap_or(0) + 1 {
            found.push(format!("attempt {number} of {incident} follows {before:?}"));
        }
    }
    found
}

/// At most one is open; each ends at most once, after it began.
fn incidents(events: &[Event]) -> Vec<String> {
    let mut open: Option<&str> = None;
    let mut found = Vec::new();
    for event in events {
        let Some(id) = event.incident.as_deref() else { continue };
        match (event.kind.as_str(), open) {
            ("incident_opened", None) => open = Some(id),
            ("incident_opened", Some(other)) => found.push(format!("{id} began while {other} was open")),
            ("incident_closed", Some(same)) if same == id => open = None,
            ("incident_closed", _) => found.push(format!("{id} ended and was not open")),
            _ => {}
        }
    }
    found
}

/// Invariant 1: nothing is attempted while a person wants it left alone.
fn persons_will(env: &TestEnv, events: &[Event]) -> Vec<String> {
    let intent = std::fs::read(env.watchdog().join("intent.json")).unwrap_or_default();
    let intent: serde_json::Value = serde_json::from_slice(&intent).unwrap_or_default();
    let since = ["stopped", "maintenance"].map(|will| intent[will]["since"]["wall_ms"].as_i64());
    let Some(since) = since.into_iter().flatten().min() else {
        return Vec::new();
    };
    events
        .iter()
        .filter(|event| event.kind == "attempt" && event.wall_ms > since)
        .map(|event| format!("{} against a person's will", event.text))
        .collect()
}

/// Invariant 6.
fn secrets(files: &[PathBuf], env: &TestEnv, secrets: &[&str]) -> Vec<String> {
    let logs = self::files(&env.state_dir().join("logs"));
    // Our own settings and the snapshots hold them by right.
    let by_right = |file: &Path| {
        file.starts_with(env.watchdog().join("generations")) || file == env.watchdog().join("config.json")
    };
    let mut found = Vec::new();
    for file in files.iter().chain(&logs).filter(|file| !by_right(file)) {
        let bytes = read_some(file);
        for secret in secrets.iter().filter(|secret| contains(&bytes, secret.as_bytes())) {
            found.push(format!("{} holds the secret {secret}", show(env, file)));
        }
    }
    found
}

/// Nobody else gets at what lies there. What the shell of a pass writes is made private when the pass is over.
fn private(env: &TestEnv, files: &[PathBuf], busy: bool) -> Vec<String> {
    let open = |path: &&Path| std::fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o077 != 0);
    let dir = env.watchdog();
    let settings = dir.join("config.json");
    let ours = |file: &&Path| of_tools(env, file) || (!busy && *file != settings);
    let own = files.iter().map(PathBuf::as_path).filter(ours);
    std::iter::once(dir.as_path())
        .chain(own)
        .filter(open)
        .map(|path| format!("{} is open to others", show(env, path)))
        .collect()
}

/// Invariant 4: what is replaced is there whole.
fn half_written(env: &TestEnv, files: &[PathBuf]) -> Vec<String> {
    // One that has gone meanwhile is not broken.
    let broken = |file: &&PathBuf| {
        std::fs::read(file).is_ok_and(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).is_err())
    };
    let replaced = files.iter().filter(|file| of_tools(env, file));
    let json = replaced.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    json.filter(broken)
        .map(|file| format!("{} is not whole", show(env, file)))
        .collect()
}

/// Not by the shell, as the answers of a pass are, and not by the person, as the settings are.
fn of_tools(env: &TestEnv, file: &Path) -> bool {
    let by_others = ["run", "incidents", "config.json"].map(|name| env.watchdog().join(name));
    !by_others.iter().any(|other| file.starts_with(other))
}

/// Invariant 5: one incident, one session of an agent.
fn one_session(events: &[Event]) -> Vec<String> {
    let mut sessions: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|e| e.kind == "attempt" && e.word("action") == "agent")
    {
        *sessions
            .entry(event.incident.as_deref().unwrap_or_default())
            .or_default() += 1;
    }
    let many = sessions.into_iter().filter(|(_, count)| *count > 1);
    many.map(|(incident, count)| format!("{count} sessions of an agent in {incident}"))
        .collect()
}

/// Invariant 3: a configuration that we changed was kept as it was.
fn snapshot_first(env: &TestEnv, files: &[PathBuf], before: Option<&[u8]>) -> Option<String> {
    let before = before?;
    let now = std::fs::read(env.config_path()).ok();
    let generations = env.watchdog().join("generations");
    let mut kept = files.iter().filter(|file| file.starts_with(&generations));
    (now.as_deref() != Some(before) && !kept.any(|file| std::fs::read(file).is_ok_and(|bytes| bytes == before)))
        .then(|| "the configuration was changed and is in no snapshot as it was".to_owned())
}

/// Files below that a writer made and did not come to rename.
#[must_use]
pub fn unfinished(dir: &Path) -> Vec<PathBuf> {
    let temporary = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(".oc-") || name.starts_with(".tmp") || name.ends_with(".new")
    };
    files(dir).into_iter().filter(temporary).collect()
}

fn left_over(env: &TestEnv) -> Vec<String> {
    unfinished(env.home())
        .iter()
        .map(|file| format!("{} was left behind", file.display()))
        .collect()
}

fn lock_free(env: &TestEnv) -> Option<String> {
    let lock = std::fs::File::open(env.watchdog().join("locks/healing.lock")).ok()?;
    lock.try_lock()
        .is_err()
        .then(|| "the healing lock is still held".to_owned())
}

/// Every file below; links are not followed.
fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

/// The beginning is enough: a log of many GB is a case of its own.
fn read_some(file: &Path) -> Vec<u8> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(file) {
        // A file that goes away meanwhile holds nothing.
        _ = file.take(16 << 20).read_to_end(&mut bytes);
    }
    bytes
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn show(env: &TestEnv, file: &Path) -> String {
    let below = file.strip_prefix(env.home()).unwrap_or(file);
    format!("~/{}", below.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(kind: &str, run: &str, incident: &str, data: serde_json::Value) -> Event {
        Event {
            wall_ms: 0,
            kind: kind.into(),
            tool: "oc-escalate".into(),
            run: Some(run.into()),
            incident: Some(incident.into()),
            text: "restart".into(),
            data,
        }
    }

    #[test]
    fn two_passes_that_interleave_are_seen() {
        let sequence = |runs: [&str; 3]| one_healing_at_a_time(&runs.map(|run| event("ready", run, "i", json!({}))));
        assert!(sequence(["a", "a", "b"]).is_empty());
        assert_eq!(sequence(["a", "b", "a"]).len(), 1);
    }

    #[test]
    fn a_free_retry_and_a_second_action_in_one_pass_are_seen() {
        let attempts = |list: [(&str, u64); 2]| {
            write_ahead(&list.map(|(run, number)| event("attempt", run, "i", json!({"attempt": number}))))
        };
        assert!(attempts([("a", 1), ("b", 2)]).is_empty());
        assert_eq!(attempts([("a", 1), ("b", 1)]).len(), 1);
        assert_eq!(attempts([("a", 1), ("a", 2)]).len(), 1);
    }

    #[test]
    fn an_incident_that_ends_twice_or_begins_within_another_is_seen() {
        let story = |list: [(&str, &str); 2]| incidents(&list.map(|(kind, id)| event(kind, "a", id, json!({}))));
        assert!(story([("incident_opened", "i"), ("incident_closed", "i")]).is_empty());
        assert_eq!(story([("incident_opened", "i"), ("incident_opened", "j")]).len(), 1);
        assert_eq!(story([("incident_closed", "i"), ("incident_opened", "j")]).len(), 1);
    }

    #[test]
    fn what_lies_in_the_state_directory_is_looked_through() {
        let env = TestEnv::new();
        env.write(".openclaw/openclaw.json", "new");
        let mode = |file: &Path, mode| {
            std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        };
        let talk = env.write(".openclaw/watchdog/run/talk.log", "the token is s3cret");
        mode(&talk, 0o600);
        mode(&env.watchdog(), 0o700);
        let known = Known {
            secrets: &["s3cret"],
            config: Some(b"old s3cret"),
            ..Known::default()
        };
        assert_eq!(check(&env, &known).len(), 2, "{:?}", check(&env, &known));
        mode(
            &env.write(".openclaw/watchdog/generations/objects/1", "old s3cret"),
            0o600,
        );
        mode(&env.write(".openclaw/watchdog/.oc-1.new", ""), 0o600);
        mode(&talk, 0o640);
        let found = check(&env, &known);
        assert_eq!(
            found.len(),
            3,
            "the secret in the log, which is open, and what was left over: {found:?}"
        );
    }
}
