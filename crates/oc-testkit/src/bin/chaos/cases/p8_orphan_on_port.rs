//! P8.

use crate::arena::Arena;
use crate::case::{CASE, Case, End, On};
use oc_testkit::{Signal, process};

pub(crate) const P8: Case = Case {
    id: "P8",
    fault: "orphan: the supervisor was killed and its gateway keeps the port; cron's guardian finds it and adopts it",
    on: On::Both,
    inject: |arena| {
        if let Some(supervisor) = arena.service.supervisor() {
            supervisor.signal(Signal::KILL);
        }
        arena.wait("nobody supervises it", |arena| !supervised(arena))?;
        arena.wait("the guardian puts a supervisor back", |arena| {
            arena
                .env()
                .cmd("oc-guardian")
                .arg("ensure")
                .timeout(arena.patience)
                .run();
            supervised(arena)
        })
    },
    hurts: |_| true,
    verify: |arena| {
        let adopted = arena.service.pid() == arena.before.map(|life| life.pid);
        (!adopted)
            .then(|| "another process was started beside it".to_owned())
            .into_iter()
            .collect()
    },
    end: End::Passed,
    ..CASE
};

fn supervised(arena: &Arena) -> bool {
    let pid = arena
        .service
        .status()
        .and_then(|status| status["supervisor"]["pid"].as_u64());
    pid.and_then(|pid| u32::try_from(pid).ok()).is_some_and(process::alive)
}
