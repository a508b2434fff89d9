//! What the oc tools share. Tools depend on this crate and never on each other: they meet through processes, exit codes
//! and files.

pub mod class;
pub mod clock;
pub mod config;
pub mod exit;
pub mod fault;
pub mod fsx;
pub mod identity;
pub mod paths;
pub mod redact;
pub mod report;

pub use exit::Exit;
pub use fault::{Fault, Result};
