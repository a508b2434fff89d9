//! The command line.

use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// The real tools look after a gateway for an hour, a fault now and then: does anything grow, drift or stay broken?
#[derive(Debug, Parser)]
#[command(
    name = "soak",
    after_help = "Examples:\n  soak\n  soak --for 5m\n  soak --for 60m --seed 7 --out docs/results\n  soak --for 2m --leak"
)]
pub(crate) struct Cli {
    /// How long.
    #[arg(long = "for", value_name = "TIME", default_value = "60m", value_parser = time)]
    pub(crate) lasts: Duration,
    /// Of the faults: which, when, and how long it is quiet between them.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where to write soak.md and soak.json.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Each pass leaves a process and a file behind: the verdict must be bad, or it is worth nothing.
    #[arg(long)]
    pub(crate) leak: bool,
}

/// `150s`, `5m`, `1h`.
fn time(text: &str) -> Result<Duration, String> {
    let bad = || format!("'{text}' is no length of time: say 150s, 5m or 1h");
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(bad()),
    };
    let number: u64 = number.parse().map_err(|_| bad())?;
    let seconds = number.checked_mul(unit).filter(|s| (120..=30 * 24 * 3600).contains(s));
    let seconds = seconds.ok_or_else(|| format!("'{text}' is not between 2m and 30 days: less tells nothing"))?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_number_and_a_unit_and_is_long_enough_to_tell() {
        assert_eq!(time("150s"), Ok(Duration::from_secs(150)));
        assert_eq!(time("1h"), Ok(Duration::from_secs(3600)));
        for bad in ["", "5", "m", "5x", "5µ", "-5m", "1s", "99999999999999999999h"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
