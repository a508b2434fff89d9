//! K3.

use crate::arena::broken;
use crate::case::{Case, Class, HUNG};
use oc_testkit::Signal;

pub(crate) const K3: Case = Case {
    id: "K3",
    class: Class::Concurrency,
    fault: "the holder of the healing lock is stopped, then killed, while the gateway hangs",
    inject: |arena| {
        let mut holder = None;
        arena.wait("a pass that only holds the lock", |arena| {
            let words = ["run", "--", "sh", "-c", "echo $$ >$HOME/held; exec sleep 600"];
            let pass = holder.get_or_insert_with(|| arena.env().cmd("oc-escalate").args(words).spawn());
            if pass.try_wait().is_some() {
                holder = None;
            }
            arena.env().path("held").exists()
        })?;
        let mut holder = holder.ok_or_else(|| broken("no holder"))?;
        holder.signal(Signal::STOP);
        arena.fault_here(|f| f.block_ms = Some(0))?;
        let busy = arena.heal().run().code;
        if busy != 75 {
            return Err(broken(&format!(
                "a pass beside a stopped holder exited with {busy} instead of 75"
            )));
        }
        let text = std::fs::read_to_string(arena.env().path("held")).unwrap_or_default();
        let command: u32 = text
            .trim()
            .parse()
            .map_err(|_| broken("no pid of the holder's command"))?;
        holder.signal(Signal::KILL);
        arena.env().signal(command, Signal::KILL);
        Ok(())
    },
    ..HUNG
};
