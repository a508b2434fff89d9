//! Sessions with a scripted agent in place of Claude Code: whatever it does, the answer is right, the time bounded, nothing
//! touched, nothing left behind, no secret told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    missing_docs,
    reason = "tests; the real agent's share the stage"
)]

mod bounds;
mod crash;
mod fallback;
mod outcomes;
mod secrets;
mod stage;
mod start;
