//! What is answered to whom: the real gateway's HTTP table. Pure.

use crate::config::VERSION;
use serde_json::{Value, json};

/// Where in its life the gateway is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Starting,
    Up,
    Draining,
}

/// All that an answer depends on.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) phase: Phase,
    pub(crate) uptime_ms: u64,
    pub(crate) not_ready: Vec<String>,
    pub(crate) suppressed: Vec<String>,
    pub(crate) loop_degraded: bool,
}

/// A request's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) forwarded: bool,
    pub(crate) keep_alive: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) extra: String,
    pub(crate) body: Vec<u8>,
}

const JSON: &str = "application/json; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// The Control UI, which the real gateway serves for every path it does not know.
pub(crate) const PAGE: &str = "<!doctype html>\n<html lang=\"en\"><head><title>OpenClaw Control</title></head>\
    <body><openclaw-app></openclaw-app></body></html>\n";

impl Answer {
    fn json(status: u16, body: &Value) -> Self {
        Self::new(status, JSON, body.to_string())
    }

    pub(crate) fn text(status: u16, body: &str) -> Self {
        Self::new(status, TEXT, body)
    }

    pub(crate) fn html() -> Self {
        Self::new(200, HTML, PAGE)
    }

    pub(crate) fn raw_json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, JSON, body)
    }

    fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type,
            extra: String::new(),
            body: body.into(),
        }
    }

    pub(crate) fn with(mut self, header: &str) -> Self {
        self.extra.push_str(header);
        self.extra.push_str("\r\n");
        self
    }

    /// The head as it goes over the wire.
    pub(crate) fn head(&self, keep_alive: bool) -> String {
        let reason = match self.status {
            200 => "OK",
            302 => "Found",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            500 => "Internal Server Error",
            503 => "Service Unavailable",
            _ => "Other",
        };
        let connection = if keep_alive {
            "keep-alive\r\nKeep-Alive: timeout=5"
        } else {
            "close"
        };
        format!(
            "HTTP/1.1 {} {reason}\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n{}Content-Type: \
             {}\r\nCache-Control: no-store\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n",
            self.status,
            self.extra,
            self.content_type,
            self.body.len()
        )
    }
}

/// Answers a request.
pub(crate) fn route(view: &View, request: &Request) -> Answer {
    let path = request.path.split('?').next().unwrap_or_default();
    let probe = |path: &str| {
        matches!(
            path,
            "/healthz" | "/health" | "/startupz" | "/startup" | "/readyz" | "/ready"
        )
    };
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Answer::text(405, "Method Not Allowed").with("Allow: GET, HEAD");
    }
    if probe(path) && request.forwarded && !matches!(path, "/healthz" | "/health") {
        return Answer::json(
            403,
            &json!({"error": {
                "message": "Proxy client attribution is required. Configure gateway.trustedProxies narrowly and make the \
                            proxy overwrite or safely rebuild forwarded client headers.",
                "type": "proxy_attribution_required",
            }}),
        );
    }
    match path {
        "/healthz" | "/health" => Answer::raw_json(r#"{"ok":true,"status":"live"}"#),
        "/startupz" | "/startup" => startup(view),
        "/readyz" | "/ready" => ready(view),
        _ if path.strip_suffix('/').is_some_and(probe) => Answer::text(404, "Not Found"),
        _ if path.starts_with("/api/") || path.starts_with("/v1/") => Answer::text(404, "Not Found"),
        _ => Answer::html(),
    }
}

fn startup(view: &View) -> Answer {
    let (status, word) = match view.phase {
        Phase::Starting => (503, "starting"),
        Phase::Up => (200, "started"),
        Phase::Draining => (503, "draining"),
    };
    let mut body = json!({
        "ok": view.phase == Phase::Up, "status": word, "version": VERSION, "uptimeMs": view.uptime_ms,
    });
    if view.phase == Phase::Starting {
        body["pendingReason"] = json!("startup-sidecars");
    }
    Answer::json(status, &body)
}

fn ready(view: &View) -> Answer {
    let mut failing = view.not_ready.clone();
    match view.phase {
        Phase::Starting => failing = vec!["startup-sidecars".to_owned()],
        Phase::Draining => failing = vec!["gateway-draining".to_owned()],
        Phase::Up => {}
    }
    let mut body = json!({"ready": failing.is_empty(), "failing": failing, "uptimeMs": view.uptime_ms});
    if !view.suppressed.is_empty() {
        body["suppressed"] = json!(view.suppressed);
    }
    let (delay, reasons) = if view.loop_degraded {
        (2500.0, json!(["event_loop_delay"]))
    } else {
        (20.4, json!([]))
    };
    body["eventLoop"] = json!({
        "degraded": view.loop_degraded, "degradedSinceMs": null, "reasons": reasons, "intervalMs": 1000.0,
        "delayP99Ms": delay, "delayMaxMs": delay, "utilization": 0.004, "cpuCoreRatio": 0.006,
    });
    Answer::json(if failing_any(&body) { 503 } else { 200 }, &body)
}

fn failing_any(body: &Value) -> bool {
    body["failing"].as_array().is_some_and(|failing| !failing.is_empty())
}
