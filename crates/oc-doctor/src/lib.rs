//! oc-doctor: configuration and surroundings repaired in seconds, every change undoable.
//!
//! A [`scene::Scene`] is what is there; [`checks`] say what is wrong with it; [`remedies`] propose the smallest change; a
//! [`transaction`] makes it and can take it back; [`generations`] keep what was there before.

pub mod checks;
pub mod cli;
pub mod commands;
pub mod dependencies;
pub mod diff;
pub mod disk;
pub mod document;
pub mod edit;
pub mod evidence;
pub mod explain;
pub mod finding;
pub mod generations;
pub mod include;
pub mod logs;
pub mod own_doctor;
pub mod owner;
pub mod package;
pub mod plan;
pub mod playbook;
pub mod remedies;
pub mod repair;
pub mod report;
pub mod scene;
pub mod schema;
pub mod secrets;
pub mod text;
pub mod transaction;
pub mod validate;

#[cfg(test)]
mod tests_support;
