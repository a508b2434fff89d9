//! The remedies, one file each, in the order in which they are tried. A remedy for the configuration is a pure function
//! from what is there to what should be there: it is judged by the checks before a byte is written, and undone by
//! putting the bytes back. One for the surroundings names the step it would take.

mod auth;
mod close_cut;
mod commas;
mod cut_garbage;
mod disable_plugin;
mod drop_key;
mod end_stale;
mod include;
mod make_readable;
mod minimal;
mod move_aside;
mod required;
mod restore;
mod take_value;
mod trim_logs;

use crate::finding::Finding;
use crate::generations::{Candidate, Id};
use crate::scene::Scene;
use oc_core::identity::Identity;
use std::path::PathBuf;

/// What a remedy is asked.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// How things are.
    pub scene: &'a Scene<'a>,
    /// What is to be mended.
    pub finding: &'a Finding,
    /// What values and files can be taken from, best first.
    pub candidates: &'a [Candidate],
}

/// What a remedy would do.
#[derive(Debug, Clone)]
pub enum Proposal {
    /// Give the configuration this content.
    Content {
        /// All of it.
        bytes: Vec<u8>,
        /// What is different, as a sentence.
        what: String,
        /// The generation it came from, when it was restored whole.
        restored: Option<Id>,
    },
    /// Give an included file this content.
    Included {
        /// Which file.
        path: PathBuf,
        /// All of it.
        bytes: Vec<u8>,
        /// What is different.
        what: String,
    },
    /// Change permission bits.
    Mode {
        /// Of which file.
        path: PathBuf,
        /// As they are.
        before: u32,
        /// As they should be.
        after: u32,
    },
    /// Move something out of the way.
    Aside {
        /// What.
        path: PathBuf,
    },
    /// End a process that was proven to be a stale one of ours.
    End {
        /// Which.
        identity: Identity,
        /// Why it is ours and stale.
        what: String,
    },
    /// Remove rotated logs.
    Remove {
        /// Which files.
        files: Vec<PathBuf>,
        /// Bytes that are freed.
        bytes: u64,
    },
}

/// One remedy.
#[derive(Debug)]
pub struct Remedy {
    /// Its name, for `doctor.disabled_remedies` and reports.
    pub name: &'static str,
    /// The findings it is for.
    pub heals: &'static [&'static str],
    /// What it does, for `oc-doctor explain`.
    pub does: &'static str,
    /// What it would do; `None` when it cannot help here.
    pub propose: fn(&Ask<'_>) -> Option<Proposal>,
}

/// Every remedy, the gentlest first.
pub const ALL: [&Remedy; 15] = [
    &make_readable::REMEDY,
    &move_aside::REMEDY,
    &commas::REMEDY,
    &cut_garbage::REMEDY,
    &required::REMEDY,
    &take_value::REMEDY,
    &drop_key::REMEDY,
    &auth::REMEDY,
    &disable_plugin::REMEDY,
    &include::REMEDY,
    &restore::REMEDY,
    &close_cut::REMEDY,
    &minimal::REMEDY,
    &end_stale::REMEDY,
    &trim_logs::REMEDY,
];

/// The remedies for a finding that are not disabled.
pub fn for_finding<'a>(finding: &'a Finding, disabled: &'a [String]) -> impl Iterator<Item = &'static Remedy> + 'a {
    ALL.into_iter()
        .filter(|r| r.heals.contains(&finding.id.as_str()))
        .filter(|r| !disabled.iter().any(|name| name == r.name))
}
