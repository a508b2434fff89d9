//! Why the service's process last ended, without asking anybody: exit status, signal, and what its log says.

use crate::finding::Finding;
use crate::logs;
use crate::scene::Scene;

/// What a line of the log gives away, the most telling first.
const TELLING: [(&str, &str); 12] = [
    ("heap out of memory", "it ran out of memory (node's heap)"),
    ("EADDRINUSE", "its port was taken"),
    ("database or disk is full", "the disk was full"),
    ("ENOSPC", "the disk was full"),
    ("readonly database", "its state directory was read-only"),
    ("file is not a database", "its state database is damaged"),
    ("Cannot find module", "a file of its installation is missing"),
    (
        "Refusing to run automatic gateway startup migrations",
        "its configuration comes from a newer version",
    ),
    (
        "Refusing to bind",
        "its configuration opens it to other machines without sign-in",
    ),
    ("Invalid config at", "its configuration is not accepted"),
    ("plugin", "a plugin is named in the error"),
    ("Error", "an error"),
];

/// exit.cause
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    if scene.evidence.serving() == Some(true) {
        return;
    }
    let Some(exit) = &scene.evidence.last_exit else { return };
    let how = match (exit.status, exit.signal) {
        (Some(0), _) => return,
        (Some(78), _) => "exited with 78: its configuration does not let it run".to_owned(),
        (Some(137), _) | (_, Some(9)) => {
            "was killed (KILL): by a person, a supervisor, or for want of memory".to_owned()
        }
        (Some(code), _) => format!("exited with {code}"),
        (_, Some(6)) => "aborted: node does that when it runs out of memory".to_owned(),
        (_, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => return,
    };
    let mut message = format!("the service {how}");
    if let Some((line, meaning)) = cause(&logs::last_lines(scene)) {
        message.push_str(&format!("; {meaning}: {line}"));
    }
    findings.push(Finding::warning("exit.cause", "service", message));
}

/// The newest line that tells most.
fn cause(lines: &[String]) -> Option<(&str, &'static str)> {
    TELLING.iter().find_map(|(sign, meaning)| {
        let line = lines.iter().rev().find(|line| line.contains(sign))?;
        Some((line.as_str(), *meaning))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_telling_line_wins() {
        let lines = [
            "Error: listen EADDRINUSE: address already in use 127.0.0.1:18789",
            "Error: bye",
        ]
        .map(str::to_owned);
        assert_eq!(cause(&lines).unwrap().1, "its port was taken");
        assert_eq!(cause(&["all well".to_owned()]), None);
    }
}
