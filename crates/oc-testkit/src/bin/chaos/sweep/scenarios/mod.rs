//! Every scenario of the sweep, by tool.

mod chain;

use super::{SCENARIO, Scenario};

pub(super) const ALL: &[&Scenario] = &[&chain::HUNG, &chain::CONFIG, &chain::SETTLE];
