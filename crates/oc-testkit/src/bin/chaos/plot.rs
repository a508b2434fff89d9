//! How soon it served again, by fault, on a logarithmic scale: the ladder's levels lie orders of magnitude apart.

use crate::results::Row;
use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const LEFT: f64 = 60.0;
const STEP: f64 = 16.0;
/// The scale, in powers of ten of a millisecond: to the fifth at least.
const FROM: f64 = 0.0;
const TICKS: [(f64, &str); 7] = [
    (0.0, "1 ms"),
    (1.0, "10 ms"),
    (2.0, "100 ms"),
    (3.0, "1 s"),
    (4.0, "10 s"),
    (5.0, "100 s"),
    (6.0, "1000 s"),
];

/// A line from the shortest to the longest time, a dot at the median.
pub(crate) fn recoveries(rows: &[Row]) -> String {
    let timed: Vec<&Row> = rows.iter().filter(|row| row.recovered.is_some()).collect();
    let longest = timed.iter().filter_map(|row| Some(row.recovered?.max_ms)).max();
    let to = (longest.unwrap_or(0) as f64).log10().ceil().clamp(5.0, 6.0);
    let height = 30.0 + STEP * timed.len() as f64;
    let mut marks = String::new();
    // Writing into a String cannot fail.
    for (power, label) in TICKS.into_iter().filter(|(power, _)| *power <= to) {
        let x = place(10f64.powf(power), to);
        _ = write!(
            marks,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"18\" y2=\"{height}\"/><text x=\"{x:.1}\" y=\"12\" text-anchor=\"middle\">{label}</text>"
        );
    }
    for (n, (row, range)) in timed.iter().filter_map(|row| Some((row, row.recovered?))).enumerate() {
        let y = 30.0 + STEP * n as f64;
        let [min, median, max] = [range.min_ms, range.median_ms, range.max_ms].map(|ms| place(ms as f64, to));
        _ = write!(
            marks,
            "<g><title>{}: {}: {} ms</title><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><line x1=\"{min:.1}\" \
             x2=\"{max:.1}\" y1=\"{y}\" y2=\"{y}\"/><circle cx=\"{median:.1}\" cy=\"{y}\" r=\"4\"/></g>",
            row.id,
            escape(row.fault),
            range.median_ms,
            LEFT - 8.0,
            y + 4.0,
            row.id
        );
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"How soon it served again, by fault\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"11\"><style>line{{stroke:#2a7}}\
         circle{{fill:#2a7}}.grid{{stroke:#8884}}text{{fill:#888}}</style>{marks}</svg>\n"
    )
}

fn place(ms: f64, to: f64) -> f64 {
    let power = ms.max(1.0).log10().clamp(FROM, to);
    LEFT + (WIDTH - LEFT - 30.0) * (power - FROM) / (to - FROM)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
