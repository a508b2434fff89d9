//! `reset`: a person has looked; incident and counters are forgotten.

use crate::history::Event as Change;
use crate::state::{self, Held};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::fsx;
use oc_core::journal::Kind;
use oc_core::run::{Answer, Common};
use oc_core::world::World;
use serde_json::json;

/// `oc-escalate reset`. Never waits for a healing.
///
/// # Errors
/// 74, 77, 78.
pub fn reset(common: &Common) -> Result<Answer> {
    let world = World::open("oc-escalate", common, true)?;
    let forgotten = state::peek(&world).ok().and_then(|s| s.history.incident).map(|i| i.id);
    if !common.dry_run {
        fsx::private_dir(world.paths.watchdog())?;
        let mut held = Held::take(&world)?;
        held.state.history.record(&world.config.policy, Change::Reset);
        held.state.doubt = None;
        let event = world
            .event(Kind::Intent, "a person reset the history")
            .incident(forgotten.as_deref());
        held.save(vec![event])?;
    }
    let text = match (&forgotten, common.dry_run) {
        (Some(id), false) => format!("forgot incident {id} and all counters\n"),
        (None, false) => "forgot all counters; no incident was open\n".to_owned(),
        (Some(id), true) => format!("would forget incident {id} and all counters\n"),
        (None, true) => "would forget all counters; no incident is open\n".to_owned(),
    };
    let body = json!({"incident": forgotten, "dry_run": common.dry_run});
    Ok(Answer::new("oc.reset/1", Exit::Good, "reset", &body)?.text(text))
}
