//! Stand-ins for the services that oc-notify talks to, with their documented answers and limits. One server plays all of
//! them, told apart by path, and can be given faults.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What every request gets instead of the provider's own answer.
#[derive(Debug, Clone, Default)]
pub enum Trouble {
    /// Nothing: the provider answers.
    #[default]
    None,
    /// The provider's own 429, with this many seconds to wait.
    RateLimited(f64),
    /// The provider's own "this webhook is gone" (404, or 403 where there is none).
    Gone,
    /// This status with this body.
    Status(u16, String),
    /// Takes the request and never answers.
    BlackHole,
    /// Answers one byte every so many milliseconds.
    Slow(u64),
    /// Closes without an answer after having taken the message: the sender cannot know.
    TakenButSilent,
}

/// One request that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// POST, PATCH ...
    pub method: String,
    /// With the query.
    pub path: String,
    /// `name: value`, names in lower case.
    pub headers: Vec<String>,
    /// Null when it is no JSON.
    pub body: Value,
    /// The bytes, as text.
    pub raw: String,
    /// What was answered; 0 for nothing.
    pub status: u16,
}

/// See the module. Dropping it closes everything.
#[derive(Debug)]
pub struct Providers {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    taken: Mutex<Vec<Taken>>,
    trouble: Mutex<Trouble>,
    stop: AtomicBool,
    ids: AtomicU64,
}

impl Providers {
    /// Listens on a loopback port of its own.
    ///
    /// # Panics
    /// When no port can be bound.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it opens a port; nobody wants one by default")]
    pub fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared::default());
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.stop.load(Ordering::Relaxed) {
                    return;
                }
                let server = Arc::clone(&server);
                std::thread::spawn(move || serve(stream, &server));
            }
        });
        Self { port, shared }
    }

    /// `http://127.0.0.1:PORT` and a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A Discord webhook's address.
    #[must_use]
    pub fn discord(&self) -> String {
        self.url("/api/webhooks/1000/discord-s3cret-t0ken")
    }

    /// A Slack webhook's address.
    #[must_use]
    pub fn slack(&self) -> String {
        self.url("/services/T0/B0/slack-s3cret-t0ken")
    }

    /// From now on, every request has this trouble.
    ///
    /// # Panics
    /// Never in a test that did not panic already.
    pub fn trouble(&self, trouble: Trouble) {
        *self.shared.trouble.lock().expect("no panic") = trouble;
    }

    /// Every request so far.
    ///
    /// # Panics
    /// Never in a test that did not panic already.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().expect("no panic").clone()
    }

    /// The requests that the provider accepted.
    #[must_use]
    pub fn accepted(&self) -> Vec<Taken> {
        self.taken()
            .into_iter()
            .filter(|t| (200..300).contains(&t.status))
            .collect()
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees the flag.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

struct Reply {
    status: u16,
    headers: String,
    body: String,
}

impl Reply {
    fn new(status: u16, body: impl ToString) -> Self {
        Self {
            status,
            headers: String::new(),
            body: body.to_string(),
        }
    }

    fn retry_after(mut self, seconds: f64) -> Self {
        self.headers = format!("Retry-After: {}\r\n", seconds.ceil());
        self
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    drop(stream.set_read_timeout(Some(Duration::from_secs(10))));
    let Some(mut taken) = read(&stream) else { return };
    let trouble = shared.trouble.lock().expect("no panic").clone();
    let id = shared.ids.fetch_add(1, Ordering::Relaxed) + 1;
    let reply = match &trouble {
        Trouble::None | Trouble::Slow(_) => Some(answer(&taken, id)),
        Trouble::TakenButSilent => None,
        Trouble::RateLimited(seconds) => Some(limited(&taken.path, *seconds)),
        Trouble::Gone => Some(gone(&taken.path)),
        Trouble::Status(status, body) => Some(Reply::new(*status, body)),
        Trouble::BlackHole => None,
    };
    taken.status = reply.as_ref().map_or(0, |r| r.status);
    shared.taken.lock().expect("no panic").push(taken);
    let Some(reply) = reply else {
        // A black hole keeps the connection; the sender gives up. Polled, so that the thread ends with the test.
        while matches!(trouble, Trouble::BlackHole) && !shared.stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
        return;
    };
    let bytes = format!(
        "HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}",
        reply.status,
        reply.body.len(),
        reply.headers,
        reply.body
    );
    match trouble {
        Trouble::Slow(ms) => {
            for byte in bytes.bytes() {
                if shared.stop.load(Ordering::Relaxed) || stream.write_all(&[byte]).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(ms));
            }
        }
        _ => drop(stream.write_all(bytes.as_bytes())),
    }
}

/// One request; nothing when it is cut short.
pub(crate) fn read(stream: &TcpStream) -> Option<Taken> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        let header = format!("{}: {}", name.to_ascii_lowercase(), value.trim());
        if let Some(n) = header.strip_prefix("content-length: ") {
            length = n.parse().ok()?;
        }
        headers.push(header);
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).ok()?;
    let raw = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&raw).unwrap_or(Value::Null);
    Some(Taken {
        method,
        path,
        headers,
        body,
        raw,
        status: 0,
    })
}

fn answer(taken: &Taken, id: u64) -> Reply {
    match taken.path.as_str() {
        p if p.starts_with("/api/v10/webhooks/") => discord(taken, id),
        p if p.starts_with("/services/") => slack(taken),
        p if p.starts_with("/bot") => telegram(taken, id),
        "/ntfy/" => ntfy(taken, id),
        "/api/v2/alerts" => alertmanager(taken),
        _ => Reply::new(200, "{}"),
    }
}

fn utf16(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.encode_utf16().count())
}

fn discord(taken: &Taken, id: u64) -> Reply {
    let body = &taken.body;
    let refuse = |what: &str| {
        Reply::new(
            400,
            json!({"message": "Invalid Form Body", "code": 50035, "errors": {what: {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH"}]}}}),
        )
    };
    if body.is_null() {
        return Reply::new(
            400,
            json!({"message": "The request body contains invalid JSON.", "code": 50109}),
        );
    }
    let embeds = body["embeds"].as_array().cloned().unwrap_or_default();
    if body["content"].as_str().unwrap_or("").trim().is_empty() && embeds.is_empty() {
        return Reply::new(400, json!({"message": "Cannot send an empty message", "code": 50006}));
    }
    let mut total = 0;
    for embed in &embeds {
        let fields = embed["fields"].as_array().cloned().unwrap_or_default();
        if utf16(&embed["title"]) > 256 || utf16(&embed["description"]) > 4096 || fields.len() > 25 {
            return refuse("embeds");
        }
        total += utf16(&embed["title"]) + utf16(&embed["description"]) + utf16(&embed["footer"]["text"]);
        for field in fields {
            let value = field["value"].as_str().unwrap_or("");
            if utf16(&field["name"]) > 256 || utf16(&field["value"]) > 1024 || value.trim().is_empty() {
                return refuse("fields");
            }
            total += utf16(&field["name"]) + utf16(&field["value"]);
        }
    }
    if utf16(&body["content"]) > 2000 || embeds.len() > 10 || total > 6000 {
        return refuse("embeds");
    }
    if taken.method == "PATCH" && taken.path.contains("/messages/gone") {
        return Reply::new(404, json!({"message": "Unknown Message", "code": 10008}));
    }
    if taken.method == "POST" && !taken.path.contains("wait=true") {
        return Reply::new(204, "");
    }
    Reply::new(200, json!({"id": id.to_string(), "type": 0, "channel_id": "1"}))
}

fn slack(taken: &Taken) -> Reply {
    if taken.body.is_null() {
        return Reply::new(400, "invalid_payload");
    }
    if taken.body["text"].as_str().unwrap_or("").is_empty() {
        return Reply::new(400, "no_text");
    }
    let blocks = taken.body["blocks"].as_array().cloned().unwrap_or_default();
    let sizes: Vec<usize> = blocks.iter().map(|b| utf16(&b["text"]["text"])).collect();
    if blocks.len() > 50 || sizes.iter().any(|n| *n > 3000) {
        return Reply::new(400, "invalid_blocks");
    }
    if sizes.iter().sum::<usize>() > 13_200 {
        return Reply::new(400, "msg_blocks_too_long");
    }
    Reply::new(200, "ok")
}

fn telegram(taken: &Taken, id: u64) -> Reply {
    let refuse = |description: &str| {
        Reply::new(
            400,
            json!({"ok": false, "error_code": 400, "description": format!("Bad Request: {description}")}),
        )
    };
    let length = utf16(&taken.body["text"]);
    if length == 0 {
        return refuse("message text is empty");
    }
    if length > 4096 {
        return refuse("message is too long");
    }
    if taken.body["chat_id"] == "-1" {
        let parameters = json!({"migrate_to_chat_id": -1001});
        return Reply::new(
            400,
            json!({"ok": false, "error_code": 400,
            "description": "Bad Request: group chat was upgraded to a supergroup chat", "parameters": parameters}),
        );
    }
    if taken.body["chat_id"] == "0" {
        return refuse("chat not found");
    }
    Reply::new(200, json!({"ok": true, "result": {"message_id": id}}))
}

fn ntfy(taken: &Taken, id: u64) -> Reply {
    let refuse = |code: u32, what: &str| Reply::new(400, json!({"code": code, "http": 400, "error": what}));
    let size = |key: &str| taken.body[key].as_str().map_or(0, str::len);
    if size("topic") == 0 {
        return refuse(40009, "invalid request: topic invalid");
    }
    if size("title") > 1024 {
        return refuse(40057, "invalid request: title too long");
    }
    if size("message") > 4096 {
        return Reply::new(
            200,
            json!({"id": id.to_string(), "attachment": {"name": "attachment.txt"}}),
        );
    }
    Reply::new(200, json!({"id": id.to_string(), "event": "message"}))
}

fn alertmanager(taken: &Taken) -> Reply {
    let Some(alerts) = taken.body.as_array() else {
        return Reply::new(
            400,
            json!({"code": 400, "message": "parsing alerts body from \"\" failed"}),
        );
    };
    if !taken
        .headers
        .iter()
        .any(|h| h.starts_with("content-type: application/json"))
    {
        return Reply::new(415, "");
    }
    for alert in alerts {
        let labels = alert["labels"].as_object().cloned().unwrap_or_default();
        if labels.is_empty() {
            return Reply::new(400, json!("at least one label pair required"));
        }
    }
    Reply::new(200, "")
}

fn limited(path: &str, seconds: f64) -> Reply {
    let reply = match path {
        p if p.starts_with("/api/v10/") => Reply::new(
            429,
            json!({"message": "You are being rate limited.", "retry_after": seconds, "global": false}),
        ),
        p if p.starts_with("/bot") => Reply::new(
            429,
            json!({"ok": false, "error_code": 429,
            "description": format!("Too Many Requests: retry after {seconds}"), "parameters": {"retry_after": seconds}}),
        ),
        "/ntfy/" => Reply::new(
            429,
            json!({"code": 42901, "http": 429, "error": "limit reached: too many requests, please be nice"}),
        ),
        _ => Reply::new(429, ""),
    };
    reply.retry_after(seconds)
}

fn gone(path: &str) -> Reply {
    match path {
        p if p.starts_with("/api/v10/") => Reply::new(404, json!({"message": "Unknown Webhook", "code": 10015})),
        p if p.starts_with("/services/") => Reply::new(404, "no_service"),
        p if p.starts_with("/bot") => Reply::new(
            403,
            json!({"ok": false, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}),
        ),
        "/ntfy/" => Reply::new(403, json!({"code": 40301, "http": 403, "error": "forbidden"})),
        _ => Reply::new(404, ""),
    }
}
