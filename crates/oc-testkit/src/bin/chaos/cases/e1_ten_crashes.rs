//! E1.

use crate::arena::{Arena, Result};
use crate::case::{CASE, Case, Class, Keeper, On};
use crate::needs::Need;
use oc_testkit::Signal;

pub(crate) const E1: Case = Case {
    id: "E1",
    class: Class::Extreme,
    fault: "ten crashes in a row: kill -9 as soon as it serves again",
    predecessor: Some("healed each time, within 30 s"),
    inject: ten_crashes,
    level: Some(0),
    // Flapping is worth a word.
    alerts: 0..=1,
    ..CASE
};

pub(crate) const E1_UNIT: Case = Case {
    fault: "ten crashes in a row: kill -9 as soon as it serves again, under the unit of `openclaw gateway install`, which allows ten starts in 300 s",
    on: On::Real,
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    // Where the ten were quicker than that, systemd gives up and we do not.
    actions: &["restart register"],
    most: 1,
    level: None,
    ..E1
};

fn ten_crashes(arena: &mut Arena) -> Result<()> {
    for n in 0..10 {
        let (old, killed) = (arena.serving(), arena.pid()?);
        arena.signal(Signal::KILL)?;
        if n < 9 {
            arena.wait("it serves again", |arena| {
                let serving = arena.serving();
                // Its status may still be that of the one before, and the next kill would meet nobody.
                let known = arena.pid().is_ok_and(|pid| pid != killed);
                serving.is_some() && serving != old && known && arena.keeper_sees_it_serve()
            })?;
        }
    }
    Ok(())
}
