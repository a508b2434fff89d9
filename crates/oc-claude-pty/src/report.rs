//! The report for people: the agent's own where it wrote one, completed by what we know.

use crate::commands::Body;
use crate::evidence::Evidence;
use crate::plan::Judged;
use oc_core::clock::Stamp;
use oc_core::config::Language;
use oc_core::fault::Result;
use oc_core::fsx;
use oc_core::redact::clean;
use oc_core::world::World;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The agent's own words are cut there.
const CAP: u64 = 64 << 10;

/// Writes `report.md` of an incident directory; returns its path.
///
/// # Errors
/// 74 or 77.
pub fn write(world: &World, dir: &Path, body: &Body, evidence: &Evidence, judged: &Judged) -> Result<PathBuf> {
    let path = dir.join("report.md");
    let own = fsx::tail(&path, CAP)
        .map(|b| String::from_utf8_lossy(&b).into_owned())
        .unwrap_or_default();
    let word = |en: &'static str, ko: &'static str| match world.config.language {
        Language::En => en,
        Language::Ko => ko,
    };
    let mut text = format!(
        "# {} {}\n",
        word("Report of the AI doctor,", "AI 닥터 보고서,"),
        Stamp::now().rfc3339()
    );
    let mut section = |title: &str, content: &str| {
        if !content.trim().is_empty() {
            _ = write!(text, "\n## {title}\n{}\n", content.trim());
        }
    };
    let seen = |key: &str| evidence.probe[key].as_str().unwrap_or("-").to_owned();
    section(
        word("Symptom", "증상"),
        &format!("{}: {}", seen("class"), seen("summary")),
    );
    section(word("What was tried before", "이전 시도"), &evidence.tried.join("\n"));
    section(word("In the agent's words", "에이전트의 보고"), &quoted(own.trim()));
    section(
        word("Its summary", "요약"),
        &quoted(judged.summary.as_deref().unwrap_or_default()),
    );
    let diff = judged.diff.as_deref().unwrap_or_default();
    section(
        word("Proposed change of the configuration", "제안한 설정 변경"),
        &if diff.is_empty() {
            String::new()
        } else {
            format!("```diff\n{}\n```", diff.trim_end())
        },
    );
    section(word("Steps for a person", "사람이 할 일"), &list(&judged.human_steps));
    let cost = format!(
        "{}: {} ({}). {:.1} s, {} {}, {:.4} USD.",
        word("Outcome", "결과"),
        body.outcome,
        body.detail.as_deref().unwrap_or("-"),
        body.took_ms as f64 / 1000.0,
        body.turns,
        word("turns", "턴"),
        body.cost_usd,
    );
    section(word("Result, time, cost", "결과, 시간, 비용"), &cost);
    section(word("Denied calls", "거부된 호출"), &list(&body.denied));
    let text = world.redactor().redact(&clean(&text)).into_owned();
    fsx::replace(&path, text.as_bytes())?;
    Ok(path)
}

fn list(items: &[String]) -> String {
    items.iter().map(|item| format!("- {item}\n")).collect()
}

/// Foreign words: a heading in them must not pass for one of ours.
fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}\n")).collect()
}
