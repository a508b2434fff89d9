//! Which cases there are, and saying things.

use crate::case::{Case, Class};
use crate::cases::ALL;
use std::io::Write as _;

pub(crate) fn show(real: bool) {
    for case in ALL.iter().filter(|case| case.on.is(real)) {
        let mut notes: Vec<String> = case.needs.iter().map(|need| need.words()).collect();
        if case.ci {
            notes.insert(0, "ci".to_owned());
        }
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!(" [{}]", notes.join(", "))
        };
        say(&format!(
            "{:<5} {:<15} {}{notes}",
            case.id,
            case.class.name(),
            case.fault
        ));
    }
}

/// The cases of these ids on this gateway, or the first id that there is not.
pub(crate) fn named(ids: &[String], real: bool) -> Result<Vec<&'static Case>, String> {
    ids.iter()
        .map(|id| {
            let same = |case: &&&Case| case.on.is(real) && case.id.eq_ignore_ascii_case(id);
            ALL.iter().find(same).copied().ok_or_else(|| id.clone())
        })
        .collect()
}

pub(crate) fn selected(ci: bool, real: bool) -> Vec<&'static Case> {
    let wanted = |case: &&&Case| case.on.is(real) && (!ci || case.ci);
    let mut cases: Vec<&Case> = ALL.iter().filter(wanted).copied().collect();
    // They take the longest: nothing is to wait for them in the end.
    cases.sort_by_key(|case| case.class != Class::Extreme);
    cases
}

pub(crate) fn say(text: &str) {
    // A reader who closed the pipe has seen enough; what was started must still be ended.
    drop(writeln!(std::io::stdout(), "{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_whole_catalogue_is_here_once() {
        let span = |letter: &str, last: u32, suffix: &str| -> Vec<String> {
            (1..=last).map(|n| format!("{letter}{n}{suffix}")).collect()
        };
        let catalogue = [
            span("P", 11, ""),
            span("H", 10, ""),
            span("R", 6, ""),
            span("C", 9, "f"),
            span("F", 6, ""),
            span("N", 4, ""),
            span("D", 3, ""),
            span("S", 5, ""),
            span("T", 2, ""),
            span("K", 5, ""),
            span("W", 6, ""),
            span("X", 7, ""),
        ];
        for real in [true, false] {
            let here: Vec<&str> = selected(false, real).iter().map(|case| case.id).collect();
            let once: BTreeSet<&&str> = here.iter().collect();
            assert_eq!(once.len(), here.len(), "twice: {here:?}");
        }
        let here: Vec<&str> = selected(false, false).iter().map(|case| case.id).collect();
        let missing: Vec<&String> = catalogue
            .iter()
            .flatten()
            .filter(|id| !here.iter().any(|case| is_or_mode_of(case, id)))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    /// A fault with several modes has a case for each: `W3a`, `W3b` ...
    fn is_or_mode_of(case: &str, id: &str) -> bool {
        let mode = case.strip_prefix(id);
        mode.is_some_and(|mode| mode.chars().all(|c| c.is_ascii_lowercase()))
    }

    /// Counted by fault, whatever number of modes it has.
    #[test]
    fn few_can_be_skipped() {
        let fault = |case: &&'static Case| case.id.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let cases = selected(false, false);
        let all: BTreeSet<&str> = cases.iter().map(fault).collect();
        let needy = cases.iter().filter(|case| !case.needs.is_empty());
        let needy: BTreeSet<&str> = needy.map(fault).collect();
        assert!(
            needy.len() * 10 <= all.len() * 2,
            "of {} these need what not every machine has: {needy:?}",
            all.len()
        );
    }

    #[test]
    fn a_control_allows_no_action_and_no_alert() {
        for case in ALL.iter().filter(|case| case.class == crate::case::Class::Control) {
            assert!(
                case.actions.is_empty() && case.most == 0 && case.alerts == (0..=0),
                "{}",
                case.id
            );
        }
    }
}
