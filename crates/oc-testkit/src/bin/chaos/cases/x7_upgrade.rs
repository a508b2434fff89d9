//! X7.

use crate::case::{CASE, Case, Class, End, On};
use serde_json::json;

pub(crate) const X7: Case = Case {
    id: "X7",
    class: Class::Control,
    fault: "an upgrade is under way (the package changed just now), and it hangs meanwhile",
    on: On::Both,
    prepare: |arena| {
        let package = json!({"name": "openclaw", "version": "2026.9.7"}).to_string();
        let file = arena.env().write("package/package.json", package);
        arena
            .env()
            .configure(&json!({"service": {"package_dir": file.parent()}}));
        Ok(())
    },
    inject: |arena| arena.fault_here(|f| f.block_ms = Some(0)),
    end: End::LeftAlone(3),
    ..CASE
};
