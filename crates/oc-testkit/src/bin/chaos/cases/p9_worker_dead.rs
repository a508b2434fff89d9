//! P9.

use crate::arena::{Arena, Result, broken};
use crate::case::{CASE, Case};
use oc_testkit::Signal;

pub(crate) const P9: Case = Case {
    id: "P9",
    fault: "the worker is dead, its launcher lives",
    prepare: |arena| launcher(arena, "\"$gateway\" \"$@\" & wait; sleep 600 & wait"),
    inject: |arena| {
        let worker = arena.env().gateway_pid().ok_or_else(|| broken("no worker to kill"))?;
        arena.env().signal(worker, Signal::KILL);
        Ok(())
    },
    actions: &["restart graceful", "restart kill"],
    most: 2,
    level: Some(1),
    alerts: 0..=2,
    ..CASE
};

/// The gateway is started by this script, with its program in `$gateway`.
pub(super) fn launcher(arena: &mut Arena, script: &str) -> Result<()> {
    let gateway = arena.program.display().to_string();
    arena.program = arena.env().stub("launcher", &format!("gateway={gateway}\n{script}"));
    Ok(())
}
