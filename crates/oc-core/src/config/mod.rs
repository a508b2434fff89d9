//! Settings: one struct for each section of config.json.

mod policy;
mod span;

pub use policy::{
    AgentBounds, Backoff, Flapping, HealthyAgain, Hold, KillBound, Ladder, MemoryPolicy, Policy, RestartBound, Warn,
};
pub use span::Span;
