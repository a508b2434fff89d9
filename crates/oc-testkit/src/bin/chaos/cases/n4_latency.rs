//! N4.

use crate::case::{CASE, Case, Class, End};
use oc_testkit::{Asked, ask_with};
use std::net::Ipv4Addr;
use std::time::Duration;

pub(crate) const N4: Case = Case {
    id: "N4",
    class: Class::Network,
    fault: "every answer comes 400 ms late",
    inject: |arena| arena.fault_here(|f| f.latency_ms = 400),
    hurts: |arena| {
        let limit = Duration::from_millis(300);
        ask_with(
            Ipv4Addr::LOCALHOST.into(),
            arena.service.port,
            "GET",
            "/healthz",
            &[],
            limit,
        ) == Asked::Silent
    },
    end: End::LeftAlone(4),
    ..CASE
};
