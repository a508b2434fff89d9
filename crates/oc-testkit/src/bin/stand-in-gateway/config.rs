//! The config checks a start goes through, in the real gateway's order, with its exit codes and key lines.

use crate::refusal::{CONFIG, RUNTIME, Refusal};
use serde_json::{Map, Value};
use std::path::Path;

/// The version that is played.
pub(crate) const VERSION: &str = "2026.9.6";

/// What the gateway needs to know of its config.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) port: Option<u16>,
    pub(crate) mode: Option<String>,
    pub(crate) log_file: Option<String>,
    /// The ids of the configured channels.
    pub(crate) channels: Vec<String>,
}

const ROOT_KEYS: &[&str] = &[
    "$schema",
    "accessGroups",
    "acp",
    "agents",
    "approvals",
    "attachments",
    "auth",
    "bindings",
    "broadcast",
    "browser",
    "channels",
    "cloudWorkers",
    "commands",
    "cron",
    "desktop",
    "diagnostics",
    "discovery",
    "env",
    "gateway",
    "hooks",
    "logging",
    "mcp",
    "memory",
    "messages",
    "meta",
    "models",
    "nodeHost",
    "plugins",
    "proxy",
    "secrets",
    "security",
    "session",
    "skills",
    "surfaces",
    "talk",
    "telemetry",
    "tools",
    "transcripts",
    "tts",
    "ui",
    "update",
    "wizard",
    "worktreeAcceleration",
    "worktreeRoot",
];

const GATEWAY_KEYS: &[&str] = &[
    "port",
    "mode",
    "bind",
    "customBindHost",
    "publicOrigin",
    "portals",
    "controlUi",
    "cliAgents",
    "terminal",
    "auth",
    "roles",
    "trustedProxies",
    "allowRealIpFallback",
    "tools",
    "tailscale",
    "remote",
    "reload",
    "tls",
    "http",
    "push",
    "nodes",
];

const CHANNELS: &[&str] = &["telegram", "discord", "slack", "whatsapp", "signal", "imessage", "irc"];
/// Keys of `channels` that are no channel.
const CHANNEL_SETTINGS: &[&str] = &["defaults", "modelByChannel"];

const MODE_MISSING: &str = "Gateway start blocked: existing config is missing gateway.mode. \
    Treat this as suspicious or clobbered config. Re-run `openclaw onboard --mode local` or `openclaw setup`, set \
    gateway.mode=local manually, or pass --allow-unconfigured.";

/// Reads and judges the config file as a start does.
pub(crate) fn load(path: &Path, allow_unconfigured: bool) -> Result<Config, Refusal> {
    let text = match std::fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && allow_unconfigured => return Ok(Config::default()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Refusal::config(
                "Missing config. Run `openclaw setup` or set gateway.mode=local (or pass --allow-unconfigured).",
            ));
        }
        // The real one misleads here, too: the first line is the cause, the second is what people quote.
        Err(e) => {
            let cause = format!("Config read failed: Error: {}: {}", errno_name(&e), path.display());
            return Err(Refusal::new(CONFIG, [cause, MODE_MISSING.to_owned()]));
        }
    };
    let Ok(mut config) = json5::from_str::<Value>(&text) else {
        return Err(Refusal::config(MODE_MISSING));
    };
    migrate(&mut config, path, &text);
    check(&config, path, allow_unconfigured)
}

/// The real one mends some values itself and rewrites the file (its comments are lost, `.bak` keeps them): here a port out
/// of range, which is dropped.
fn migrate(config: &mut Value, path: &Path, text: &str) {
    let Some(gateway) = config.get_mut("gateway").and_then(Value::as_object_mut) else {
        return;
    };
    let in_range = |port: &Value| !port.is_number() || matches!(port.as_u64(), Some(1..=65535));
    if gateway.get("port").is_none_or(in_range) {
        return;
    }
    gateway.remove("port");
    let mut backup = path.as_os_str().to_owned();
    backup.push(".bak");
    _ = std::fs::write(backup, text);
    _ = std::fs::write(path, format!("{config:#}\n"));
}

fn errno_name(e: &std::io::Error) -> String {
    match e.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::ACCESS) => "EACCES: permission denied, open".to_owned(),
        Some(rustix::io::Errno::ISDIR) => "EISDIR: illegal operation on a directory, read".to_owned(),
        _ => e.to_string(),
    }
}

/// Judges a parsed config.
pub(crate) fn check(config: &Value, path: &Path, allow_unconfigured: bool) -> Result<Config, Refusal> {
    if newer(config) {
        return Err(Refusal::new(
            RUNTIME,
            [format!(
                "Refusing to run automatic gateway startup migrations because this OpenClaw binary ({VERSION}) is older \
                 than the config's writer."
            )],
        ));
    }
    let invalid = |what: String| Refusal::config(format!("Invalid config at {}: {what}", path.display()));
    if let Some(what) = schema_finding(config) {
        return Err(invalid(what));
    }
    let gateway = config
        .get("gateway")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let mode = text(&gateway, "mode");
    if mode.as_deref() != Some("local") && !allow_unconfigured {
        return Err(Refusal::config(MODE_MISSING));
    }
    let channels: Vec<String> = config
        .get("channels")
        .and_then(Value::as_object)
        .map(|channels| {
            channels
                .keys()
                .filter(|id| !CHANNEL_SETTINGS.contains(&id.as_str()))
                .cloned()
                .collect()
        })
        .unwrap_or_default();
    if channels.iter().any(|id| !CHANNELS.contains(&id.as_str())) {
        return Err(Refusal::config(
            "OpenClaw config is invalid; run \"openclaw doctor --fix\" before startup.",
        ));
    }
    check_auth(&gateway)?;
    Ok(Config {
        port: gateway
            .get("port")
            .and_then(Value::as_u64)
            .and_then(|port| u16::try_from(port).ok()),
        mode,
        log_file: config
            .pointer("/logging/file")
            .and_then(Value::as_str)
            .map(str::to_owned),
        channels,
    })
}

/// The first thing the schema does not allow.
pub(crate) fn schema_finding(config: &Value) -> Option<String> {
    let Some(root) = config.as_object() else {
        return Some("<root>: Invalid input: expected object".to_owned());
    };
    if let Some(key) = root.keys().find(|key| !ROOT_KEYS.contains(&key.as_str())) {
        return Some(format!("<root>: Unrecognized key: \"{key}\""));
    }
    let gateway = match root.get("gateway") {
        None => return None,
        Some(Value::Object(gateway)) => gateway,
        Some(other) => return Some(expected("gateway", "object", other)),
    };
    if let Some(key) = gateway.keys().find(|key| !GATEWAY_KEYS.contains(&key.as_str())) {
        return Some(format!("gateway: Unrecognized key: \"{key}\""));
    }
    if let Some(port) = gateway.get("port").filter(|port| !port.is_u64()) {
        return Some(expected("gateway.port", "number", port));
    }
    one_of(gateway, "mode", &["local", "remote"])
        .or_else(|| one_of(gateway, "bind", &["auto", "lan", "loopback", "custom", "tailnet"]))
        .or_else(|| match gateway.get("auth") {
            None => None,
            Some(Value::Object(auth)) => one_of(auth, "mode", &["none", "token", "password", "trusted-proxy"]),
            Some(other) => Some(expected("gateway.auth", "object", other)),
        })
}

fn one_of(object: &Map<String, Value>, key: &str, allowed: &[&str]) -> Option<String> {
    let value = object.get(key)?;
    let known = value.as_str().is_some_and(|value| allowed.contains(&value));
    (!known).then(|| format!("gateway.{key}: Invalid input (allowed: {})", allowed.join(", ")))
}

fn expected(path: &str, wanted: &str, got: &Value) -> String {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("{path}: Invalid input: expected {wanted}, received {got}")
}

fn check_auth(gateway: &Map<String, Value>) -> Result<(), Refusal> {
    let auth = gateway
        .get("auth")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let mode = text(&auth, "mode");
    let has = |key: &str| auth.get(key).is_some_and(|value| !value.is_null());
    if mode.as_deref() == Some("password") && !has("password") {
        return Err(Refusal::config(
            "Gateway auth is set to password, but no password is configured.",
        ));
    }
    let open = match mode.as_deref() {
        Some("none") => true,
        Some(_) => false,
        None => !has("token") && !has("password"),
    };
    let bind = text(gateway, "bind").unwrap_or_else(|| "loopback".to_owned());
    if open && bind == "lan" {
        return Err(Refusal::config(format!(
            "Refusing to bind gateway to {bind} without auth."
        )));
    }
    Ok(())
}

fn text(object: &Map<String, Value>, key: &str) -> Option<String> {
    object.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn newer(config: &Value) -> bool {
    let Some(stamp) = config.pointer("/meta/lastTouchedVersion").and_then(Value::as_str) else {
        return false;
    };
    numbers(stamp) > numbers(VERSION)
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judge(config: &Value) -> Result<Config, Refusal> {
        check(config, Path::new("/c"), false)
    }

    #[test]
    fn a_mode_is_all_it_needs() {
        assert_eq!(
            judge(&json!({"gateway": {"mode": "local"}})).unwrap().mode.as_deref(),
            Some("local")
        );
        assert_eq!(judge(&json!({"gateway": {}})).unwrap_err().exit, CONFIG);
    }

    #[test]
    fn a_newer_writer_is_a_runtime_trouble() {
        let newer = json!({"meta": {"lastTouchedVersion": "2099.1.1"}, "gateway": {"mode": "local"}});
        assert_eq!(judge(&newer).unwrap_err().exit, RUNTIME);
        let same = json!({"meta": {"lastTouchedVersion": VERSION}, "gateway": {"mode": "local"}});
        assert!(judge(&same).is_ok());
    }

    #[test]
    fn lan_wants_auth_and_loopback_does_not() {
        assert!(judge(&json!({"gateway": {"mode": "local", "bind": "loopback"}})).is_ok());
        assert!(judge(&json!({"gateway": {"mode": "local", "bind": "lan"}})).is_err());
        assert!(judge(&json!({"gateway": {"mode": "local", "bind": "lan", "auth": {"token": "t"}}})).is_ok());
    }
}
