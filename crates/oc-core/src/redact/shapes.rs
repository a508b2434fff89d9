//! The shapes of secrets nobody told us about. One scan; each shape is tried only where its first byte stands.

/// The names that stand for what was found by shape.
pub(super) const NAMES: [&str; 7] = [
    "api_key",
    "bearer",
    "jwt",
    "private_key",
    "telegram",
    "value",
    "webhook",
];

/// Prefixes of keys and tokens, and how many characters follow at least.
const PREFIXES: [(&str, usize); 20] = [
    ("sk-", 16),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xapp-", 10),
    ("AIza", 30),
    ("AKIA", 16),
    ("npm_", 30),
    ("hf_", 30),
    ("gsk_", 20),
    ("xai-", 20),
    ("tk_", 24),
];

/// Endings of names whose values are secret; `_`, `-`, `.` and case do not count.
const SECRET_ENDINGS: [&str; 18] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secretkey",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "webhookurl",
    "webhook",
    "secretid",
];

/// What follows such a name in prose and logs without being its value.
const NO_VALUES: [&str; 16] = [
    "true",
    "false",
    "null",
    "none",
    "missing",
    "invalid",
    "undefined",
    "required",
    "expired",
    "unset",
    "not",
    "mismatch",
    "empty",
    "set",
    "unknown",
    "optional",
];

/// True when a variable or key of this name holds a secret: `apiKey`, `OPENCLAW_GATEWAY_TOKEN`, `webhook_url`; not
/// `maxTokens`.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// The values that stand under secret names in any text (JSON, JSON5, `.env`, broken or not), with their names.
pub(crate) fn named_values(text: &str) -> Vec<(&str, &str)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if matches!(bytes[at], b':' | b'=')
            && let Some((name, (start, end))) = named(text, at)
        {
            found.push((name, &text[start..end]));
            at = end.max(at);
        }
        at += 1;
    }
    found
}

/// The text with every shape replaced, or `None` when there is none. `placeholder` gives the length of the placeholder
/// that a text begins with.
pub(super) fn replace(text: &str, placeholder: impl Fn(&str) -> Option<usize>) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while at < bytes.len() {
        let Some((start, end, name)) = shape_at(text, at, &placeholder) else {
            at += 1;
            continue;
        };
        out.push_str(&text[copied..start]);
        out.push_str("[redacted:");
        out.push_str(name);
        out.push(']');
        copied = end;
        at = end;
    }
    if copied == 0 {
        return None;
    }
    out.push_str(&text[copied..]);
    Some(out)
}

type Shape = (usize, usize, &'static str);

fn shape_at(text: &str, at: usize, placeholder: &impl Fn(&str) -> Option<usize>) -> Option<Shape> {
    let bytes = text.as_bytes();
    let word_start = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    match bytes[at] {
        b':' if bytes[at..].starts_with(b"://") => user_info(text, at, placeholder),
        b':' | b'=' => {
            let (_, (start, end)) = named(text, at)?;
            let value = &text[start..end];
            (placeholder(value) != Some(value.len())).then_some((start, end, "value"))
        }
        b'-' => private_key(text, at),
        b'/' => webhook(text, at),
        b'0'..=b'9' if at == 0 || !bytes[at - 1].is_ascii_digit() => telegram(text, at),
        b'e' if word_start => jwt(text, at).or_else(|| prefixed(text, at)),
        b'b' | b'B' if word_start => bearer(text, at),
        byte if word_start && byte.is_ascii_alphabetic() => prefixed(text, at),
        _ => None,
    }
}

/// The text from here, as far as one looks ahead for what may not be there: hostile text must not cost the square of its
/// length.
fn ahead(text: &str, from: usize) -> &str {
    let end = (from + 2048).min(text.len());
    &text[from..text.floor_char_boundary(end)]
}

/// Length of the run of bytes that `fits` accepts; ASCII only, so that cuts are at character boundaries.
fn run(text: &str, from: usize, fits: impl Fn(u8) -> bool) -> usize {
    text.as_bytes()[from..]
        .iter()
        .take_while(|byte| byte.is_ascii() && fits(**byte))
        .count()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn prefixed(text: &str, at: usize) -> Option<Shape> {
    let (prefix, least) = PREFIXES.iter().find(|(prefix, _)| text[at..].starts_with(prefix))?;
    let from = at + prefix.len();
    let len = run(text, from, is_token);
    (len >= *least).then_some((at, from + len, "api_key"))
}

/// `Bearer x`, with any case. What looks like a word of prose is left alone.
fn bearer(text: &str, at: usize) -> Option<Shape> {
    let scheme = text.as_bytes().get(at..at + 7)?;
    if !scheme.eq_ignore_ascii_case(b"bearer ") {
        return None;
    }
    let from = at + 7;
    let len = run(text, from, |b| {
        is_token(b) || matches!(b, b'.' | b'~' | b'+' | b'/' | b'=')
    });
    let is_value = len >= 20 || (len >= MIN_VALUE && text[from..from + len].bytes().any(|b| b.is_ascii_digit()));
    is_value.then_some((from, from + len, "bearer"))
}

/// Header, claims and perhaps a signature, base64url of JSON objects: `eyJ` is `{"`.
fn jwt(text: &str, at: usize) -> Option<Shape> {
    let inside = at > 0 && is_token(text.as_bytes()[at - 1]);
    if inside || !text[at..].starts_with("eyJ") {
        return None;
    }
    let header = run(ahead(text, at), 0, is_token);
    let dot = at + header;
    if text.as_bytes().get(dot) != Some(&b'.') {
        return None;
    }
    let rest = run(text, dot, |b| is_token(b) || b == b'.');
    (header >= 10 && rest >= 10).then_some((at, dot + rest, "jwt"))
}

/// To the end marker; without one (a log cut short) to the end of the text.
fn private_key(text: &str, at: usize) -> Option<Shape> {
    let label = ahead(text, at).strip_prefix("-----BEGIN ")?;
    let (label, _) = label.split_once("-----")?;
    if !label.ends_with("PRIVATE KEY") || label.len() > 40 {
        return None;
    }
    let tail = &text[at..];
    let end = tail
        .find("-----END ")
        .and_then(|end| Some((end, tail[end + 9..].find("-----")?)))
        .map_or(text.len(), |(end, dashes)| at + end + 9 + dashes + 5);
    Some((at, end, "private_key"))
}

/// `.../webhooks/ID/TOKEN` (Discord), `//hooks.slack.com/services/T/B/X`. The address stays, the capability goes.
fn webhook(text: &str, at: usize) -> Option<Shape> {
    let rest = &text[at..];
    if rest.starts_with("/webhooks/") {
        let id = at + "/webhooks/".len();
        let slash = id + run(text, id, |b| b.is_ascii_digit());
        if slash > id && text.as_bytes().get(slash) == Some(&b'/') {
            let len = run(text, slash + 1, is_token);
            return (len >= MIN_VALUE).then_some((slash + 1, slash + 1 + len, "webhook"));
        }
    }
    if rest.starts_with("/hooks.slack.com/") {
        let from = at + "/hooks.slack.com/".len();
        let len = run(text, from, |b| is_token(b) || b == b'/');
        return (len >= MIN_VALUE).then_some((from, from + len, "webhook"));
    }
    None
}

/// `123456789:AA...`, as in `/bot123456789:AA.../sendMessage`.
fn telegram(text: &str, at: usize) -> Option<Shape> {
    let digits = run(text, at, |b| b.is_ascii_digit());
    let colon = at + digits;
    if !(6..=14).contains(&digits) || text.as_bytes().get(colon) != Some(&b':') {
        return None;
    }
    let len = run(text, colon + 1, is_token);
    (len >= 30).then_some((at, colon + 1 + len, "telegram"))
}

/// `https://user:password@host`.
fn user_info(text: &str, at: usize, placeholder: &impl Fn(&str) -> Option<usize>) -> Option<Shape> {
    let from = at + 3;
    let stop =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '`');
    let authority = ahead(text, from);
    let authority = &authority[..authority.find(stop).unwrap_or(authority.len())];
    let (info, _) = authority.rsplit_once('@')?;
    // `https://token@host` is a password without a user. The colon of a placeholder divides nothing.
    let plain = &info[..info.find(OURS).unwrap_or(info.len())];
    let start = from + plain.find(':').map_or(0, |colon| colon + 1);
    let end = from + info.len();
    let value = &text[start..end];
    (!value.is_empty() && placeholder(value) != Some(value.len())).then_some((start, end, "value"))
}

/// What every placeholder begins with.
const OURS: &str = "[redacted:";

/// Shorter values without quotes are words.
const MIN_VALUE: usize = 4;

/// The secret name before the `:` or `=` at `at`, and where its value stands.
fn named(text: &str, at: usize) -> Option<(&str, (usize, usize))> {
    let bytes = text.as_bytes();
    // Back over blanks and a closing quote (escaped, where JSON stands within JSON) to the name.
    let mut end = at;
    while end > 0 && matches!(bytes[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    if end > 0 && matches!(bytes[end - 1], b'"' | b'\'') {
        end -= 1;
        while end > 0 && bytes[end - 1] == b'\\' {
            end -= 1;
        }
    }
    let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    let len = bytes[..end].iter().rev().take(64).take_while(|b| is_name(**b)).count();
    let name = &text[end - len..end];
    if !is_secret_name(name) {
        return None;
    }
    // Forward over `==`, `=>`, blanks and the backslashes of nested JSON to the value.
    let mut start = at + 1;
    while start < bytes.len() && matches!(bytes[start], b' ' | b'\t' | b'=' | b'>') {
        start += 1;
    }
    let escapes = run(text, start, |b| b == b'\\');
    let (start, end) = match bytes.get(start + escapes) {
        Some(quote @ (b'"' | b'\'' | b'`')) => {
            let from = start + escapes + 1;
            (from, quoted_end(text, from, *quote, escapes))
        }
        _ if is_header(name) => (
            start,
            start + text[start..].find(['\n', '\r']).unwrap_or(text.len() - start),
        ),
        _ => {
            let stop =
                |c: char| c.is_whitespace() || c.is_control() || matches!(c, ',' | ';' | '&' | '}' | ')' | '"' | '\'');
            // A section, a list, a path, or a reference to a variable, which says where the secret is and not what.
            let rest = &text[start..];
            if rest.starts_with(['{', '(', '/'])
                || rest.starts_with("${")
                || rest.starts_with('[') && !rest.starts_with(OURS)
            {
                return None;
            }
            let end = start + rest.find(stop).unwrap_or(rest.len());
            let word = rest[..end - start].trim_end_matches(['.', ':']);
            if word.len() < MIN_VALUE || NO_VALUES.iter().any(|known| word.eq_ignore_ascii_case(known)) {
                return None;
            }
            (start, end)
        }
    };
    let value = text.get(start..end)?;
    let is_reference = value.starts_with("${") && value.ends_with('}');
    (!value.trim().is_empty() && !is_reference).then_some((name, (start, end)))
}

/// Headers whose value is the rest of the line.
fn is_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with("authorization") || name.ends_with("cookie")
}

/// Where a quoted value ends: at the quote behind as many backslashes as its first one had; else at the end of the line.
fn quoted_end(text: &str, from: usize, quote: u8, escapes: usize) -> usize {
    let mut backslashes = 0;
    for (offset, byte) in text.as_bytes()[from..].iter().enumerate() {
        match byte {
            b'\\' => backslashes += 1,
            b'\n' => return from + offset,
            byte if *byte == quote && (backslashes <= escapes && (escapes > 0 || backslashes == 0)) => {
                return from + offset - backslashes;
            }
            byte if *byte == quote && escapes == 0 && backslashes % 2 == 0 => return from + offset,
            _ => backslashes = 0,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::*;

    fn redact(text: &str) -> String {
        Redactor::patterns().redact(text).into_owned()
    }

    #[test]
    fn secrets_are_known_by_their_shape() {
        for (text, expected) in [
            (
                "key sk-ant-api03-abcdefghij_KLMN-0123 used",
                "key [redacted:api_key] used",
            ),
            ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [redacted:value]"),
            ("sent bearer abc123XYZ.~ ok", "sent bearer [redacted:bearer] ok"),
            ("bearer authentication failed", "bearer authentication failed"),
            (
                "POST https://discord.com/api/v10/webhooks/123/abc_DEF-456?wait=true",
                "POST https://discord.com/api/v10/webhooks/123/[redacted:webhook]?wait=true",
            ),
            (
                "https://hooks.slack.com/services/T000/B000/xyzXYZ failed",
                "https://hooks.slack.com/[redacted:webhook] failed",
            ),
            (
                "https://api.telegram.org/bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456/sendMessage",
                "https://api.telegram.org/bot[redacted:telegram]/sendMessage",
            ),
            (
                r#"{"token": "tok", "port": 1}"#,
                r#"{"token": "[redacted:value]", "port": 1}"#,
            ),
            (r#"{token:'a\'b',b:1}"#, "{token:'[redacted:value]',b:1}"),
            (
                r#""{\"apiKey\":\"abc\",\"b\":1}""#,
                r#""{\"apiKey\":\"[redacted:value]\",\"b\":1}""#,
            ),
            (
                "OPENCLAW_GATEWAY_TOKEN=abcd1234\n",
                "OPENCLAW_GATEWAY_TOKEN=[redacted:value]\n",
            ),
            ("?access_token=abcdef&x=1", "?access_token=[redacted:value]&x=1"),
            ("password: hunter2", "password: [redacted:value]"),
            (
                "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln end",
                "jwt [redacted:jwt] end",
            ),
            ("https://me:pa:ss@host/x", "https://me:[redacted:value]@host/x"),
            ("https://justatoken@host/x", "https://[redacted:value]@host/x"),
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb",
                "a\n[redacted:private_key]\nb",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMIIE cut", "[redacted:private_key]"),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        for text in [
            "gateway.port: Invalid input: expected number, received string",
            "token=${VAR} password: /run/secrets/x",
            r#"{"maxTokens": 4096, "mode": "token", "token": "${MISSING}"}"#,
            "token: missing",
            "Gateway auth is set to password, but no password is configured",
            "task-force-on-something-long-enough",
            "http://127.0.0.1:18789/healthz at 12:34:56",
            "tokens: 12345, cookies=2",
            "é:ü=ß",
        ] {
            assert_eq!(redact(text), text);
        }
    }

    #[test]
    fn values_are_found_in_a_broken_configuration_too() {
        let text = "{ gateway: { auth: { token: 'abc-def', mode: \"token\" }, \"password\" : \"p w\" // broken";
        assert_eq!(named_values(text), [("token", "abc-def"), ("password", "p w")]);
    }
}
