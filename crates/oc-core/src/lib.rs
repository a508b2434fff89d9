//! What the oc tools share. Tools depend on this crate and never on each other: they meet through processes, exit codes
//! and files.

pub mod chance;
pub mod class;
pub mod clock;
pub mod config;
pub mod exit;
pub mod fault;
pub mod fsx;
pub mod http;
pub mod identity;
pub mod intent;
pub mod journal;
pub mod lock;
pub mod log;
pub mod manual;
pub mod out;
pub mod paths;
pub mod proc;
pub mod redact;
pub mod report;
pub mod run;
pub mod service;
pub mod state;
pub mod stop_record;
pub mod story;
pub mod world;

pub use exit::Exit;
pub use fault::{Fault, Result};

/// musl's own gives pages back as soon as they are empty and asks for them again: a third of the time of a short program.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;
