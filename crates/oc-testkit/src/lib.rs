//! The harness for tests that run the real binaries, and what it shares with the stand-in programs.
//!
//! ```no_run
//! use oc_testkit::TestEnv;
//! let env = TestEnv::new();
//! let gateway = env.gateway().start();
//! env.cmd("oc-probe").args(["--json"]).env("OPENCLAW_GATEWAY_PORT", gateway.port()).run().expect_code(0);
//! gateway.fault(|f| f.block_ms = Some(0));
//! ```
//!
//! A test never sleeps: it waits for a condition with a ceiling ([`wait_until`]). Everything is ended by pid, and a
//! [`TestEnv`] that goes away takes along whatever was started inside it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a harness fails by panicking"
)]

mod canned;
mod cmd;
mod crontab;
mod env;
pub mod faults;
mod gateway;
mod get;
pub mod invariants;
mod journal;
pub mod launchd;
pub mod messages_api;
pub mod peers;
pub mod process;
pub mod providers;
pub mod real;
pub mod results;
mod settings;
mod stranger;
mod supervised;
pub mod trial;
pub mod user_manager;
mod wait;

pub use canned::{Canned, Step};
pub use cmd::{Cmd, Output, Running};
pub use crontab::Crontab;
pub use env::{TestEnv, bin, free_port, scripts};
pub use faults::{Faults, Hostile};
pub use gateway::{Gateway, GatewayBuilder};
pub use get::{Asked, Response, ask, ask_with, get, is_ready};
pub use journal::{Event, Journal, wall_ms};
pub use rustix::process::Signal;
pub use settings::{at_once, commented, in_seconds, merged};
pub use stranger::Stranger;
pub use supervised::Supervised;
pub use wait::{wait_for, wait_until};
