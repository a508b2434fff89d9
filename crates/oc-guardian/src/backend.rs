//! One file per service manager. launchd and systemd follow; until then every instance is run by the embedded supervisor.

pub mod embedded;
pub mod launchd;
