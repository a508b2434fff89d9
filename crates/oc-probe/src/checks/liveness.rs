//! Does it answer? The one question that everything else hangs on.

use super::{ask, check, millis};
use crate::expect::{self, Miss};
use oc_core::clock::{Deadline, Stamp};
use oc_core::config::Probe;
use oc_core::http::{Failure, Limits, Response, Target, Trouble};
use oc_core::report::{Check, CheckStatus};
use std::time::Duration;

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Liveness {
    /// It answers as it should, or it wants to know who asks (401): it serves.
    Serving {
        /// How long the answer took.
        latency_ms: u64,
        /// What it said.
        said: String,
    },
    /// Nobody listens.
    Refused,
    /// Connected, and not one byte for as long as it takes to call it hung.
    Silent {
        /// For how long.
        stalled_ms: u64,
    },
    /// Connected, and no byte as long as there was time to wait: too short to say more.
    Quiet {
        /// For how long.
        stalled_ms: u64,
    },
    /// It answered with another status.
    Status {
        /// Which.
        status: u16,
        /// What it said.
        said: String,
    },
    /// It answered with another body.
    Body {
        /// In what it differs.
        miss: String,
        /// What it said.
        said: String,
    },
    /// It began to answer, and that came to nothing: reset, too slow, not HTTP.
    Broken {
        /// How.
        what: String,
    },
    /// We could not ask, or were not scheduled while we waited. Says nothing about the service.
    Unmeasured {
        /// Why.
        what: String,
    },
}

impl Liveness {
    /// True when the service answered as it should.
    #[must_use]
    pub fn serving(&self) -> bool {
        matches!(self, Self::Serving { .. })
    }

    /// For how long connections brought no byte, without a break.
    #[must_use]
    pub fn stalled_ms(&self) -> u64 {
        match self {
            Self::Silent { stalled_ms } | Self::Quiet { stalled_ms } => *stalled_ms,
            _ => 0,
        }
    }

    /// The line of the report.
    #[must_use]
    pub fn check(&self, probe: &Probe) -> Check {
        let actual = match self {
            Self::Serving { said, .. } => said.clone(),
            Self::Refused => "connection refused".to_owned(),
            Self::Silent { stalled_ms } => format!("connected, not one byte for {}", seconds(*stalled_ms)),
            Self::Quiet { stalled_ms } => format!(
                "connected, not one byte for {}; only after {} it is called hung",
                seconds(*stalled_ms),
                probe.hang_after
            ),
            Self::Status { status, said } => format!("{status} {said}"),
            Self::Body { miss, said } => format!("the body {miss}: {said}"),
            Self::Broken { what } | Self::Unmeasured { what } => what.clone(),
        };
        let status = match self {
            Self::Serving { .. } => CheckStatus::Ok,
            Self::Unmeasured { .. } | Self::Quiet { .. } => CheckStatus::Skip,
            _ => CheckStatus::Fail,
        };
        check("liveness", status, expected(probe), actual.trim())
    }
}

fn expected(probe: &Probe) -> String {
    let status = probe.liveness.status.map_or("2xx".to_owned(), |s| s.to_string());
    let body = probe
        .liveness
        .json
        .as_ref()
        .map_or(String::new(), |json| format!(" {json}"));
    format!("{} {status}{body}", probe.liveness_path)
}

fn seconds(ms: u64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

/// Asks once; when the connection stays silent, goes on listening until that can be called hung (or `overall` ends).
/// Any byte in between ends the silence.
#[must_use]
pub fn look(target: &Target, probe: &Probe, overall: &Deadline) -> Liveness {
    let hang_after = probe.hang_after.get();
    let silence = Silence::new(target, probe);
    let first = probe.timeout.get().min(hang_after).min(overall.left());
    let failure = match silence.listen(first) {
        Ok(seen) => return seen,
        Err(failure) => failure,
    };
    let mut stalled = failure.took;
    let mut late = failure.overshoot;
    // One long exchange instead of many short ones: a service that needs 6 s for an answer is slow, not hung.
    let rest = hang_after.saturating_sub(stalled).min(overall.left());
    if rest > Duration::from_millis(1) {
        match silence.listen(rest) {
            Ok(seen) => return seen,
            Err(failure) => {
                stalled += failure.took;
                late = late.max(failure.overshoot);
            }
        }
    }
    if late >= probe.max_sched_delay.get() {
        return unscheduled(late);
    }
    let stalled_ms = millis(stalled);
    if stalled_ms + 50 >= millis(hang_after) {
        Liveness::Silent { stalled_ms }
    } else {
        Liveness::Quiet { stalled_ms }
    }
}

fn unscheduled(late: Duration) -> Liveness {
    Liveness::Unmeasured {
        what: format!(
            "this machine let us wait {} ms too long; what we saw says nothing",
            late.as_millis()
        ),
    }
}

struct Silence<'a> {
    target: &'a Target,
    probe: &'a Probe,
}

impl<'a> Silence<'a> {
    fn new(target: &'a Target, probe: &'a Probe) -> Self {
        Self { target, probe }
    }

    /// Asks once. Silence is the error.
    fn listen(&self, total: Duration) -> Result<Liveness, Failure> {
        let limits = Limits {
            total,
            body_cap: usize::try_from(self.probe.body_cap.get()).unwrap_or(usize::MAX),
        };
        match ask(self.target, &self.probe.liveness_path, limits) {
            Ok(response) => Ok(judge(&response, self.probe)),
            Err(failure) if self.silent(failure.trouble) => Err(failure),
            Err(failure) => Ok(self.failed(failure)),
        }
    }

    /// On loopback only a full queue of a process that no longer accepts lets a connection attempt go unanswered.
    fn silent(&self, trouble: Trouble) -> bool {
        trouble == Trouble::NoBytes || (trouble == Trouble::NoConnection && self.target.loopback())
    }

    fn failed(&self, failure: Failure) -> Liveness {
        match failure.trouble {
            Trouble::Refused => Liveness::Refused,
            Trouble::Ourselves | Trouble::NoConnection | Trouble::NoBytes => {
                Liveness::Unmeasured { what: failure.what }
            }
            Trouble::TooSlow if failure.overshoot >= self.probe.max_sched_delay.get() => unscheduled(failure.overshoot),
            Trouble::TooSlow | Trouble::Reset | Trouble::NotHttp => Liveness::Broken { what: failure.what },
        }
    }
}

fn judge(response: &Response, probe: &Probe) -> Liveness {
    match expect::met(&probe.liveness, response.status, &response.body, &Stamp::now()) {
        Ok(()) => Liveness::Serving {
            latency_ms: millis(response.took),
            said: format!("{}, as expected", response.status),
        },
        Err(Miss::Status) if response.status == 401 => Liveness::Serving {
            latency_ms: millis(response.took),
            said: "401: it serves, and wants to know who asks".to_owned(),
        },
        Err(Miss::Status) => Liveness::Status {
            status: response.status,
            said: expect::excerpt(&response.body),
        },
        Err(Miss::Body(miss)) => Liveness::Body {
            miss,
            said: expect::excerpt(&response.body),
        },
    }
}
