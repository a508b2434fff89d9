//! What is left on the screen: when what happened, how soon it was noticed, and how soon it served again.

use crate::screen::Screen;
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Timeline {
    rows: Vec<Row>,
}

pub(crate) struct Row {
    /// Since the beginning.
    pub(crate) at: Duration,
    pub(crate) what: String,
    /// `None`: there was nothing to notice.
    pub(crate) detected: Option<Duration>,
    /// `None`: it was not to be served.
    pub(crate) served: Option<Duration>,
    pub(crate) how: String,
}

impl Timeline {
    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn show(&self, screen: &Screen) {
        if self.rows.is_empty() {
            return;
        }
        screen.title("Timeline");
        screen.plain(&format!(
            "{:>8}  {:<34} {:>9}  {:>13}  how",
            "at", "what", "detected", "serving again"
        ));
        for row in &self.rows {
            screen.plain(&format!(
                "{:>8}  {:<34} {:>9}  {:>13}  {}",
                time(Some(row.at)),
                row.what,
                time(row.detected),
                time(row.served),
                row.how
            ));
        }
    }
}

fn time(time: Option<Duration>) -> String {
    match time {
        None => "-".to_owned(),
        Some(time) if time < Duration::from_secs(1) => format!("{} ms", time.as_millis()),
        Some(time) => format!("{:.2} s", time.as_secs_f64()),
    }
}
