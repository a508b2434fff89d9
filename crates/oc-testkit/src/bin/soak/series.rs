//! Whether a series of measurements grows. Pure.

/// How much a series grew over its second half: the Theil-Sen slope (the median of the slopes of all pairs), which neither
/// noise nor a few outliers move, times the time from its first point to its last. `None`: too few points to tell.
///
/// The first half is left out: caches and pools fill up in it.
pub(crate) fn growth(points: &[(f64, f64)]) -> Option<f64> {
    let half = points.get(points.len() / 2..)?;
    if half.len() < 3 {
        return None;
    }
    let mut slopes: Vec<f64> = half
        .iter()
        .enumerate()
        .flat_map(|(n, from)| half.iter().skip(n + 1).map(move |to| (from, to)))
        .filter(|(from, to)| to.0 > from.0)
        .map(|(from, to)| (to.1 - from.1) / (to.0 - from.0))
        .collect();
    let span = half.last()?.0 - half.first()?.0;
    Some(median(&mut slopes)? * span)
}

/// Each value replaced by the smallest of it and the four before: what an allocator keeps for a while comes and goes, a leak stays.
pub(crate) fn floor(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let least = |to: usize| {
        let recent = points.iter().take(to + 1).skip(to.saturating_sub(4));
        recent.fold(f64::MAX, |least, point| least.min(point.1))
    };
    points
        .iter()
        .enumerate()
        .map(|(n, point)| (point.0, least(n)))
        .collect()
}

/// Of an even number the mean of the two in the middle.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(f: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        (0..60).map(|n| (n as f64 * 60.0, f(n))).collect()
    }

    #[test]
    fn a_leak_of_one_descriptor_in_five_minutes_is_seen() {
        let growth = growth(&series(|n| 12.0 + (n / 5) as f64)).unwrap();
        assert!((4.0..=7.0).contains(&growth), "{growth}");
    }

    #[test]
    fn neither_noise_nor_outliers_nor_a_sawtooth_are_growth() {
        let noise = growth(&series(|n| [512.0, 508.0, 520.0, 512.0, 516.0][n % 5])).unwrap();
        assert!(noise.abs() < 1.0, "{noise}");
        let outliers = growth(&series(|n| if n % 10 == 9 { 400.0 } else { 7.0 })).unwrap();
        assert!(outliers.abs() < f64::EPSILON, "{outliers}");
        let sawtooth = growth(&series(|n| (n % 3) as f64)).unwrap();
        assert!(sawtooth.abs() < 1.0, "{sawtooth}");
    }

    #[test]
    fn the_floor_of_what_comes_and_goes_shows_the_leak_below() {
        let swinging = |n: usize| [2_000.0, 5_000.0, 3_000.0, 7_500.0, 2_050.0, 4_600.0, 3_000.0][n * n % 7];
        let still = growth(&floor(&series(swinging))).unwrap();
        assert!(still.abs() < 100.0, "{still}");
        let leaking = growth(&floor(&series(|n| swinging(n) + n as f64 * 20.0))).unwrap();
        assert!((400.0..800.0).contains(&leaking), "{leaking}");
    }

    #[test]
    fn what_fills_up_at_first_and_then_stays_does_not_grow() {
        let filled = growth(&series(|n| (n as f64 * 40.0).min(1000.0))).unwrap();
        assert!(filled.abs() < f64::EPSILON, "{filled}");
    }

    #[test]
    fn too_few_points_say_nothing() {
        assert_eq!(growth(&series(|_| 1.0)[..4]), None);
        assert_eq!(median(&mut []), None);
    }
}
