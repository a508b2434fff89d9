//! What reports are called in each language. Plain tables: a missing word does not compile.

mod en;
mod ko;

use oc_core::class::{Class, Health};
use oc_core::config::Language;

/// Words of one language.
#[derive(Debug)]
pub(crate) struct Words {
    /// For `lang` in HTML.
    pub(crate) tag: &'static str,
    /// Levels 0 to 4.
    pub(crate) levels: [&'static str; 5],
    pub(crate) availability: &'static str,
    pub(crate) not_on_record: &'static str,
    pub(crate) down: &'static str,
    pub(crate) incidents: &'static str,
    /// `{n}` incidents, `{healed}` of them without a person.
    pub(crate) incidents_value: &'static str,
    /// `{n}` of them open.
    pub(crate) open_value: &'static str,
    pub(crate) people_called: &'static str,
    pub(crate) times: &'static str,
    pub(crate) once: &'static str,
    pub(crate) recovery_rate: &'static str,
    pub(crate) time_to_detect: &'static str,
    pub(crate) time_to_heal: &'static str,
    pub(crate) on_average: &'static str,
    pub(crate) median: &'static str,
    pub(crate) healed: &'static str,
    pub(crate) causes: &'static str,
    pub(crate) longest: &'static str,
    pub(crate) ai_cost: &'static str,
    /// From `{from}` to `{to}`.
    pub(crate) title: &'static str,
    pub(crate) no_trend: &'static str,
    pub(crate) far_away: &'static str,
    /// Headings of the page, in order: availability, `{n}` days, time to heal, memory, disk, time to answer, incidents.
    pub(crate) headings: [&'static str; 7],
    pub(crate) nothing_yet: &'static str,
    pub(crate) none: &'static str,
    pub(crate) open: &'static str,
    pub(crate) stopped: &'static str,
    pub(crate) not_measured: &'static str,
    /// Seen `{ago}` ago.
    pub(crate) seen: &'static str,
    pub(crate) in_maintenance: &'static str,
    pub(crate) run: &'static str,
    /// Made at `{at}`.
    pub(crate) made: &'static str,
    /// s, min, h, d.
    pub(crate) units: [&'static str; 4],
    /// What charts are called for those who cannot see them: availability of `{n}` days with the `{worst}`, recoveries, memory,
    /// disk, time to answer.
    pub(crate) charts: [&'static str; 5],
    pub(crate) longer: &'static str,
    pub(crate) memory: &'static str,
    pub(crate) disk: &'static str,
    pub(crate) memory_forecast: Outlook,
    pub(crate) disk_forecast: Outlook,
    /// Healthy, degraded, down, unknown.
    pub(crate) health: [&'static str; 4],
    /// What classes are called, where not as in the record.
    pub(crate) classes: Option<fn(Class) -> &'static str>,
    pub(crate) unknown: &'static str,
    pub(crate) status: Status,
    /// Ends of an incident after `{t}`: open, stopped, healed by `{how}`.
    pub(crate) ends: [&'static str; 3],
    pub(crate) no_incident_on_record: &'static str,
}

/// Sentences of a forecast.
#[derive(Debug)]
pub(crate) struct Outlook {
    pub(crate) too_short: &'static str,
    /// By `{rate}` MiB an hour; `{limit}` is far away.
    pub(crate) slowly: &'static str,
    /// As above, in `{in}`, between `{earliest}` and `{latest}`.
    pub(crate) rising: &'static str,
}

/// Names and sentences of `status`.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) service: &'static str,
    pub(crate) not_measured: &'static str,
    /// up `{t}`, answers in `{ms}`, uses `{size}`.
    pub(crate) up: &'static str,
    pub(crate) answers: &'static str,
    pub(crate) uses: &'static str,
    pub(crate) incident: &'static str,
    pub(crate) none: &'static str,
    /// `{id}`, `{class}`, open for `{t}`, `{n}` attempts, `{rung}`.
    pub(crate) open: &'static str,
    pub(crate) attempt: &'static str,
    pub(crate) ago: &'static str,
    pub(crate) next: &'static str,
    pub(crate) not_before: &'static str,
    pub(crate) run: &'static str,
    pub(crate) bound: &'static str,
    pub(crate) stopped: &'static str,
    /// On purpose by `{who}`, `{t}` ago.
    pub(crate) stopped_by: &'static str,
    pub(crate) maintenance: &'static str,
    /// For another `{t}`, `{reason}`.
    pub(crate) maintained: &'static str,
    pub(crate) no_reason: &'static str,
    pub(crate) healed: &'static str,
    /// `{how}`, after `{t}`.
    pub(crate) healed_after: &'static str,
    pub(crate) last_pass: &'static str,
    pub(crate) never: &'static str,
    pub(crate) guardian: &'static str,
    pub(crate) guardian_idle: &'static str,
    pub(crate) guardian_acted: &'static str,
    pub(crate) outbox: &'static str,
    /// `{n}` messages.
    pub(crate) waiting: &'static str,
    pub(crate) healing: &'static str,
    /// `{what}` for `{t}`.
    pub(crate) held: &'static str,
}

impl Words {
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &en::ENGLISH,
            Language::Ko => &ko::KOREAN,
        }
    }

    /// What a level is called.
    pub(crate) fn level(&self, level: u8) -> &'static str {
        self.levels[usize::from(level.min(4))]
    }

    /// What a class is called.
    pub(crate) fn class(&self, class: Option<Class>) -> &'static str {
        match (class, self.classes) {
            (None, _) => self.unknown,
            (Some(class), None) => class.name(),
            (Some(class), Some(said)) => said(class),
        }
    }

    /// What a class is called whose name is on record; one of a newer version keeps its name.
    pub(crate) fn named<'n>(&self, name: &'n str) -> &'n str {
        let known = Class::ALL.into_iter().find(|class| class.name() == name);
        known.map_or(name, |class| self.class(Some(class)))
    }

    /// What a state is called.
    pub(crate) fn health(&self, health: Health) -> &'static str {
        let at = match health {
            Health::Healthy => 0,
            Health::Degraded => 1,
            Health::Down => 2,
            Health::Unknown => 3,
        };
        self.health[at]
    }

    /// `4.1 s`, `95 s`, `12 min`, `3 h 5 min`, `2 d 4 h`, in this language.
    pub(crate) fn span(&self, time: std::time::Duration) -> String {
        let [s, min, h, d] = self.units;
        match time.as_secs() {
            0..=9 => format!("{:.1}{s}", time.as_secs_f64()),
            t @ 10..=119 => format!("{t}{s}"),
            t @ 120..=7199 => format!("{}{min}", t / 60),
            t @ 7200..=172_799 => format!("{}{h} {}{min}", t / 3600, t % 3600 / 60),
            t => format!("{}{d} {}{h}", t / 86_400, t % 86_400 / 3600),
        }
    }
}

/// `text` with each `{name}` replaced.
pub(crate) fn filled(text: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), &value.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::{Words, en::ENGLISH, ko::KOREAN};
    use oc_core::class::Class;
    use oc_core::config::Language;

    /// How many placeholders there are in all texts.
    fn places(words: &Words) -> usize {
        format!("{words:?}").matches('{').count()
    }

    #[test]
    fn korean_says_all_that_english_says_and_in_korean() {
        // The struct makes a missing word an error of the compiler; this finds one that was left in English.
        assert_eq!(places(&ENGLISH), places(&KOREAN));
        let words = [
            KOREAN.availability,
            KOREAN.times,
            KOREAN.disk_forecast.rising,
            KOREAN.status.service,
            KOREAN.status.outbox,
            KOREAN.no_trend,
            KOREAN.made,
        ];
        let all = words
            .iter()
            .chain(&KOREAN.levels)
            .chain(&KOREAN.headings)
            .chain(&KOREAN.charts)
            .chain(&KOREAN.health)
            .chain(&KOREAN.ends)
            .chain(&KOREAN.units);
        for text in all {
            assert!(text.chars().any(|c| ('가'..='힣').contains(&c)), "{text}");
        }
        for class in Class::ALL {
            assert!(!KOREAN.class(Some(class)).is_ascii(), "{class}");
        }
        assert_eq!(Words::of(Language::Ko).level(9), "사람");
    }
}
