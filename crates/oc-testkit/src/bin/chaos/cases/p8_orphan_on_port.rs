//! P8.

use crate::case::{CASE, Case, End, On};
use oc_testkit::Signal;

pub(crate) const P8: Case = Case {
    id: "P8",
    fault: "orphan: the supervisor was killed and its gateway keeps the port; cron's guardian finds it and adopts it",
    on: On::Both,
    inject: |arena| {
        if let Some(supervisor) = arena.service.supervisor() {
            supervisor.signal(Signal::KILL);
        }
        arena.wait("nobody supervises it", |arena| !arena.supervised())?;
        arena.revive()
    },
    hurts: |_| true,
    verify: |arena| {
        let adopted = arena.pid().ok() == arena.before.map(|life| life.pid);
        (!adopted)
            .then(|| "another process was started beside it".to_owned())
            .into_iter()
            .collect()
    },
    end: End::Passed,
    ..CASE
};
