//! The report as a Nagios plugin prints it: `SERVICE STATUS: text | 'label'=value[UOM];warn;crit;min;max ...`.

use crate::subject::Subject;
use oc_core::class::Health;
use oc_core::report::Report;

/// The one line.
#[must_use]
pub fn line(subject: &Subject, report: &Report) -> String {
    let probe = &subject.config.probe;
    let state = match report.health() {
        Health::Healthy => "OK",
        Health::Degraded => "WARNING",
        Health::Down => "CRITICAL",
        Health::Unknown => "UNKNOWN",
    };
    let class = report.class.map_or(String::new(), |class| format!("{class}: "));
    let mut data = Vec::new();
    if let Some(ms) = report.latency_ms {
        let warn = probe.slow_p95.get().as_secs_f64();
        data.push(format!("latency={:.3}s;{warn};;0", ms as f64 / 1000.0));
    }
    if let Some(bytes) = report.rss_bytes {
        let (warn, limit) = (probe.memory_warn.get(), probe.memory_limit.get());
        data.push(format!("memory={bytes}B;{warn};{limit};0"));
    }
    if let Some(ms) = report.uptime_ms {
        data.push(format!("uptime={}s;;;0", ms / 1000));
    }
    if report.stalled_ms > 0 {
        let crit = probe.hang_after.get().as_secs_f64();
        data.push(format!("stalled={:.3}s;;{crit};0", report.stalled_ms as f64 / 1000.0));
    }
    let name = if subject.paths.profile().is_some() {
        format!("GATEWAY {}", subject.name())
    } else {
        "GATEWAY".to_owned()
    };
    let text = plain(&format!("{class}{}", report.summary));
    if data.is_empty() {
        return format!("{name} {state}: {text}\n");
    }
    format!("{name} {state}: {text} | {}\n", data.join(" "))
}

/// A bar would begin the performance data, a line break would end the line.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '|' => '/',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}
