//! oc-guardian: the one tool that starts, stops and ends the service. `supervise` is level 0 for hosts without launchd or
//! systemd and for containers; the other commands are for people and for the healing chain.

pub mod backend;
pub mod cli;
pub mod commands;
pub mod crontab;
pub mod ensure;
pub mod exercise;
pub mod install;
pub mod logs;
pub mod outcome;
pub mod registration;
pub mod self_check;
pub mod supervise;
