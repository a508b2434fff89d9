//! The files of `plists/`, `systemd/` and `cron/`: there where packagers look for them, and in the program.

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../", $path))
    };
}

pub(super) const WATCHDOG_PLIST: &str = template!("plists/ai.openclaw.watchdog.plist");
pub(super) const GUARDIAN_PLIST: &str = template!("plists/ai.openclaw.guardian.plist");
pub(super) const GATEWAY_PLIST: &str = template!("plists/gateway.plist");
pub(super) const WATCHDOG_SERVICE: &str = template!("systemd/openclaw-watchdog.service");
pub(super) const WATCHDOG_TIMER: &str = template!("systemd/openclaw-watchdog.timer");
pub(super) const GUARDIAN_SERVICE: &str = template!("systemd/openclaw-guardian.service");
pub(super) const GUARDIAN_TIMER: &str = template!("systemd/openclaw-guardian.timer");
pub(super) const GATEWAY_SERVICE: &str = template!("systemd/gateway.service");
pub(super) const GATEWAY_DROP_IN: &str = template!("systemd/gateway-onfailure.conf");
pub(super) const GUARDIAN_CRON: &str = template!("cron/guardian");
pub(super) const WATCHDOG_CRON: &str = template!("cron/watchdog");

#[cfg(test)]
pub(super) const PLISTS: [&str; 3] = [WATCHDOG_PLIST, GUARDIAN_PLIST, GATEWAY_PLIST];
#[cfg(test)]
pub(super) const UNITS: [&str; 6] = [
    WATCHDOG_SERVICE,
    WATCHDOG_TIMER,
    GUARDIAN_SERVICE,
    GUARDIAN_TIMER,
    GATEWAY_SERVICE,
    GATEWAY_DROP_IN,
];
#[cfg(test)]
pub(super) const CRON: [&str; 2] = [GUARDIAN_CRON, WATCHDOG_CRON];
