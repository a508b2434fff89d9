//! Many measurements of one thing.

use serde::Serialize;
use std::time::Duration;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figures {
    pub(crate) n: usize,
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Figures {
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        Some(Self {
            n: values.len(),
            min: *values.first()?,
            median: *values.get(values.len() / 2)?,
            max: *values.last()?,
        })
    }

    /// What is left for each of `count`.
    pub(crate) fn per(self, count: usize) -> Self {
        let share = |value: f64| value / u32::try_from(count).map_or(f64::INFINITY, f64::from);
        Self {
            n: self.n,
            min: share(self.min),
            median: share(self.median),
            max: share(self.max),
        }
    }
}

pub(crate) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
