//! Where to ask: scheme, host and port of a probe URL.

use crate::fault::{Fault, Result};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::Duration;

/// The parts of a base URL that a probe needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// True for https; such targets go through [`crate::http::remote`].
    pub tls: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path of the URL without a trailing slash; prefixed to every path asked for.
    pub base: String,
}

impl Target {
    /// Reads `http://host[:port][/base]`.
    ///
    /// # Errors
    /// 78 with what is wrong.
    pub fn parse(url: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Fault::config(format_args!("{url:?} is not a probe URL: {why}"))
                .hint("write it like http://127.0.0.1:18789")
        };
        let (tls, rest) = match url.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            Some(_) => return Err(wrong("only http and https are known")),
            None => return Err(wrong("it has no scheme")),
        };
        let (authority, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') {
            return Err(wrong("credentials do not belong into a URL"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(v6) => {
                let (host, rest) = v6.split_once(']').ok_or_else(|| wrong("the bracket is not closed"))?;
                (host, rest.strip_prefix(':'))
            }
            None => match authority.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() || host.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(wrong("it has no host"));
        }
        let port = match port {
            Some(text) => text
                .parse()
                .ok()
                .filter(|p| *p > 0)
                .ok_or_else(|| wrong("the port is not 1-65535"))?,
            None if tls => 443,
            None => 80,
        };
        let path = path.split(['?', '#']).next().unwrap_or("").trim_end_matches('/');
        if path.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(wrong("the path has blanks in it"));
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
            base: path.to_owned(),
        })
    }

    /// `host:port` for the Host header and messages.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The URL of a path on this target.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!(
            "{}://{}{}{path}",
            if self.tls { "https" } else { "http" },
            self.authority(),
            self.base
        )
    }

    /// True when only this machine can answer.
    #[must_use]
    pub fn loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// Addresses to try. Literals and `localhost` never ask a resolver; names are resolved within `limit`.
    pub(super) fn addresses(&self, limit: Duration) -> Result<Vec<SocketAddr>, String> {
        if let Ok(ip) = self.host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, self.port)]);
        }
        if self.host == "localhost" {
            let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            return Ok(both.map(|ip| SocketAddr::new(ip, self.port)).to_vec());
        }
        let (send, receive) = mpsc::channel();
        let name = (self.host.clone(), self.port);
        // The resolver has no deadline of its own; the thread ends with the process if it never answers.
        std::thread::spawn(move || send.send(name.to_socket_addrs().map(Iterator::collect::<Vec<_>>)));
        match receive.recv_timeout(limit) {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(e)) => Err(format!("cannot resolve {}: {e}", self.host)),
            Err(_) => Err(format!("cannot resolve {}: no answer in time", self.host)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_people_write() {
        let t = Target::parse("http://localhost:18789/").unwrap();
        assert_eq!(
            (t.host.as_str(), t.port, t.base.as_str(), t.loopback()),
            ("localhost", 18789, "", true)
        );
        let t = Target::parse("http://[::1]:81/gw/?x=1").unwrap();
        assert_eq!(
            (t.host.as_str(), t.port, t.url("/healthz").as_str()),
            ("::1", 81, "http://[::1]:81/gw/healthz")
        );
        assert_eq!(Target::parse("https://example.org").unwrap().port, 443);
        for bad in [
            "",
            "localhost:1",
            "ftp://x",
            "http://",
            "http://x:0",
            "http://x:70000",
            "http://u:p@x",
            "http://[::1",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_url_makes_it_panic(url in ".{0,60}") {
            let _target = Target::parse(&url);
        }
    }
}
