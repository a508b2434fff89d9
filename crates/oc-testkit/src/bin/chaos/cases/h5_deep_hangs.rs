//! H5.

use crate::case::{CASE, Case, Class, End};
use oc_testkit::{Asked, Hostile, ask_with};
use serde_json::json;
use std::net::Ipv4Addr;
use std::time::Duration;

pub(crate) const H5: Case = Case {
    id: "H5",
    class: Class::Http,
    fault: "/healthz answers, /v1/models hangs (a deep probe sees it)",
    settings: || {
        json!({
            "probe": {"deep": [{"name": "models", "url": "/v1/models", "timeout": "300ms", "expect": {"status": 404}}]},
            "policy": {"warn": {"deep_failed": "1s"}},
        })
    },
    inject: |arena| {
        arena.fault_here(|f| {
            f.hostile = Some(Hostile::Stall);
            f.hostile_paths = vec!["/v1/models".to_owned()];
        })
    },
    hurts: |arena| {
        let limit = Duration::from_millis(300);
        let asked = ask_with(
            Ipv4Addr::LOCALHOST.into(),
            arena.service.port,
            "GET",
            "/v1/models",
            &[],
            limit,
        );
        asked == Asked::Silent
    },
    end: End::LeftAlone(4),
    alerts: 1..=2,
    ..CASE
};
