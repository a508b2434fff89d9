//! Charts as inline SVG: drawn in the page's own colours, with a title for those who cannot see them; the figures stand
//! in tables beside them.

use crate::figures::{is_down, overlap};
use crate::ledger::{Ledger, Sample};
use crate::text::{bytes, html, when};
use crate::views::forecast::Outlook;
use crate::words::{Words, filled};
use oc_core::story::Story;
use std::time::Duration;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;
/// Room for the scale.
const LEFT: f64 = 112.0;
const BOTTOM: f64 = 22.0;
/// Points of a line at most; more are not seen.
const POINTS: usize = 600;
const DAY_MS: i64 = 86_400_000;

/// One bar a day: whole when the service served all day.
pub(super) fn availability(ledger: &Ledger, now_ms: i64, days: i64, words: &Words) -> String {
    let width = WIDTH / days as f64;
    let first = ledger.first.unwrap_or(now_ms);
    let mut bars = String::new();
    let mut worst = 0u64;
    for n in 0..days {
        let from = now_ms - (days - n) * DAY_MS;
        let to = from + DAY_MS;
        let down: u64 = ledger
            .stories
            .iter()
            .filter(|s| is_down(s))
            .map(|s| overlap(s, from, to))
            .sum();
        worst = worst.max(down);
        let (class, height, said) = if to <= first {
            ("none", 40.0, words.not_on_record.to_owned())
        } else {
            let class = match down {
                0 => "good",
                1..=300_000 => "fair",
                _ => "bad",
            };
            (
                class,
                40.0,
                format!("{} {}", words.down, words.span(Duration::from_millis(down))),
            )
        };
        let day = when(from);
        bars.push_str(&format!(
            "<rect class=\"{class}\" x=\"{:.1}\" y=\"0\" width=\"{:.1}\" height=\"{height}\"><title>{}: {said}</title></rect>",
            n as f64 * width,
            (width - 1.5).max(1.0),
            &day[..10],
        ));
    }
    let [label, ..] = words.charts;
    let worst = words.span(Duration::from_millis(worst));
    let label = filled(label, &[("n", &days), ("worst", &worst)]);
    format!(
        "<svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {WIDTH} 40\" preserveAspectRatio=\"none\" class=\"strip\">{bars}</svg>"
    )
}

/// How many recoveries took how long, by level.
pub(super) fn recoveries(stories: &[Story], words: &Words) -> String {
    let bounds: [(&str, u64); 6] = [
        ("5 s", 5),
        ("15 s", 15),
        ("1 min", 60),
        ("5 min", 300),
        ("1 h", 3600),
        (words.longer, u64::MAX),
    ];
    let mut counts = [[0u32; 5]; 6];
    for story in stories {
        let Some(closed) = &story.closed else { continue };
        let seconds = story.lasted(closed).as_secs();
        let at = bounds
            .iter()
            .position(|(_, bound)| seconds <= *bound)
            .unwrap_or(bounds.len() - 1);
        counts[at][usize::from(story.level().min(4))] += 1;
    }
    let most = counts.iter().map(|c| c.iter().sum::<u32>()).max().unwrap_or(0).max(1);
    let width = (WIDTH - LEFT) / bounds.len() as f64;
    let mut bars = String::new();
    for (n, ((name, _), by_level)) in bounds.iter().zip(counts).enumerate() {
        let x = LEFT + n as f64 * width;
        let mut y = HEIGHT - BOTTOM;
        for (level, count) in by_level.iter().enumerate().filter(|(_, count)| **count > 0) {
            let height = (HEIGHT - BOTTOM - 12.0) * f64::from(*count) / f64::from(most);
            y -= height;
            let title = format!("≤ {name}: {count}, {}", words.level(u8::try_from(level).unwrap_or(4)));
            bars.push_str(&format!(
                "<rect class=\"level{level}\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{title}</title></rect>",
                x + 6.0,
                width - 12.0
            ));
        }
        bars.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>",
            x + width / 2.0,
            HEIGHT - 6.0
        ));
    }
    bars.push_str(&format!(
        "<text x=\"{:.1}\" y=\"22\" text-anchor=\"end\">{most}</text>",
        LEFT - 6.0
    ));
    frame(words.charts[1], &bars)
}

/// Memory or free space, its limit, and where the trend leads.
pub(super) fn outlook(outlook: &Outlook, label: &str) -> String {
    let points = &outlook.series;
    let Some((first, last)) = points.first().zip(points.last()) else {
        return String::new();
    };
    let lead = outlook.ahead();
    let ahead = if lead.is_some() { (last.0 - first.0) / 3 } else { 0 };
    let limit = outlook.limit as f64;
    let most = points.iter().map(|p| p.1).fold(limit * 1.05, f64::max);
    let scale = Scale {
        from: first.0,
        to: last.0 + ahead,
        most,
    };
    let mut body = format!("<polyline class=\"line\" points=\"{}\"/>", scale.line(points));
    let y = scale.y(limit);
    body.push_str(&format!(
        "<line class=\"limit\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
    ));
    let mut mark = |value: f64| {
        body.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            // As large on a phone as on a desk, so that it needs room above.
            (scale.y(value) + 4.0).max(22.0),
            bytes(value as u64)
        ));
    };
    mark(limit);
    // The top of the scale, unless the limit stands there.
    if limit < most / 2.0 {
        mark(most);
    }
    if let Some((level, per_hour)) = lead {
        let end = (level + per_hour * ahead as f64 / 3_600_000.0).clamp(0.0, most);
        let line = scale.line(&[(last.0, level), (scale.to, end)]);
        body.push_str(&format!("<polyline class=\"ahead\" points=\"{line}\"/>"));
    }
    body.push_str(&scale.dates());
    frame(label, &body)
}

/// Latency: median and 95th percentile.
pub(super) fn latency(samples: &[Sample], words: &Words) -> String {
    let series = |pick: fn(&Sample) -> Option<f64>| -> Vec<(i64, f64)> {
        samples.iter().filter_map(|s| Some((s.at, pick(s)?))).collect()
    };
    let (p50, p95) = (series(|s| s.p50_ms), series(|s| s.p95_ms));
    let Some((first, last)) = p95.first().zip(p95.last()) else {
        return String::new();
    };
    let most = p95.iter().map(|p| p.1).fold(1.0, f64::max);
    let scale = Scale {
        from: first.0,
        to: last.0,
        most,
    };
    let mut body = format!("<polyline class=\"ahead\" points=\"{}\"/>", scale.line(&p95));
    body.push_str(&format!("<polyline class=\"line\" points=\"{}\"/>", scale.line(&p50)));
    body.push_str(&format!(
        "<text x=\"{:.1}\" y=\"22\" text-anchor=\"end\">{most:.0} ms</text>",
        LEFT - 6.0
    ));
    body.push_str(&scale.dates());
    frame(words.charts[4], &body)
}

struct Scale {
    from: i64,
    to: i64,
    most: f64,
}

impl Scale {
    fn x(&self, at: i64) -> f64 {
        LEFT + (WIDTH - LEFT) * (at - self.from) as f64 / (self.to - self.from).max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        (HEIGHT - BOTTOM) - (HEIGHT - BOTTOM - 8.0) * value / self.most.max(1.0)
    }

    /// Of many points the largest of each group, so that a peak is never left out.
    fn line(&self, points: &[(i64, f64)]) -> String {
        let size = points.len().div_ceil(POINTS).max(1);
        let chosen = points
            .chunks(size)
            .filter_map(|c| c.iter().max_by(|a, b| a.1.total_cmp(&b.1)));
        chosen
            .map(|(at, value)| format!("{:.1},{:.1}", self.x(*at), self.y(*value)))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn dates(&self) -> String {
        let date = |at: i64| html(&when(at)[..10]);
        let y = HEIGHT - 6.0;
        format!(
            "<text x=\"{LEFT}\" y=\"{y}\">{}</text><text x=\"{WIDTH}\" y=\"{y}\" text-anchor=\"end\">{}</text>",
            date(self.from),
            date(self.to)
        )
    }
}

fn frame(label: &str, body: &str) -> String {
    format!("<svg role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\">{body}</svg>")
}
