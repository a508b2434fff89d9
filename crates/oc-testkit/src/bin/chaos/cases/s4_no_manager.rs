//! S4.

use crate::arena::{Arena, Result, broken};
use crate::case::{CASE, Case, Class, End, Keeper};
use crate::needs::Need;
use std::path::PathBuf;

pub(crate) const S4: Case = Case {
    id: "S4",
    class: Class::Manager,
    fault: "the manager cannot be reached, its sockets are gone, while the gateway serves; cron's guardian comes by too",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        cut_off(arena)?;
        arena.ensure();
        Ok(())
    },
    hurts: unreachable,
    mend: reach,
    end: End::LeftAlone(4),
    alerts: 0..=1,
    ..CASE
};

fn sockets() -> [PathBuf; 2] {
    let dir = format!("/run/user/{}", rustix::process::getuid().as_raw());
    ["systemd/private", "bus"].map(|socket| PathBuf::from(&dir).join(socket))
}

/// As when the runtime directory was tidied up; the manager itself lives on.
pub(super) fn cut_off(_: &mut Arena) -> Result<()> {
    let [private, bus] = sockets();
    // The second is there only with a D-Bus of the user's.
    _ = std::fs::rename(&bus, bus.with_extension("away"));
    std::fs::rename(&private, private.with_extension("away")).map_err(|e| broken(&e.to_string()))
}

pub(super) fn unreachable(arena: &mut Arena) -> bool {
    arena.systemctl(&["is-system-running"]).trim().is_empty() || arena.systemctl(&["show-environment"]).is_empty()
}

pub(super) fn reach(_: &mut Arena) -> Result<()> {
    for socket in sockets() {
        _ = std::fs::rename(socket.with_extension("away"), &socket);
    }
    Ok(())
}
