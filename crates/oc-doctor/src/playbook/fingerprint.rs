//! By what a failure is known again: its class, what the checks found, and what the log said, without the numbers that
//! differ from one time to the next.

use crate::finding::Finding;
use crate::logs;
use crate::scene::Scene;
use oc_core::class::Class;
use serde::{Deserialize, Serialize};

/// Lines of the log that are kept, at most.
const LINES: usize = 5;
/// A line without one of these says nothing about a failure.
const TELLING: [&str; 12] = [
    "error",
    "fail",
    "invalid",
    "refus",
    "cannot",
    "missing",
    "unable",
    "denied",
    "not found",
    "exception",
    "eaddr",
    "enoent",
];

/// One failure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Its class, where a probe said it.
    pub class: Option<Class>,
    /// The findings that kept the service from running: id and subject.
    pub findings: Vec<String>,
    /// What the log said last, normalised.
    pub lines: Vec<String>,
}

/// How much two failures have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// The same failure: what healed one may be repeated for the other.
    Same,
    /// Something in common: worth reading.
    Similar,
    /// Nothing.
    Other,
}

impl Fingerprint {
    /// That of what is wrong now.
    #[must_use]
    pub fn of(scene: &Scene<'_>, findings: &[Finding]) -> Self {
        let mut ids: Vec<String> = findings
            .iter()
            .filter(|f| f.blocks())
            .map(|f| format!("{} {}", f.id, f.subject))
            .collect();
        ids.sort();
        ids.dedup();
        let mut lines = Vec::new();
        for line in logs::last_lines(scene).iter().rev() {
            let line = normalised(line);
            if TELLING.iter().any(|word| line.contains(word)) && !lines.contains(&line) {
                lines.push(line);
            }
            if lines.len() == LINES {
                break;
            }
        }
        Self {
            class: scene.evidence.report.as_ref().and_then(|r| r.class),
            findings: ids,
            lines,
        }
    }

    /// How alike they are. Findings that explain the failure decide alone: the class of one and the same cause depends on
    /// how often it was tried. Without them the class and a line of the log must agree.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Likeness {
        let common = |a: &[String], b: &[String]| a.iter().any(|x| b.contains(x));
        let explains = |f: &String| !f.starts_with("config.refused ");
        let class = self.class.is_some() && self.class == other.class;
        let lines = common(&self.lines, &other.lines);
        let unexplained = class && (lines || (self.lines.is_empty() && other.lines.is_empty()));
        if self.findings == other.findings && (self.findings.iter().any(explains) || unexplained) {
            Likeness::Same
        } else if class || lines || common(&self.findings, &other.findings) {
            Likeness::Similar
        } else {
            Likeness::Other
        }
    }
}

/// Numbers (times, pids, ports, addresses) are what differs between two times of the same failure.
fn normalised(line: &str) -> String {
    let mut out = String::new();
    for word in line.to_lowercase().split_whitespace() {
        let hex = word.len() >= 8 && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if !out.is_empty() {
            out.push(' ');
        }
        let mut digits = false;
        for c in if hex { "0" } else { word }.chars() {
            if c.is_ascii_digit() {
                if !digits {
                    out.push('#');
                }
                digits = true;
            } else {
                digits = false;
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(class: Option<Class>, findings: &[&str], lines: &[&str]) -> Fingerprint {
        Fingerprint {
            class,
            findings: findings.iter().map(|f| (*f).to_owned()).collect(),
            lines: lines.iter().map(|l| normalised(l)).collect(),
        }
    }

    #[test]
    fn the_same_line_of_another_day_is_the_same() {
        assert_eq!(
            normalised("2026-02-27T10:00:01.123Z [plugins] pid 4711: Error at 0x7f3a"),
            normalised("2026-11-01T23:59:59.999Z [plugins] pid 1: Error at 0x7f3a"),
        );
        assert_ne!(normalised("Error: no token"), normalised("Error: no port"));
    }

    #[test]
    fn what_explains_decides_and_without_it_class_and_log_must_agree() {
        let mode = failure(
            Some(Class::ExitConfig),
            &["config.required_key gateway.mode"],
            &["Error: a"],
        );
        let again = failure(
            Some(Class::CrashLoop),
            &["config.required_key gateway.mode"],
            &["Error: b"],
        );
        assert_eq!(mode.likeness(&again), Likeness::Same);
        let crash = failure(Some(Class::CrashLoop), &[], &["Error: plugin x of 3 failed"]);
        for (other, likeness) in [
            (
                failure(Some(Class::CrashLoop), &[], &["error: plugin x of 4 failed"]),
                Likeness::Same,
            ),
            (
                failure(Some(Class::CrashLoop), &[], &["Error: something else"]),
                Likeness::Similar,
            ),
            (
                failure(Some(Class::ProcessGone), &[], &["Error: plugin x of 3 failed"]),
                Likeness::Similar,
            ),
            (failure(None, &[], &[]), Likeness::Other),
            (mode, Likeness::Other),
        ] {
            assert_eq!(crash.likeness(&other), likeness, "{other:?}");
        }
        // Refused, and nobody knows why: that alone is no failure that can be known again.
        let refused = failure(None, &["config.refused /x"], &[]);
        assert_ne!(refused.likeness(&refused.clone()), Likeness::Same);
    }
}
