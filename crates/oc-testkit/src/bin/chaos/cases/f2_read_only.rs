//! F2.

use crate::arena::{Arena, Result, broken};
use crate::case::{Case, Class, HUNG};
use crate::needs::Need;
use oc_testkit::Signal;

pub(crate) const F2: Case = Case {
    id: "F2",
    class: Class::Filesystem,
    fault: "our state is read-only while the gateway is frozen: no bound can be kept, so nothing is done until it is writable",
    needs: &[Need::Root, Need::Mount],
    inject: |arena| {
        let view = ReadOnly::over(arena)?;
        arena.signal(Signal::STOP)?;
        let frozen = arena.pid()?;
        for _ in 0..3 {
            let output = arena.heal().run();
            arena.note += &format!("{} ", output.code);
        }
        let same = arena.pid()? == frozen;
        drop(view);
        if same {
            Ok(())
        } else {
            Err(broken("it was restarted although nothing could be written"))
        }
    },
    verify: |arena| {
        let codes = arena.note.trim();
        (codes != "77 77 77")
            .then(|| format!("passes exited with {codes} instead of 77"))
            .into_iter()
            .collect()
    },
    alerts: 0..=2,
    ..HUNG
};

/// A read-only view of the same directory on top of it: what is open for writing would be in the way of anything else.
struct ReadOnly(String);

impl ReadOnly {
    fn over(arena: &mut Arena) -> Result<Self> {
        let place = arena.env().watchdog().display().to_string();
        let mount = |arena: &Arena, words: &[&str]| arena.env().foreign("mount").args(words).run().code == 0;
        if !mount(arena, &["--bind", &place, &place]) {
            return Err(broken("cannot mount"));
        }
        let view = Self(place.clone());
        // While somebody is in the middle of writing it is refused.
        arena.wait("it is read-only", |arena| {
            mount(arena, &["-o", "remount,ro,bind", &place])
        })?;
        Ok(view)
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        _ = std::process::Command::new("umount").args(["-l", &self.0]).status();
    }
}
