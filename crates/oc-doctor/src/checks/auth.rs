//! Who may connect against how they sign in. A hint until the service refused this configuration: a password may come
//! from the environment of its service definition.

use crate::finding::{Finding, Severity};
use crate::scene::Scene;
use serde_json::Value;

/// auth.missing, auth.password_missing
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    if !scene.openclaw() || scene.effective.is_none() {
        return;
    }
    let text = |key: &str| scene.get(key).and_then(Value::as_str);
    let has = |key: &str| {
        scene
            .get(key)
            .is_some_and(|v| !matches!(v, Value::Null) && v.as_str() != Some(""))
    };
    let severity = if scene.refused.is_some() {
        Severity::Error
    } else {
        Severity::Warning
    };
    let (mode, bind) = (text("gateway.auth.mode"), text("gateway.bind"));
    let open = matches!(bind, Some("lan" | "tailnet" | "custom" | "auto"));
    let signs_in = match mode {
        Some("none") => false,
        Some("trusted-proxy") => true,
        _ => has("gateway.auth.token") || has("gateway.auth.password"),
    };
    if open && !signs_in {
        findings.push(Finding::new(
            "auth.missing",
            severity,
            "gateway.bind",
            format!(
                "gateway.bind is {:?}, so other machines may connect, and no sign-in is configured",
                bind.unwrap_or_default()
            ),
        ));
    } else if mode == Some("password") && !has("gateway.auth.password") {
        findings.push(Finding::new(
            "auth.password_missing",
            severity,
            "gateway.auth.mode",
            "gateway.auth.mode is \"password\" and there is no gateway.auth.password",
        ));
    }
}
