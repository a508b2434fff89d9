//! The whole chain: the real scripts/oc-heal, the real tools, a stand-in gateway under `oc-guardian supervise`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod agent;
mod concurrency;
mod crash;
mod generic;
mod heal;
mod left_alone;
mod ours;
mod persons;
mod stage;
mod table;
mod told;
