//! The forms in which a secret travels.

pub(super) const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The value itself, as JSON (also ASCII-only, also with escaped slashes, also twice escaped), URL-encoded, base64 wherever
/// it stands in the encoded text; of a value of several lines also each long line.
pub(super) fn all(value: &str) -> Vec<String> {
    let mut forms = vec![value.to_owned()];
    let json = json(value);
    forms.push(json.replace('/', "\\/"));
    forms.push(json_ascii(value));
    forms.push(self::json(&json));
    forms.push(json);
    for kept in ["-_.~", "-_.~!'()*", "-_.~:/@+"] {
        let upper = percent(value, kept);
        for form in [upper.replace("%20", "+"), upper] {
            forms.push(lower_hex(&form));
            forms.push(form);
        }
    }
    for alphabet in [STANDARD, URL_SAFE] {
        for shift in 0..3 {
            forms.push(base64_within(value.as_bytes(), shift, alphabet));
        }
    }
    let lines = value
        .lines()
        .filter(|line| line.len() >= 16 && line.len() < value.len());
    forms.extend(lines.map(|line| line.trim().to_owned()));
    forms.retain(|form| form.len() >= super::MIN_LEN);
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn json(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn json_ascii(value: &str) -> String {
    let mut out = String::new();
    for c in json(value).chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out
}

fn percent(value: &str, kept: &str) -> String {
    let mut out = String::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn lower_hex(percent: &str) -> String {
    let mut left = 0_u8;
    percent
        .chars()
        .map(|c| {
            let lower = left > 0;
            left = if c == '%' { 2 } else { left.saturating_sub(1) };
            if lower { c.to_ascii_lowercase() } else { c }
        })
        .collect()
}

/// Without padding: what is searched for is then found with and without it.
pub(super) fn base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * digit)) & 63;
            out.push(char::from(alphabet[index as usize]));
        }
    }
    out
}

/// The digits that depend on the value alone when `shift` bytes (modulo 3) stand before it.
fn base64_within(bytes: &[u8], shift: usize, alphabet: &[u8; 64]) -> String {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(bytes);
    let digits = base64(&padded, alphabet);
    let first = (shift * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    digits.get(first..last).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_as_other_programs_write_them() {
        let forms = all("pä ss/\"w");
        for form in [
            "pä ss/\"w",
            "pä ss\\/\\\"w",
            "p\\u00e4 ss/\\\"w",
            "p%C3%A4%20ss%2F%22w",
            "p%c3%a4+ss%2f%22w",
        ] {
            assert!(forms.iter().any(|known| known == form), "{form}: {forms:?}");
        }
        assert_eq!(base64(b"user:pass", STANDARD), "dXNlcjpwYXNz");
        assert_eq!(base64(b"a", STANDARD), "YQ");
        // base64 of "ab" and this is YWJwYXNzMTI.
        assert_eq!(base64_within(b"pass12", 2, STANDARD), "wYXNzMT");
    }
}
