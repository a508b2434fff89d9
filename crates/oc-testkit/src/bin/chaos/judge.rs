//! From what was recorded to the verdict. Pure.

use crate::case::{Case, End};
use crate::observer::{Life, Sight};
use oc_testkit::Event;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What was recorded of one run of a case.
pub(crate) struct Facts<'a> {
    /// Of the fault, on both clocks.
    pub(crate) injected: (Instant, i64),
    /// When the cause was taken away, if it was.
    pub(crate) mended: Option<Instant>,
    pub(crate) before: Option<Life>,
    pub(crate) sights: &'a [Sight],
    pub(crate) events: &'a [Event],
    /// Titles of the messages that arrived.
    pub(crate) alerts: &'a [String],
    /// Violated invariants, things left behind, and what the case itself found.
    pub(crate) left: Vec<String>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) detected_ms: Option<u64>,
    /// From the fault, or from its end where only that could heal it.
    pub(crate) recovered_ms: Option<u64>,
    /// Nobody served for so long at a stretch.
    pub(crate) outage_ms: Option<u64>,
    pub(crate) level: Option<u8>,
    pub(crate) actions: Vec<String>,
    /// Of those, the wrong and the needless ones.
    pub(crate) wrong: Vec<String>,
    pub(crate) alerts: Vec<String>,
    /// Everything that is not as declared; empty = as declared.
    pub(crate) misses: Vec<String>,
}

impl Verdict {
    /// It did not come to an end that could be judged.
    pub(crate) fn failed(why: String) -> Self {
        Self {
            detected_ms: None,
            recovered_ms: None,
            outage_ms: None,
            level: None,
            actions: Vec::new(),
            wrong: Vec::new(),
            alerts: Vec::new(),
            misses: vec![why],
        }
    }
}

pub(crate) fn judge(case: &Case, facts: Facts<'_>) -> Verdict {
    let (at, wall_ms) = facts.injected;
    let since: Vec<&Event> = facts.events.iter().filter(|event| event.wall_ms >= wall_ms).collect();
    let actions: Vec<String> = since
        .iter()
        .filter(|event| event.kind == "attempt")
        .map(|event| format!("{} {}", event.word("action"), event.word("method")))
        .collect();
    let wrong = wrong(case, &actions);
    let level = level(case, &actions);
    let recovered = recovered(&facts, facts.mended.unwrap_or(at));
    let mut misses = facts.left;
    misses.extend(wrong.iter().map(|action| format!("wrong or needless: {action}")));
    if let Some(expected) = case.level
        && level != Some(expected)
    {
        misses.push(format!("healed by level {level:?} instead of {expected}"));
    }
    if !case.alerts.contains(&facts.alerts.len()) {
        let expected = &case.alerts;
        misses.push(format!(
            "{} alerts instead of {expected:?}: {:?}",
            facts.alerts.len(),
            facts.alerts
        ));
    }
    let last = facts.sights.last().and_then(|sight| sight.serving);
    match case.end {
        End::Healed if recovered.is_none() => misses.push("nobody else serves and goes on serving".to_owned()),
        End::Passed | End::LeftAlone(_) if last != facts.before => {
            misses.push(format!("it was to be the same process: {:?}, {last:?}", facts.before));
        }
        _ => {}
    }
    Verdict {
        detected_ms: detected(&since).map(|seen| u64::try_from(seen - wall_ms).unwrap_or(0)),
        recovered_ms: recovered.map(millis),
        outage_ms: outage(facts.sights, at).map(millis),
        level,
        actions,
        wrong,
        alerts: facts.alerts.to_vec(),
        misses,
    }
}

/// When the tools first said that something is wrong.
fn detected(since: &[&Event]) -> Option<i64> {
    const SAYS_SO: [&str; 6] = [
        "exited",
        "incident_opened",
        "warning",
        "decision",
        "attempt",
        "human_needed",
    ];
    let first = since.iter().find(|event| SAYS_SO.contains(&event.kind.as_str()))?;
    Some(first.wall_ms)
}

/// The first good look at another life after which every look was good.
pub(crate) fn recovered(facts: &Facts<'_>, from: Instant) -> Option<Duration> {
    let last = facts.sights.last()?;
    let serving = last.serving?;
    let new = facts.mended.is_some() || Some(serving) != facts.before;
    new.then(|| last.at.saturating_duration_since(from))
}

/// The longest stretch since then in which nobody served, of those that are over.
fn outage(sights: &[Sight], since: Instant) -> Option<Duration> {
    let over = sights
        .windows(2)
        .filter(|pair| pair[0].serving.is_none() && pair[1].at > since);
    over.map(|pair| pair[1].at.saturating_duration_since(pair[0].at)).max()
}

fn wrong(case: &Case, actions: &[String]) -> Vec<String> {
    let right = |action: &str| case.actions.contains(&action);
    let (good, mut wrong): (Vec<&String>, Vec<String>) =
        actions.iter().fold((Vec::new(), Vec::new()), |mut both, action| {
            if right(action) {
                both.0.push(action);
            } else {
                both.1.push(action.clone());
            }
            both
        });
    wrong.extend(good.into_iter().skip(case.most).cloned());
    wrong
}

fn level(case: &Case, actions: &[String]) -> Option<u8> {
    let rung = |action: &String| match action.split(' ').next() {
        Some("restart") => 1,
        Some("doctor") => 2,
        Some("agent") => 3,
        _ => 0,
    };
    match case.end {
        End::Healed => Some(actions.iter().map(rung).max().unwrap_or(0)),
        End::Human => Some(4),
        End::Passed | End::LeftAlone(_) => None,
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CASE;
    use serde_json::json;

    const HEALED: Case = Case {
        actions: &["restart kill"],
        most: 1,
        level: Some(1),
        ..CASE
    };

    fn life(pid: u32) -> Option<Life> {
        Some(Life {
            pid,
            ticks: 1,
            epoch: 0,
        })
    }

    fn event(kind: &str, wall_ms: i64, action: &str) -> Event {
        Event {
            wall_ms,
            kind: kind.into(),
            tool: "oc-escalate".into(),
            run: None,
            incident: None,
            text: String::new(),
            data: json!({"action": action, "method": "kill"}),
        }
    }

    fn verdict(case: &Case, events: &[Event], seen: &[(u64, Option<Life>)]) -> Verdict {
        let zero = Instant::now();
        let sights: Vec<Sight> = seen
            .iter()
            .map(|(ms, serving)| Sight {
                at: zero + Duration::from_millis(*ms),
                serving: *serving,
            })
            .collect();
        judge(
            case,
            Facts {
                injected: (zero, 1_000),
                mended: None,
                before: life(1),
                sights: &sights,
                events,
                alerts: &[],
                left: Vec::new(),
            },
        )
    }

    #[test]
    fn recovery_is_the_first_good_look_after_which_all_were_good() {
        let seen = [(0, None), (50, life(2)), (80, None), (120, life(3))];
        let verdict = verdict(
            &HEALED,
            &[event("exited", 1_020, ""), event("attempt", 1_040, "restart")],
            &seen,
        );
        assert_eq!(
            (verdict.detected_ms, verdict.recovered_ms, verdict.level),
            (Some(20), Some(120), Some(1))
        );
        assert_eq!(verdict.outage_ms, Some(50));
        assert!(verdict.misses.is_empty(), "{:?}", verdict.misses);
    }

    #[test]
    fn the_old_process_is_no_recovery() {
        let verdict = verdict(
            &HEALED,
            &[event("attempt", 1_040, "restart")],
            &[(0, None), (50, life(1))],
        );
        assert_eq!(verdict.recovered_ms, None);
        assert!(
            verdict.misses.iter().any(|miss| miss.contains("nobody else")),
            "{:?}",
            verdict.misses
        );
    }

    #[test]
    fn what_is_not_declared_is_wrong_and_what_is_too_much_is_needless() {
        let events =
            [("restart", 1), ("doctor", 2), ("restart", 3)].map(|(action, at)| event("attempt", 1_000 + at, action));
        let verdict = verdict(&HEALED, &events, &[(0, None), (50, life(2))]);
        assert_eq!(verdict.wrong, ["doctor kill", "restart kill"]);
    }

    #[test]
    fn a_control_fails_when_its_process_was_replaced() {
        let control = Case {
            end: End::LeftAlone(3),
            ..CASE
        };
        let left = verdict(&control, &[], &[(0, life(1))]);
        assert!(left.misses.is_empty(), "{:?}", left.misses);
        let replaced = verdict(&control, &[], &[(0, life(1)), (9, None), (10, life(2))]);
        assert_eq!(replaced.misses.len(), 1);
        let alerted = Case {
            alerts: 1..=1,
            ..control
        };
        assert!(verdict_of(&alerted).misses[0].contains("0 alerts"));
    }

    fn verdict_of(case: &Case) -> Verdict {
        verdict(case, &[], &[(0, life(1))])
    }

    #[test]
    fn what_happened_before_the_fault_does_not_count() {
        let verdict = verdict(
            &HEALED,
            &[event("attempt", 900, "doctor"), event("attempt", 1_001, "restart")],
            &[(0, life(2))],
        );
        assert_eq!(verdict.actions.first().unwrap(), "restart kill");
        assert_eq!(verdict.actions.len(), 1);
    }
}
