//! Ends a contradiction between who may connect and how they sign in: by the sign-in of the last good configuration,
//! else by the closed door (this machine only), never by an open one.

use super::{Ask, Proposal, Remedy};
use crate::document::{Document, keys};
use crate::edit;
use serde_json::json;

pub(super) const REMEDY: Remedy = Remedy {
    name: "auth",
    heals: &["auth.missing", "auth.password_missing"],
    does: "takes gateway.auth from the last good configuration, else closes the gateway to other machines or returns to token sign-in",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let document = ask.scene.document()?;
    let auth = keys("gateway.auth");
    let known = ask.candidates.iter().find_map(|candidate| {
        let other = Document::parse(&candidate.bytes, ask.scene.world.config.service.config_type).ok()?;
        let value = other
            .get(&auth)
            .filter(|value| Some(*value) != document.get(&auth))?
            .clone();
        // It must bring a secret, or the contradiction stays.
        (value.get("token").is_some() || value.get("password").is_some()).then_some((value, candidate))
    });
    let (after, what) = match known {
        Some((value, candidate)) => (
            edit::set(&document.text, &auth, &value)?,
            format!("gateway.auth taken from {}", candidate.name),
        ),
        None if ask.finding.id == "auth.missing" => (
            edit::set(&document.text, &keys("gateway.bind"), &json!("loopback"))?,
            "gateway.bind set to \"loopback\": without sign-in only this machine may connect".to_owned(),
        ),
        None => (
            edit::set(&document.text, &keys("gateway.auth.mode"), &json!("token"))?,
            "gateway.auth.mode set to \"token\"".to_owned(),
        ),
    };
    Some(Proposal::Content {
        what,
        bytes: after.into_bytes(),
        restored: None,
    })
}
