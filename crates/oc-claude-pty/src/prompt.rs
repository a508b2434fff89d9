//! The prompt: a template of the repository or of the user, filled in.

use crate::evidence::Evidence;
use crate::fence::Fence;
use oc_core::config::Language;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::redact::clean_line;
use oc_core::world::World;
use std::path::Path;
use std::time::Duration;

const EN: &str = include_str!("prompts/en.md");
const KO: &str = include_str!("prompts/ko.md");

/// The text for one session.
///
/// # Errors
/// 78 when the user's own template cannot be read.
pub fn text(world: &World, fence: &Fence, evidence: &Evidence, left: Duration, turns: u32) -> Result<String> {
    let own = match &world.config.agent.prompt_file {
        Some(path) => Some(own(path)?),
        None => None,
    };
    let template = own.as_deref().unwrap_or(match world.config.language {
        Language::En => EN,
        Language::Ko => KO,
    });
    let dir = &fence.dir;
    let at = |name: &str| dir.join(name).display().to_string();
    let said = |text: &str| world.redactor().redact(&clean_line(text)).into_owned();
    let list = |lines: &[String]| {
        let lines: Vec<String> = lines.iter().map(|line| format!("- {}", clean_line(line))).collect();
        if lines.is_empty() {
            "-".to_owned()
        } else {
            lines.join("\n")
        }
    };
    let commands: Vec<String> = fence.commands.iter().map(|command| format!("`{command}`")).collect();
    let probe = |key: &str| said(evidence.probe[key].as_str().unwrap_or("unknown"));
    let minutes = humantime::format_duration(Duration::from_secs(left.as_secs().max(1))).to_string();
    Ok([
        ("service", world.instance().to_owned()),
        ("symptom", format!("{} ({})", probe("class"), probe("summary"))),
        ("target", probe("target")),
        ("deadline", minutes),
        ("turns", turns.to_string()),
        ("tried", list(&evidence.tried)),
        ("evidence", at("evidence")),
        ("work", at("work/openclaw.json")),
        ("plan", at("plan.json")),
        ("report", at("report.md")),
        ("dir", dir.display().to_string()),
        ("commands", list(&commands)),
        ("similar", similar(&dir.join("evidence"))),
    ]
    .iter()
    .fold(template.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    }))
}

fn own(path: &Path) -> Result<String> {
    let bytes = fsx::read_capped(path, 1 << 20)?
        .ok_or_else(|| Fault::config(format_args!("agent.prompt_file: {} is not there", path.display())))?;
    String::from_utf8(bytes)
        .map_err(|_| Fault::config(format_args!("agent.prompt_file: {} is no text", path.display())))
}

/// Plans that healed before, when there are any.
fn similar(evidence: &Path) -> String {
    let path = evidence.join("playbook.txt");
    if path.exists() {
        format!(
            "\nPlans that healed before, those for a similar fault first: `{}`.\n",
            path.display()
        )
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_ask_for_the_same_things() {
        let names = |text: &str| {
            let mut names: Vec<String> = text
                .split("{{")
                .skip(1)
                .filter_map(|rest| rest.split_once("}}").map(|(name, _)| name.to_owned()))
                .collect();
            names.sort();
            names.dedup();
            names
        };
        assert_eq!(names(EN), names(KO));
        for verb in [
            "restart",
            "restore_generation",
            "disable_plugin",
            "end_stale_gateway",
            "human_step",
        ] {
            assert!(EN.contains(verb) && KO.contains(verb), "{verb}");
        }
    }
}
