//! Whether something grows (memory, what is taken of the disk), and until when it fits. A robust line (Theil-Sen) through
//! its minima, believed only when it is significant (Mann-Kendall) and goes on to the end: a step, a warm-up, the teeth of a garbage
//! collector and noise are no trend. Never a trigger by itself.

use serde::Serialize;
use std::time::Duration;

/// Points of the line at most: pairs are compared, so the work grows with the square.
const POINTS: usize = 96;
/// Fewer points prove nothing.
const FEWEST: usize = 12;
/// The first minutes of a process are its warm-up.
const WARM_UP_MS: i64 = 30 * 60_000;
/// The shortest series that is judged.
const SHORTEST_MS: i64 = 2 * 3_600_000;
/// Mann-Kendall score that chance reaches once in 200 series.
const SIGNIFICANT: f64 = 2.81;
/// Half width of the interval of the slope, in deviations.
const INTERVAL: f64 = 1.96;
/// A rise of less is no leak worth a word.
const LEAST_RISE: f64 = 0.03;
/// Further ahead nothing is promised.
const HORIZON: Duration = Duration::from_secs(30 * 86_400);

/// What is known about the future.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "trend")]
pub enum Forecast {
    /// Too little is on record.
    TooShort,
    /// It does not grow.
    None,
    /// It grows.
    Rising {
        /// Bytes an hour.
        bytes_per_hour: f64,
        /// When the limit is reached, milliseconds since 1970; `None` beyond a month.
        reached_ms: Option<i64>,
        /// The earliest such time, with 95 % confidence.
        earliest_ms: Option<i64>,
        /// The latest.
        latest_ms: Option<i64>,
        /// The line: its value at the last sample.
        level: f64,
    },
}

/// Judges a series of (milliseconds since 1970, bytes), oldest first. What shrinks towards a limit is given as negative bytes.
#[must_use]
pub fn forecast(series: &[(i64, f64)], limit: f64) -> Forecast {
    let Some((begin, _)) = series.first() else {
        return Forecast::TooShort;
    };
    let warm: Vec<(i64, f64)> = series
        .iter()
        .copied()
        .filter(|(at, _)| at - begin >= WARM_UP_MS)
        .collect();
    let (Some(first), Some(last)) = (warm.first(), warm.last()) else {
        return Forecast::TooShort;
    };
    if last.0 - first.0 < SHORTEST_MS || warm.len() < FEWEST {
        return Forecast::TooShort;
    }
    let points = minima(&warm);
    let line = Line::through(&points);
    let rise = line.slope * (last.0 - first.0) as f64;
    if line.score < SIGNIFICANT
        || line.low <= 0.0
        || rise < LEAST_RISE * line.middle.abs()
        || !goes_on(&points, line.slope)
    {
        return Forecast::None;
    }
    let level = line.at(last.0);
    let reach = |slope: f64| {
        let ms = (limit - level).max(0.0) / slope;
        (ms.is_finite() && ms <= HORIZON.as_millis() as f64).then(|| last.0 + ms as i64)
    };
    Forecast::Rising {
        bytes_per_hour: line.slope * 3_600_000.0,
        reached_ms: reach(line.slope),
        earliest_ms: reach(line.high),
        latest_ms: reach(line.low),
        level,
    }
}

/// The smallest value of each of a bounded number of equal spans: what the garbage collector cannot give back.
fn minima(series: &[(i64, f64)]) -> Vec<(f64, f64)> {
    let size = series
        .len()
        .div_ceil(POINTS)
        .max(if series.len() >= 4 * FEWEST { 4 } else { 1 });
    series
        .chunks(size)
        .filter_map(|chunk| chunk.iter().min_by(|a, b| a.1.total_cmp(&b.1)))
        .map(|(at, value)| (*at as f64, *value))
        .collect()
}

/// A step is flat afterwards and a warm-up flattens; a leak rises in its last third as before.
fn goes_on(points: &[(f64, f64)], slope: f64) -> bool {
    let tail = |share: usize| {
        let line = Line::through(&points[points.len() - (points.len() / share).max(4)..]);
        line.slope >= slope / 3.0
    };
    let head = Line::through(&points[..(points.len() / 2).max(4)]);
    tail(2) && tail(3) && head.slope >= slope / 4.0
}

struct Line {
    slope: f64,
    /// Interval of the slope.
    low: f64,
    high: f64,
    /// Mann-Kendall score: positive when it rises.
    score: f64,
    /// Median of the values.
    middle: f64,
    offset: f64,
}

impl Line {
    fn through(points: &[(f64, f64)]) -> Self {
        let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
        let mut balance = 0i64;
        for (n, a) in points.iter().enumerate() {
            for b in &points[n + 1..] {
                if b.0 > a.0 {
                    slopes.push((b.1 - a.1) / (b.0 - a.0));
                    balance += (b.1 - a.1).partial_cmp(&0.0).map_or(0, |o| o as i64);
                }
            }
        }
        slopes.sort_by(f64::total_cmp);
        let n = points.len() as f64;
        let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
        let pick = |shift: f64| {
            let at = (slopes.len() as f64 + shift * INTERVAL * deviation) / 2.0;
            slopes
                .get((at.max(0.0) as usize).min(slopes.len().saturating_sub(1)))
                .copied()
                .unwrap_or(0.0)
        };
        let slope = pick(0.0);
        let mut values: Vec<f64> = points.iter().map(|p| p.1).collect();
        values.sort_by(f64::total_cmp);
        let mut offsets: Vec<f64> = points.iter().map(|p| p.1 - slope * p.0).collect();
        offsets.sort_by(f64::total_cmp);
        let half = points.len() / 2;
        Self {
            slope,
            low: pick(-1.0),
            high: pick(1.0),
            score: if deviation > 0.0 {
                balance as f64 / deviation
            } else {
                0.0
            },
            middle: values.get(half).copied().unwrap_or(0.0),
            offset: offsets.get(half).copied().unwrap_or(0.0),
        }
    }

    fn at(&self, ms: i64) -> f64 {
        self.offset + self.slope * ms as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: f64 = 1_048_576.0;
    const STEP: i64 = 300_000;

    /// A small generator (xorshift), so that every run judges the same series.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self) -> f64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) as f64 / (1u64 << 53) as f64
        }

        /// About normal, deviation 1.
        fn noise(&mut self) -> f64 {
            (0..12).map(|_| self.roll()).sum::<f64>() - 6.0
        }
    }

    fn series(seed: u64, hours: i64, shape: impl Fn(f64, &mut Dice) -> f64) -> Vec<(i64, f64)> {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        (0..hours * 12)
            .map(|n| (n * STEP, shape(n as f64 / 12.0, &mut dice) * MIB))
            .collect()
    }

    fn rising(series: &[(i64, f64)]) -> bool {
        matches!(forecast(series, 2048.0 * MIB), Forecast::Rising { .. })
    }

    #[test]
    fn precision_and_recall_on_seeded_series() {
        let (mut hit, mut missed, mut false_alarm, mut quiet) = (0, 0, 0, 0);
        for seed in 1..=50u64 {
            let rate = 10.0 + seed as f64;
            let leaks = [
                series(seed, 12, |h, d| 400.0 + rate * h + 8.0 * d.noise()),
                series(seed, 24, |h, d| {
                    400.0 + rate * h + 60.0 * (h * 2.0).fract() + 5.0 * d.noise()
                }),
            ];
            for leak in &leaks {
                if rising(leak) { hit += 1 } else { missed += 1 }
            }
            let sound = [
                series(seed, 12, |_, d| 500.0 + 20.0 * d.noise()),
                series(seed, 24, |h, d| 400.0 + 300.0 * (h / 3.0).fract() + 5.0 * d.noise()),
                series(
                    seed,
                    24,
                    |h, d| if h < 4.0 + (seed % 16) as f64 { 400.0 } else { 900.0 } + 5.0 * d.noise(),
                ),
                series(seed, 24, |h, d| 900.0 - 500.0 * (-h / 2.0).exp() + 5.0 * d.noise()),
            ];
            for one in &sound {
                if rising(one) { false_alarm += 1 } else { quiet += 1 }
            }
        }
        // docs/notifications.md quotes these.
        let precision = f64::from(hit) / f64::from(hit + false_alarm).max(1.0);
        let recall = f64::from(hit) / f64::from(hit + missed);
        assert!(
            precision >= 0.98 && recall >= 0.98,
            "precision {precision:.3} recall {recall:.3} ({quiet} quiet)"
        );
    }

    #[test]
    fn the_time_of_the_limit_is_within_its_interval_and_near_the_truth() {
        let leak = series(7, 24, |h, d| 400.0 + 20.0 * h + 6.0 * d.noise());
        let Forecast::Rising {
            bytes_per_hour,
            reached_ms,
            earliest_ms,
            latest_ms,
            ..
        } = forecast(&leak, 2048.0 * MIB)
        else {
            panic!("a leak")
        };
        let truth = ((2048.0 - 400.0) / 20.0 * 3_600_000.0) as i64;
        let (reached, earliest, latest) = (reached_ms.unwrap(), earliest_ms.unwrap(), latest_ms.unwrap());
        assert!(earliest <= reached && reached <= latest);
        assert!((reached - truth).abs() < truth / 20, "{reached} {truth}");
        assert!((bytes_per_hour / MIB - 20.0).abs() < 1.5);
    }

    #[test]
    fn little_is_no_trend_and_nothing_breaks_it() {
        assert_eq!(forecast(&[], 1.0), Forecast::TooShort);
        assert_eq!(forecast(&[(0, 1.0); 100], 1.0), Forecast::TooShort);
        let odd: Vec<(i64, f64)> = (0..200)
            .map(|n| (n * STEP, if n % 3 == 0 { f64::NAN } else { f64::INFINITY }))
            .collect();
        assert_ne!(forecast(&odd, f64::NAN), Forecast::TooShort);
        assert_eq!(forecast(&series(1, 24, |_, _| 500.0), 2048.0 * MIB), Forecast::None);
    }
}
