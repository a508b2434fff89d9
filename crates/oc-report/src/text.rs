//! Numbers and times for people.

/// As wide as that many columns; letters of Korean take two.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    let taken: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(taken)))
}

/// Bytes in binary units: `512 MiB`, `1.5 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const MIB: u64 = 1 << 20;
    if bytes >= 1 << 30 {
        format!("{:.1} GiB", bytes as f64 / (1u64 << 30) as f64)
    } else {
        format!("{} MiB", bytes / MIB)
    }
}

/// A share with as many nines as there are: `100 %`, `99.98 %`.
pub(crate) fn share(part: f64) -> String {
    let percent = part * 100.0;
    if percent >= 100.0 {
        "100 %".into()
    } else {
        // Rounded down: 99.999 % is not 100 %.
        format!("{:.2} %", (percent * 100.0).floor() / 100.0)
    }
}

/// Without the milliseconds: `2026-02-27 20:32:52`.
pub(crate) fn when(wall_ms: i64) -> String {
    oc_core::clock::rfc3339(wall_ms)
        .replace('T', " ")
        .chars()
        .take(19)
        .collect()
}

/// Text for HTML, also within quotes.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in oc_core::redact::clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
