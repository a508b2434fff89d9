//! What reports are called in each language. Plain tables: a missing word does not compile.

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
    pub(crate) no_forecast: &'static str,
    pub(crate) no_trend: &'static str,
    /// Grows by `{rate}` MiB an hour; `{limit}` is far away.
    pub(crate) rising_slowly: &'static str,
    /// As above, reached at `{at}`, between `{earliest}` and `{latest}`.
    pub(crate) rising: &'static str,
    pub(crate) far_away: &'static str,
    /// Headings of the page, in order: availability, `{n}` days, time to heal, memory, time to answer, incidents.
    pub(crate) headings: [&'static str; 6],
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
}

static ENGLISH: Words = Words {
    tag: "en",
    levels: ["by itself", "restart", "doctor", "AI doctor", "a person"],
    availability: "availability",
    not_on_record: "not on record",
    down: "down",
    incidents: "incidents",
    incidents_value: "{n} ({healed} healed without a person{open})",
    open_value: ", {n} open",
    people_called: "people called",
    times: "{n} times",
    once: "once",
    recovery_rate: "recovery rate",
    time_to_detect: "time to detect",
    time_to_heal: "time to heal",
    on_average: "{t} on average",
    median: "{t} median",
    healed: "healed",
    causes: "causes",
    longest: "longest",
    ai_cost: "AI cost",
    title: "{from} to {to}",
    no_forecast: "no forecast yet: two hours of the same process are needed",
    no_trend: "no trend",
    rising_slowly: "grows by {rate} MiB an hour; {limit} is more than a month away",
    rising: "grows by {rate} MiB an hour; {limit} is reached about {at} (between {earliest} and {latest})",
    far_away: "more than a month away",
    headings: [
        "Availability",
        "The last {n} days",
        "Time to heal",
        "Memory",
        "Time to answer",
        "Incidents",
    ],
    nothing_yet: "Nothing on record yet.",
    none: "None.",
    open: "open",
    stopped: "stopped on purpose",
    not_measured: "No pass has measured yet.",
    seen: "seen {ago} ago",
    in_maintenance: "In maintenance.",
    run: "Run",
    made: "Made at {at} UTC from the journal of oc.",
    units: [" s", " min", " h", " d"],
};

static KOREAN: Words = Words {
    tag: "ko",
    levels: ["스스로 복구", "재시작", "닥터", "AI 닥터", "사람"],
    availability: "가용성",
    not_on_record: "기록 없음",
    down: "중단 시간",
    incidents: "장애",
    incidents_value: "{n}건 (사람 없이 복구 {healed}건{open})",
    open_value: ", 진행 중 {n}건",
    people_called: "사람 호출",
    times: "{n}회",
    once: "1회",
    recovery_rate: "복구율",
    time_to_detect: "감지 시간",
    time_to_heal: "복구 시간",
    on_average: "평균 {t}",
    median: "중앙값 {t}",
    healed: "복구",
    causes: "원인",
    longest: "가장 긴 장애",
    ai_cost: "AI 비용",
    title: "{from} ~ {to}",
    no_forecast: "아직 예측할 수 없음: 같은 프로세스의 두 시간 기록이 필요합니다",
    no_trend: "추세 없음",
    rising_slowly: "시간당 {rate} MiB씩 증가하며, {limit}까지는 한 달 이상 남았습니다",
    rising: "시간당 {rate} MiB씩 증가하며, {at}경 {limit}에 도달합니다 ({earliest} ~ {latest})",
    far_away: "한 달 이상 뒤",
    headings: ["가용성", "최근 {n}일", "복구 시간", "메모리", "응답 시간", "장애"],
    nothing_yet: "아직 기록이 없습니다.",
    none: "없음.",
    open: "진행 중",
    stopped: "의도적으로 중지됨",
    not_measured: "아직 측정한 적이 없습니다.",
    seen: "{ago} 전에 확인",
    in_maintenance: "점검 중입니다.",
    run: "실행:",
    made: "{at} UTC에 oc의 기록으로 작성했습니다.",
    units: ["초", "분", "시간", "일"],
};

impl Words {
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &ENGLISH,
            Language::Ko => &KOREAN,
        }
    }

    /// What a level is called.
    pub(crate) fn level(&self, level: u8) -> &'static str {
        self.levels[usize::from(level.min(4))]
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
    use super::{ENGLISH, KOREAN, Words};
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
            KOREAN.rising,
            KOREAN.no_trend,
            KOREAN.made,
        ];
        let all = words
            .iter()
            .chain(&KOREAN.levels)
            .chain(&KOREAN.headings)
            .chain(&KOREAN.units);
        for text in all {
            assert!(text.chars().any(|c| ('가'..='힣').contains(&c)), "{text}");
        }
        assert_eq!(Words::of(Language::Ko).level(9), "사람");
    }
}
