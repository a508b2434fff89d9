//! When the service is started again. Pure.

use oc_core::report::ServiceExit;
use oc_core::service::embedded::EXITS_KEPT;
use std::time::Duration;

/// Exit status EX_CONFIG: starting it again at once cannot help.
const EX_CONFIG: i32 = 78;
/// So many ends within `BURST` ...
const BURST: Duration = Duration::from_secs(10);
/// ... and the next start waits this long: a service that gets ready and dies at once must not keep the machine busy.
const BURST_PAUSE: Duration = Duration::from_secs(1);

/// The waits of `service.supervise`.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Waited once per end in a row without having been ready.
    pub step: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Rule {
    /// Whether an end counts as a failed start. A process that ran longer than the longest wait is no crash loop, even if
    /// nobody ever saw it ready (a probe URL that is wrong).
    #[must_use]
    pub fn failed_start(&self, exit: &ServiceExit) -> bool {
        let settled = exit.was_ready || Duration::from_millis(exit.ran_ms) >= self.max;
        exit.status == Some(EX_CONFIG) || !settled
    }

    /// The wait before the next start, after `failed_in_a_row` failed starts; `exits` are the recent ends, oldest first.
    #[must_use]
    pub fn pause(&self, failed_in_a_row: u32, exits: &[ServiceExit]) -> Duration {
        if failed_in_a_row > 0 {
            return self.step.saturating_mul(failed_in_a_row).min(self.max);
        }
        match (exits.first(), exits.last()) {
            (Some(first), Some(last)) if exits.len() >= EXITS_KEPT && last.at.since(&first.at) < BURST => BURST_PAUSE,
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oc_core::clock::Stamp;

    const RULE: Rule = Rule {
        step: Duration::from_secs(10),
        max: Duration::from_secs(300),
    };

    fn exit(status: Option<i32>, was_ready: bool, ran_ms: u64, at_ms: u64) -> ServiceExit {
        let at = Stamp {
            wall_ms: 0,
            boot_ms: at_ms,
            awake_ms: at_ms,
            boot: "b".into(),
        };
        ServiceExit {
            at,
            status,
            signal: None,
            was_ready,
            ran_ms,
        }
    }

    #[test]
    fn at_once_after_it_was_ready_else_ten_seconds_more_each_time() {
        assert!(!RULE.failed_start(&exit(None, true, 5, 0)));
        assert!(RULE.failed_start(&exit(Some(1), false, 5, 0)));
        let waits: Vec<u64> = [0, 1, 2, 3, 29, 30, 31, u32::MAX]
            .map(|n| RULE.pause(n, &[]).as_secs())
            .to_vec();
        assert_eq!(waits, [0, 10, 20, 30, 290, 300, 300, 300]);
    }

    #[test]
    fn exit_78_waits_even_after_it_was_ready() {
        assert!(RULE.failed_start(&exit(Some(78), true, 5_000_000, 0)));
    }

    #[test]
    fn a_long_run_that_nobody_saw_ready_is_no_crash_loop() {
        assert!(RULE.failed_start(&exit(Some(1), false, 299_999, 0)));
        assert!(!RULE.failed_start(&exit(Some(1), false, 300_000, 0)));
    }

    #[test]
    fn ten_kills_in_a_row_are_met_at_once_but_twenty_ends_in_ten_seconds_are_slowed_down() {
        let ends = |n: u64, apart: u64| (0..n).map(|i| exit(None, true, 5, i * apart)).collect::<Vec<_>>();
        assert_eq!(RULE.pause(0, &ends(10, 5)), Duration::ZERO);
        assert_eq!(RULE.pause(0, &ends(20, 5)), Duration::from_secs(1));
        assert_eq!(RULE.pause(0, &ends(20, 1000)), Duration::ZERO);
    }
}
