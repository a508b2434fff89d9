//! Every series against its limit. Pure.

use crate::ground::Run;
use crate::sample::Sample;
use crate::series::{floor, growth, median};
use serde::Serialize;

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) first: f64,
    pub(crate) median: f64,
    pub(crate) last: f64,
    pub(crate) max: f64,
    /// Over the second half of the run; see [`growth`]. Null: too few points to tell.
    pub(crate) growth: Option<f64>,
    /// What it may grow by; null for what is only shown.
    pub(crate) limit: Option<f64>,
    pub(crate) good: bool,
}

/// A measured quantity, and by how much it may grow over the second half.
struct Rule {
    what: &'static str,
    unit: &'static str,
    limit: Option<f64>,
    of: fn(&Sample) -> f64,
}

const KIB: f64 = 1024.0;
/// A count that grows by one does not leak; one that grows steadily does.
const COUNT: Option<f64> = Some(1.0);

const RULES: [Rule; 14] = [
    rule("supervisor, allocated", "KiB", Some(256.0), |s| {
        s.supervisor.allocated_kib
    }),
    rule("supervisor, resident", "KiB", None, |s| s.supervisor.rss_kib),
    rule("supervisor, descriptors", "", COUNT, |s| s.supervisor.descriptors),
    rule("supervisor, threads", "", COUNT, |s| s.supervisor.threads),
    // It is another one after each fault: what it inherits from the supervisor shows here.
    rule("gateway, allocated", "KiB", Some(256.0), |s| s.gateway.allocated_kib),
    rule("gateway, descriptors", "", COUNT, |s| s.gateway.descriptors),
    rule("gateway, threads", "", COUNT, |s| s.gateway.threads),
    rule("processes of this HOME", "", COUNT, |s| s.processes),
    rule("files in TMPDIR", "", COUNT, |s| s.temporary),
    rule(
        "files in the state directory, without what is kept by number",
        "",
        Some(2.0),
        |s| s.files,
    ),
    rule("bytes of these, without the journal", "KiB", Some(64.0), |s| {
        s.bytes / KIB
    }),
    rule("incidents on record (200 at most)", "", None, |s| s.incidents),
    rule("bytes of incidents, snapshots, lessons, outbox", "KiB", None, |s| {
        s.kept_bytes / KIB
    }),
    rule("bytes of the log (10 MiB, then rotated)", "KiB", None, |s| {
        s.log_bytes / KIB
    }),
];

const fn rule(what: &'static str, unit: &'static str, limit: Option<f64>, of: fn(&Sample) -> f64) -> Rule {
    Rule { what, unit, limit, of }
}

/// What is kept by number, beside the run of its newest.
const INCIDENTS_KEPT: f64 = 201.0;
/// A quiet pass writes nothing into the journal; a sample every five minutes and what is told late do.
const QUIET_BYTES: f64 = 64.0;
/// What a fault may add to the journal: the events of an incident, with room for a relapse.
const BYTES_PER_FAULT: f64 = 24.0 * KIB;
/// So late a pass may be in the median: the process that begins it must be made first.
const LATE_MS: f64 = 25.0;

/// The whole table.
pub(crate) fn lines(run: &Run) -> Vec<Line> {
    let samples = &run.samples;
    let mut lines: Vec<Line> = RULES
        .iter()
        .filter_map(|rule| {
            let points: Vec<_> = samples.iter().map(|s| (s.at_s, (rule.of)(s))).collect();
            let floor = line("", "", &floor(&points), rule.limit)?;
            let line = Line {
                growth: floor.growth,
                good: floor.good,
                ..line(rule.what, rule.unit, &points, rule.limit)?
            };
            Some(line.of_samples())
        })
        .collect();
    if let Some(incidents) = lines.iter_mut().find(|line| line.what.starts_with("incidents")) {
        incidents.good = incidents.max <= INCIDENTS_KEPT;
    }
    lines.extend(
        line(
            "journal per fault",
            "KiB",
            &between(samples, |s| s.journal_bytes / KIB, |s| s.faults as f64),
            Some(4.0),
        )
        .map(|line| Line {
            good: line.good && line.median <= BYTES_PER_FAULT / KIB,
            ..line
        }),
    );
    lines.extend(line(
        "CPU per pass",
        "ms",
        &between(samples, |s| s.cpu_ms, |s| s.passes as f64),
        Some(10.0),
    ));
    lines.extend(late(run));
    lines
}

impl Line {
    /// A run that was measured too seldom proves nothing.
    fn of_samples(self) -> Self {
        Self {
            good: self.good && (self.growth.is_some() || self.limit.is_none()),
            ..self
        }
    }
}

fn line(what: &'static str, unit: &'static str, points: &[(f64, f64)], limit: Option<f64>) -> Option<Line> {
    let mut values: Vec<f64> = points.iter().map(|point| point.1).collect();
    let growth = growth(points);
    Some(Line {
        what,
        unit,
        first: *values.first()?,
        last: *values.last()?,
        max: values.iter().copied().fold(f64::MIN, f64::max),
        median: median(&mut values)?,
        growth,
        limit,
        good: limit.is_none_or(|limit| growth.is_none_or(|growth| growth < limit)),
    })
}

/// From sample to sample: what was added to one thing, per what was added to another.
fn between(samples: &[Sample], of: fn(&Sample) -> f64, per: fn(&Sample) -> f64) -> Vec<(f64, f64)> {
    let pairs = samples.windows(2).filter_map(|pair| match pair {
        [a, b] if per(b) > per(a) => Some((b.at_s, (of(b) - of(a)) / (per(b) - per(a)))),
        _ => None,
    });
    pairs.collect()
}

/// The cadence: by the clock alone, in quiet times. The machine may be busy with other things, and more so in the end than at the
/// beginning: only what is late beyond what the machine makes anybody late counts against us.
fn late(run: &Run) -> Option<Line> {
    let cadence = &run.cadence;
    let own: Vec<(f64, f64)> = (cadence.late.iter().zip(&cadence.machine))
        .map(|((at, late), machine)| (*at, late - machine))
        .collect();
    let own = line("", "ms", &own, Some(LATE_MS))?;
    let line = line("a pass begins late by", "ms", &cadence.late, Some(LATE_MS))?;
    // A machine that calms down leaves more of it to us, and is no drift either.
    let drifts = !line.good && !own.good;
    Some(Line {
        good: !drifts && line.median.min(own.median) <= LATE_MS && cadence.missed() == 0,
        ..line
    })
}

/// What is wrong beside the series, as sentences.
pub(crate) fn findings(run: &Run) -> Vec<String> {
    let mut found = run.wrong.clone();
    let quiet = run.quiet;
    if quiet.passes > 0 && quiet.journal_bytes as f64 / quiet.passes as f64 > QUIET_BYTES {
        found.push(format!(
            "{} quiet passes wrote {} bytes into the journal",
            quiet.passes, quiet.journal_bytes
        ));
    }
    if run.samples.len() < 6 {
        found.push(format!("{} samples are too few to tell anything", run.samples.len()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cadence::Cadence;
    use crate::ground::Quiet;
    use crate::sample::Size;
    use std::collections::BTreeMap;
    use std::time::Duration;

    fn run(change: impl Fn(usize, &mut Sample)) -> Run {
        let size = Size {
            rss_kib: 3_000.0,
            allocated_kib: 500.0,
            descriptors: 12.0,
            threads: 1.0,
        };
        let samples = (0..60_u32).map(|n| {
            let at = f64::from(n);
            let mut sample = Sample {
                at_s: at * 60.0,
                passes: u64::from(n) * 55,
                faults: u64::from(n) * 5,
                supervisor: size,
                gateway: size,
                processes: 2.0,
                files: 30.0,
                bytes: 40_000.0,
                incidents: (at * 4.0).min(200.0),
                kept_bytes: at * 200_000.0,
                temporary: 0.0,
                journal_bytes: at * 20_000.0,
                log_bytes: at * 9_000.0,
                cpu_ms: at * 55.0 * 9.0,
            };
            change(n as usize, &mut sample);
            sample
        });
        Run {
            samples: samples.collect(),
            cadence: Cadence {
                passes: 3_300,
                late: (0..1_000).map(|n| (f64::from(n), 3.0)).collect(),
                machine: vec![2.0; 1_000],
            },
            faults: BTreeMap::new(),
            quiet: Quiet {
                passes: 1_000,
                journal_bytes: 4_000,
            },
            told: 0,
            took: Duration::from_secs(3_600),
            wrong: Vec::new(),
        }
    }

    fn bad(run: &Run) -> Vec<&'static str> {
        lines(run)
            .iter()
            .filter(|line| !line.good)
            .map(|line| line.what)
            .collect()
    }

    #[test]
    fn what_stays_as_it_is_is_good() {
        let calm = run(|n, sample| sample.supervisor.allocated_kib += [0.0, 16.0, 4.0, 8.0][n % 4]);
        assert_eq!(bad(&calm), Vec::<&str>::new());
        assert_eq!(findings(&calm), Vec::<String>::new());
    }

    #[test]
    fn each_leak_is_named() {
        type Leak = (fn(f64, &mut Sample), &'static str);
        let leaks: [Leak; 9] = [
            (|n, s| s.supervisor.allocated_kib += n * 16.0, "supervisor, allocated"),
            (
                |n, s| s.supervisor.descriptors += (n / 10.0).floor(),
                "supervisor, descriptors",
            ),
            (|n, s| s.supervisor.threads += (n / 10.0).floor(), "supervisor, threads"),
            (
                |n, s| s.gateway.descriptors += (n / 10.0).floor(),
                "gateway, descriptors",
            ),
            (|n, s| s.processes += (n / 10.0).floor(), "processes of this HOME"),
            (|n, s| s.temporary += (n / 10.0).floor(), "files in TMPDIR"),
            (
                |n, s| s.files += n,
                "files in the state directory, without what is kept by number",
            ),
            (|n, s| s.bytes += n * 4_096.0, "bytes of these, without the journal"),
            (|n, s| s.incidents = n * 4.0, "incidents on record (200 at most)"),
        ];
        for (leak, name) in leaks {
            assert_eq!(bad(&run(|n, sample| leak(n as f64, sample))), [name]);
        }
    }

    #[test]
    fn what_takes_more_each_time_is_named() {
        assert_eq!(
            bad(&run(|n, s| s.journal_bytes += (n * n) as f64 * 1_500.0)),
            ["journal per fault"]
        );
        assert_eq!(bad(&run(|n, s| s.cpu_ms += (n * n) as f64 * 20.0)), ["CPU per pass"]);
    }

    #[test]
    fn a_cadence_that_drifts_is_late_or_misses_passes_is_named() {
        let mut drifting = run(|_, _| {});
        for (n, late) in drifting.cadence.late.iter_mut().enumerate() {
            late.1 += n as f64 / 10.0;
        }
        let mut late = run(|_, _| {});
        late.cadence.late.iter_mut().for_each(|late| late.1 += 100.0);
        let mut missing = run(|_, _| {});
        missing.cadence.late[500].1 = 1_500.0;
        for run in [drifting, late, missing] {
            assert_eq!(bad(&run), ["a pass begins late by"]);
        }
    }

    #[test]
    fn a_machine_that_gets_busy_or_calms_down_is_no_drift() {
        let mut busier = run(|_, _| {});
        for (n, late) in busier.cadence.late.iter_mut().enumerate() {
            late.1 += n as f64 / 10.0;
        }
        for (n, machine) in busier.cadence.machine.iter_mut().enumerate() {
            *machine += n as f64 / 10.0;
        }
        let mut calmer = run(|_, _| {});
        for (n, machine) in calmer.cadence.machine.iter_mut().enumerate() {
            *machine += 100.0 - n as f64 / 10.0;
        }
        for run in [busier, calmer] {
            assert_eq!(bad(&run), Vec::<&str>::new());
        }
    }

    #[test]
    fn quiet_passes_that_write_and_a_run_that_measured_nothing_are_found() {
        let mut loud = run(|_, _| {});
        loud.quiet.journal_bytes = 400_000;
        assert_eq!(findings(&loud).len(), 1);
        let mut blind = run(|_, _| {});
        blind.samples.clear();
        assert_eq!(findings(&blind).len(), 1);
    }
}
