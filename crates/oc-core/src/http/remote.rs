//! HTTP(S) to the world through ureq: deep probes of upstream services, notifications. Never on the healthy path.

use super::{Failure, Limits, Response, Trouble};
use crate::clock::Deadline;
use std::time::Duration;

/// One request to an http or https URL: no redirects, no proxy, a total deadline, a body cap.
///
/// # Errors
/// A [`Failure`]; its text never holds the URL, which may carry a token.
pub fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
    limits: Limits,
) -> Result<Response, Failure> {
    exchange(method, url, headers, body, limits).map(|(response, _)| response)
}

/// As [`request`], together with the raw `Retry-After` header of the answer.
///
/// # Errors
/// As [`request`].
pub fn exchange(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
    limits: Limits,
) -> Result<(Response, Option<String>), Failure> {
    let deadline = Deadline::after(limits.total);
    let fail = |trouble, what: String| Failure {
        trouble,
        what,
        took: deadline.elapsed(),
        overshoot: Duration::ZERO,
    };
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(limits.total))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .build()
        .into();
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(url)
        .header("User-Agent", "oc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = match body {
        Some(bytes) => request.body(bytes).map(|r| agent.run(r)),
        None => request.body(()).map(|r| agent.run(r)),
    };
    let mut answer = answer
        .map_err(|_| fail(Trouble::Ourselves, "the URL or a header is not valid".into()))?
        .map_err(|e| fail(trouble(&e), describe(&e)))?;
    let content_type = answer
        .headers()
        .get("content-type")
        .and_then(|v| v.to_str().ok())
        .unwrap_or("")
        .to_ascii_lowercase();
    let retry_after = answer
        .headers()
        .get("retry-after")
        .and_then(|v| v.to_str().ok())
        .map(str::to_owned);
    let status = answer.status().as_u16();
    let (body, body_cut) = match answer
        .body_mut()
        .with_config()
        .limit(limits.body_cap as u64)
        .read_to_vec()
    {
        Ok(bytes) => (bytes, false),
        Err(ureq::Error::BodyExceedsLimit(_)) => (Vec::new(), true),
        Err(e) => return Err(fail(trouble(&e), describe(&e))),
    };
    let response = Response {
        status,
        content_type,
        body,
        body_cut,
        took: deadline.elapsed(),
    };
    Ok((response, retry_after))
}

fn trouble(error: &ureq::Error) -> Trouble {
    match error {
        ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => Trouble::NoConnection,
        ureq::Error::Timeout(_) => Trouble::NoBytes,
        ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => Trouble::Refused,
        ureq::Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionReset => Trouble::Reset,
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => Trouble::NoConnection,
        ureq::Error::Protocol(_) => Trouble::NotHttp,
        _ => Trouble::Ourselves,
    }
}

/// ureq's own texts may quote the URL; these do not.
fn describe(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(which) => format!("no answer in time ({which})"),
        ureq::Error::Io(e) => e.to_string(),
        ureq::Error::HostNotFound => "the host name cannot be resolved".into(),
        ureq::Error::ConnectionFailed => "the connection failed".into(),
        ureq::Error::Protocol(_) => "the answer is not HTTP".into(),
        ureq::Error::Tls(what) => format!("TLS: {what}"),
        ureq::Error::Rustls(e) => format!("TLS: {e}"),
        ureq::Error::BadUri(_) => "the URL is not valid".into(),
        _ => "the request failed".into(),
    }
}
