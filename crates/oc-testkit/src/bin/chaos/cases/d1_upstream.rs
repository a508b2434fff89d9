//! D1.

use crate::arena::{Arena, Result};
use crate::case::{CASE, Case, Class, End};
use oc_testkit::providers::{Providers, Trouble};
use serde_json::json;

pub(crate) const D1: Case = Case {
    id: "D1",
    class: Class::Dependency,
    fault: "the upstream API answers 429",
    prepare: upstream,
    inject: |arena| {
        arena
            .upstream()?
            .trouble(Trouble::Status(429, "too many requests".to_owned()));
        Ok(())
    },
    // People are told, which they are only because the deep probe met it.
    hurts: |arena| arena.heard("warning").is_some(),
    mend: |arena| {
        arena.upstream()?.trouble(Trouble::None);
        Ok(())
    },
    end: End::LeftAlone(3),
    alerts: 1..=2,
    ..CASE
};

/// A deep probe asks an upstream of its own.
pub(super) fn upstream(arena: &mut Arena) -> Result<()> {
    let upstream = Providers::new();
    let probe =
        json!({"name": "upstream", "url": upstream.url("/v1/models"), "timeout": "500ms", "expect": {"status": 200}});
    arena
        .env()
        .configure(&json!({"probe": {"deep": [probe]}, "policy": {"warn": {"deep_failed": "1s"}}}));
    arena.upstream = Some(upstream);
    Ok(())
}
