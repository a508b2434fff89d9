//! Settings with the defaults' times scaled down, and a gateway's configuration as a person writes one.

use serde_json::{Value, json};

/// `base` with the leaves of `over` in place.
#[must_use]
pub fn merged(mut base: Value, over: &Value) -> Value {
    match (&mut base, over) {
        (Value::Object(to), Value::Object(from)) => {
            for (key, value) in from {
                let old = to.remove(key).unwrap_or(Value::Null);
                to.insert(key.clone(), merged(old, value));
            }
            base
        }
        _ => over.clone(),
    }
}

/// Everything the defaults do, in seconds instead of minutes: passes come by themselves, and order in time is kept.
#[must_use]
pub fn in_seconds(webhook: &str) -> Value {
    json!({
        "service": {
            "supervise": {"backoff_step": "200ms", "backoff_max": "500ms", "ready_poll": "10ms"},
            "stop_timeout": "3s",
        },
        "probe": {"timeout": "1s", "tries": 2, "interval": "100ms", "hang_after": "1s", "startup_grace": "10s"},
        "policy": {
            "interval": "1s", "interval_embedded": "1s",
            "hold": {
                "manager": "1s", "manager_starting": "1s", "draining": "2s", "http_error": "500ms", "safe_mode": "2s",
                "wake": "2s",
            },
            "backoff": {"steps": ["500ms", "1s", "2s"], "jitter_percent": 0},
            "ladder": {"half_open": "3s"},
            "kill": {"unclean_limit": 20},
            "healthy": {"stable": "500ms", "stable_same_process": "1s"},
        },
        "notify": {"webhook": {"url": webhook}, "opened_after": "2s"},
    })
}

/// Nothing waits for longer than it must: for passes that are called one by one, where what happens is asked and not when.
#[must_use]
pub fn at_once() -> Value {
    json!({
        "service": {"supervise": {"backoff_step": "100ms", "backoff_max": "300ms", "ready_poll": "10ms"}, "stop_timeout": "5s"},
        "probe": {"timeout": "1s", "tries": 2, "interval": "50ms", "hang_after": "600ms", "startup_grace": "2s"},
        "policy": {
            "interval": "60s", "interval_embedded": "60s",
            "hold": {"manager": "0s", "manager_starting": "1s", "draining": "3s", "http_error": "0s"},
            "backoff": {"steps": ["0s"], "jitter_percent": 0},
            "kill": {"unclean_limit": 20},
            "healthy": {"stable": "200ms", "stable_same_process": "300ms"},
        },
    })
}

/// openclaw.json with a person's comments, so that a repair that does not respect them is seen. `more` stands behind the section
/// `gateway`, with its comma.
#[must_use]
pub fn commented(port: u16, token: &str, more: &str) -> String {
    format!(
        "{{\n  // mine\n  \"gateway\": {{\n    \"mode\": \"local\", // important\n    \"port\": {port},\n    \"bind\": \"loopback\",\n    \
         \"auth\": {{\"mode\": \"token\", \"token\": \"{token}\"}}\n  }}{more}\n}}\n"
    )
}
