//! Whether the AI doctor may work: asked once, on a terminal only, where nobody decided it yet.

use super::settings::{Setting, SettingValue};
use oc_core::config::Agent;
use oc_core::out;
use std::io::IsTerminal as _;
use std::time::Duration;

/// Nobody waits longer for an answer that does not come.
const PATIENCE: Duration = Duration::from_secs(300);

/// The settings that `--agent NAME`, or a person's answer, asks for. `none` takes the consent back.
#[must_use]
pub(super) fn settings(agent: &Agent, named: Option<&str>, may_ask: bool) -> Vec<Setting> {
    let asked = || may_ask && std::io::stdin().is_terminal() && out::someone_watches();
    let mut settings = Vec::new();
    let enabled = match named {
        Some(name) => name != "none",
        // A no is written down as well: nobody wants to be asked again.
        None if asked() => {
            let enabled = ask(agent);
            settings.push(consent(enabled));
            return settings;
        }
        None => agent.enabled,
    };
    if enabled != agent.enabled {
        settings.push(consent(enabled));
    }
    if let Some(name) = named.filter(|name| enabled && agent.agents.first().map(String::as_str) != Some(name)) {
        let others = agent.agents.iter().filter(|other| *other != name);
        settings.push(Setting {
            key: ("agent", "agents"),
            value: SettingValue::Texts(std::iter::once(name.to_owned()).chain(others.cloned()).collect()),
        });
    }
    settings
}

fn consent(enabled: bool) -> Setting {
    Setting {
        key: ("agent", "enabled"),
        value: SettingValue::Flag(enabled),
    }
}

fn ask(agent: &Agent) -> bool {
    let names = agent.agents.join(", ");
    out::raw_talk(format_args!(
        "\nWhen restarts and repairs do not help, an AI ({names}) may look for the cause and propose a plan.\n\
         - It costs money: some cents a session; sessions and cost are bounded (policy.agent).\n\
         - Logs and configuration leave this machine, with secrets taken out.\n\
         - It changes nothing itself: oc-doctor checks its plan, applies it, and can undo it.\n\
         Without it, a person is called at that point. May it? [y/N]"
    ));
    let answer = out::line_from_stdin(PATIENCE).unwrap_or_default();
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_consent_and_none_takes_it_back() {
        let off = Agent::default();
        assert!(
            settings(&off, None, true).is_empty(),
            "nobody is asked without a terminal"
        );
        assert_eq!(settings(&off, Some("claude"), false).len(), 1);
        let codex = settings(&off, Some("codex"), false);
        assert_eq!(
            codex[1].value,
            SettingValue::Texts(vec!["codex".into(), "claude".into()])
        );
        let on = Agent {
            enabled: true,
            ..Agent::default()
        };
        assert!(settings(&on, Some("claude"), false).is_empty());
        assert_eq!(settings(&on, Some("none"), false)[0].value, SettingValue::Flag(false));
    }
}
