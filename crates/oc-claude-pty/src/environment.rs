//! The environment of an agent, built from nothing.

use crate::agents::Agent;
use crate::tools;
use oc_core::world::World;
use std::ffi::OsString;

/// Variables of our environment that an agent may have; everything else stays out.
const PASSED: [&str; 24] = [
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "TZ",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "OC_SERVICE_MANAGER",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_HOME",
    "OPENCLAW_GATEWAY_PORT",
    "OPENCLAW_GATEWAY_URL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Names and values: what the agent's programs need to mean this instance, and the agent's own keys.
#[must_use]
pub fn of(world: &World, agent: &Agent) -> Vec<(String, String)> {
    let text = |value: OsString| value.into_string().ok();
    let mut variables: Vec<(String, String)> = PASSED
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), text(std::env::var_os(name)?)?)))
        .collect();
    let ours = tools::variables(world).into_iter();
    variables.extend(ours.filter_map(|(name, value)| Some((name.to_owned(), text(value)?))));
    variables.extend(text(tools::path()).map(|path| ("PATH".to_owned(), path)));
    variables.push(("SHELL".to_owned(), "/bin/sh".to_owned()));
    variables.push(("TERM".to_owned(), "screen-256color".to_owned()));
    let config = &world.config.agent;
    let own = agent.preset.environment.iter().copied();
    let wanted = own.chain(config.environment.iter().map(String::as_str));
    for name in wanted.filter(|name| is_name(name)) {
        let configured = match name {
            "ANTHROPIC_API_KEY" => config.anthropic_api_key.clone(),
            _ => None,
        };
        if let Some(value) = configured.or_else(|| world.variable(name)) {
            variables.push((name.to_owned(), value.expose().to_owned()));
        }
    }
    variables
}

/// It becomes a word of a shell script.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn only_names_become_words_of_the_script() {
        assert!(is_name("MY_KEY2"));
        for name in ["", "2X", "A B", "A;rm", "A=B", "Ä"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
