//! The little that is done with URLs here: finding and replacing the port.

/// Everything before the port, and the port. `None` when it is no http(s) URL with a host.
pub(super) fn split_url(url: &str) -> Option<(&str, Option<u16>)> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    if rest.is_empty() || rest.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
        return None;
    }
    let (before, port) = match rest.rfind(']') {
        Some(end) if rest.starts_with('[') => match &rest[end + 1..] {
            "" => (url, None),
            port => (&url[..url.len() - port.len()], Some(port.strip_prefix(':')?)),
        },
        _ => match rest.rsplit_once(':') {
            Some((host, port)) => {
                if host.is_empty() {
                    return None;
                }
                (&url[..url.len() - port.len() - 1], Some(port))
            }
            None => (url, None),
        },
    };
    match port {
        None => Some((before, None)),
        Some(port) => Some((before, Some(port.parse().ok().filter(|port: &u16| *port != 0)?))),
    }
}

/// The URL with another port; `None` when it is no http(s) URL with a host.
pub(super) fn with_port(url: &str, port: u16) -> Option<String> {
    let (before, _) = split_url(url.trim_end_matches('/'))?;
    Some(format!("{before}:{port}"))
}
