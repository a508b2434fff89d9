//! One file a command. Everything impure of oc-escalate is here; what is decided is in [`crate::policy`].

mod decide;
mod input;
mod maintenance;
mod reset;
mod run;
mod settle;
mod simulate;
mod status;
mod tell;

pub use decide::decide;
pub use maintenance::{maintenance_off, maintenance_on};
pub use reset::reset;
pub(crate) use run::run;
pub use settle::settle;
pub use simulate::simulate;
pub use status::status;
