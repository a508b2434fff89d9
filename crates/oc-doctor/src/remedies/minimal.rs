//! The smallest configuration that serves, when there is nothing at all to restore: the service answers on this machine
//! only, without channels, until a person brings the real one back.

use super::{Ask, Proposal, Remedy};
use oc_core::http::Target;

pub(super) const REMEDY: Remedy = Remedy {
    name: "minimal",
    heals: &[
        "config.missing",
        "config.empty",
        "config.binary",
        "config.garbage",
        "config.truncated",
        "config.syntax",
        "config.too_large",
    ],
    does: "writes the smallest configuration that serves on this machine only, when no copy exists at all",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    if !ask.scene.openclaw() {
        return None;
    }
    let port = Target::parse(&ask.scene.world.config.probe.url).ok()?.port;
    let text = format!(
        "// Written by oc-doctor: this file was beyond repair and no copy of it was found. The old bytes are kept, see\n\
         // `oc-doctor generations`. Channels, models and sign-ins have to be set up again: `openclaw configure`.\n\
         {{\n  \"gateway\": {{ \"mode\": \"local\", \"bind\": \"loopback\", \"port\": {port} }}\n}}\n"
    );
    Some(Proposal::Content {
        what: "replaced by the smallest configuration that serves, because no copy was found; channels are off"
            .to_owned(),
        bytes: text.into_bytes(),
        restored: None,
    })
}
