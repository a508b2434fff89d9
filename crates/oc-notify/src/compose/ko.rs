//! 한국어.

use super::{Labels, Said, Subject, Words};
use oc_core::class::Class;
use oc_core::report::Action;
use oc_core::story::Step;
use std::time::Duration;

pub(super) struct Korean;

static LABELS: Labels = Labels {
    seen: "관찰된 상태",
    tried: "시도한 조치",
    changed: "변경된 내용",
    undo: "되돌리는 방법",
    next: "다음 단계",
    proposed: "AI의 제안 (실행하지 않음)",
    evidence: "증거와 보고서",
    log: "로그",
    held: "보류된 메시지",
};

fn what(about: &Subject<'_>) -> &'static str {
    about.class.map_or("정상이 아닙니다", |class| Korean.class(class))
}

impl Words for Korean {
    fn labels(&self) -> &'static Labels {
        &LABELS
    }

    fn class(&self, class: Class) -> &'static str {
        class.in_korean()
    }

    fn step(&self, step: &Step) -> String {
        let what = match (step.action, step.method.as_deref()) {
            (Action::Restart, Some("start")) => "시작",
            (Action::Restart, Some("register")) => "등록 후 시작",
            (Action::Restart, Some("kill")) => "강제 종료 후 시작",
            (Action::Restart, Some("graceful")) => "정상 재시작",
            (Action::Doctor, _) => "닥터: 수리 후 시작",
            (Action::Agent, _) => "AI 닥터",
            _ => "재시작",
        };
        let ended = match step.outcome.as_deref() {
            Some("healthy") => "성공",
            Some("abandoned") => "중단됨",
            Some("not_started") => "시작하지 못함",
            Some(_) => "효과 없음",
            None => "아직 판정되지 않음",
        };
        format!("{} {what}: {ended}", oc_core::clock::rfc3339(step.at.wall_ms))
    }

    fn more_steps(&self, count: usize) -> String {
        format!("(이전 시도 {count}회)")
    }

    fn duration(&self, time: Duration) -> String {
        match time.as_secs() {
            0..=9 => format!("{:.1}초", time.as_secs_f64()),
            s @ 10..=119 => format!("{s}초"),
            s @ 120..=7199 => format!("{}분", s / 60),
            s @ 7200..=172_799 => format!("{}시간 {}분", s / 3600, s % 3600 / 60),
            s => format!("{}일 {}시간", s / 86_400, s % 86_400 / 3600),
        }
    }

    fn opened(&self, about: &Subject<'_>) -> Said {
        let text = format!(
            "{} 동안 계속되고 있습니다. 자동 복구가 진행 중이며 결과를 알려 드리겠습니다.",
            self.duration(about.lasted)
        );
        (format!("{}: {}", about.service, what(about)), text)
    }

    fn escalated(&self, about: &Subject<'_>) -> Said {
        let rung = match about.story.map(oc_core::story::Story::rung) {
            Some(Action::Agent) => "AI 닥터를 호출합니다",
            _ => "재시작으로 해결되지 않아 닥터가 수리합니다",
        };
        let text = format!(
            "{}: {} 경과, {}.",
            about.service,
            self.duration(about.lasted),
            what(about)
        );
        (format!("{}: {rung}", about.service), text)
    }

    fn changed(&self, about: &Subject<'_>) -> Said {
        let text = "복구를 위해 자동으로 변경했습니다. 아래 명령으로 되돌릴 수 있습니다.";
        (format!("{}: 변경된 내용이 있습니다", about.service), text.into())
    }

    fn needs_you(&self, about: &Subject<'_>) -> Said {
        let text = "모든 자동 복구를 시도했지만 실패했습니다. 확인이 필요하며 다음 단계는 아래에 있습니다.";
        (
            format!("{} 수동 개입 필요: {}", about.service, what(about)),
            text.into(),
        )
    }

    fn reminder(&self, about: &Subject<'_>) -> Said {
        let title = format!("{} 여전히 수동 개입 필요: {}", about.service, what(about));
        let text = match about.story {
            Some(_) => format!("{} 경과했습니다.", self.duration(about.lasted)),
            None => String::new(),
        };
        (title, text)
    }

    fn healed(&self, about: &Subject<'_>) -> Said {
        let level = about.story.map_or(0, oc_core::story::Story::level);
        let by_us = about.story.and_then(|s| s.by_us) != Some(false);
        let how = match (by_us, level) {
            (false, 4) => "수동 개입 후(레벨 4)",
            (false, _) => "스스로",
            (true, 0) => "스스로(레벨 0)",
            (true, 1) => "재시작 후(레벨 1)",
            (true, 2) => "닥터의 수리 후(레벨 2)",
            (true, 3) => "AI 닥터가 제안한 수리 후(레벨 3)",
            (true, _) => "수동 개입 후(레벨 4)",
        };
        let text = format!(
            "{} 동안 비정상이었고({}) {how} 복구되었습니다.",
            self.duration(about.lasted),
            what(about)
        );
        (format!("{} 복구 완료", about.service), text)
    }

    fn flapping(&self, about: &Subject<'_>) -> Said {
        let text = format!(
            "한 시간 안에 {}회 발생했습니다. 매번 복구되었지만 원인은 남아 있습니다. 안정될 때까지 개별 장애는 알리지 \
             않으며, 수동 개입이 필요한 경우는 계속 알립니다. `oc-report timeline` 을 확인하세요.",
            about.count
        );
        (format!("{} 장애와 복구가 반복되고 있습니다", about.service), text)
    }

    fn warning(&self, service: &str, key: &str) -> String {
        let what = match key {
            "flapping" => "장애와 복구가 반복되고 있습니다",
            "stopped" => "아직 의도적으로 중지된 상태입니다",
            "in_maintenance" => "아직 점검 중입니다",
            "unloaded_by_person" => "서비스 관리자에서 제거되었습니다",
            "memory_warning" => "메모리 사용량이 많습니다",
            "memory_forecast" => "이대로면 메모리 한도에 도달합니다",
            "disk_forecast" => "이대로면 디스크가 가득 찹니다",
            "inconclusive" => "한동안 상태를 측정하지 못했습니다",
            "safe_mode" => "안전 모드입니다",
            "not_ready" => "준비되지 않았습니다",
            "slow" => "응답이 느립니다",
            other => Class::ALL
                .iter()
                .find(|class| class.name() == other)
                .map_or("확인이 필요합니다", |class| self.class(*class)),
        };
        format!("{service}: {what}")
    }

    fn held(&self, count: u32) -> String {
        format!("메시지가 너무 많아 {count}건을 보류했습니다. `oc-report timeline` 을 확인하세요.")
    }

    fn summary(&self, service: &str, count: u32, from: &str, to: &str) -> Said {
        let text =
            format!("{from} 부터 {to} 까지. 각 항목의 마지막 상태이며 전체 내용은 `oc-report timeline` 에 있습니다.");
        (format!("{service}: 전달되지 못한 메시지 {count}건"), text)
    }

    fn channel_off(&self, channel: &str, why: &str) -> Said {
        let text = format!(
            "응답: {why}. 하루 동안 또는 주소가 바뀔 때까지 사용하지 않습니다. 메시지는 보관함에서 대기합니다."
        );
        (format!("알림 채널 {channel} 이(가) 더 이상 작동하지 않습니다"), text)
    }

    fn quick(&self, service: &str, count: usize, by_class: &[(String, usize)]) -> Said {
        let list: Vec<String> = by_class.iter().map(|(class, n)| format!("• {class} {n}회")).collect();
        let text = format!("모두 알림을 보내기 전에 복구되었습니다.\n{}", list.join("\n"));
        (format!("{service}: 짧은 중단 {count}회, 모두 복구됨"), text)
    }

    fn busy(&self, service: &str, who: &str, since: Duration) -> Said {
        let text = format!(
            "{who} 이(가) {} 동안 잠금을 유지하고 있습니다. 끝날 때까지 다른 복구는 실행되지 않습니다.",
            self.duration(since)
        );
        (format!("{service}: 복구 작업이 너무 오래 걸립니다"), text)
    }

    fn unwritable(&self, service: &str, why: &str) -> Said {
        let text = format!(
            "{why}\n기록할 수 없는 작업은 실행하지 않습니다. 상태 디렉터리에 다시 쓸 수 있을 때까지 복구와 다른 알림을 기대할 수 \
             없습니다."
        );
        (format!("{service}: 복구 상태를 기록할 수 없습니다"), text)
    }

    fn test(&self, service: &str, channel: &str) -> Said {
        let text = format!("이 메시지가 보이면 {service} 알림이 {channel} (으)로 정상 전달됩니다.");
        (format!("{service} 테스트 메시지"), text)
    }

    fn digest_title(&self, service: &str) -> String {
        format!("{service} 상태 보고")
    }
}
