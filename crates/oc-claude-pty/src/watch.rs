//! Our own probe, asked beside the session: a service that is healthy again needs no agent.

use crate::tools::tool;
use oc_core::clock::{Deadline, pause};
use oc_core::world::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Time between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// A probe in the background. In a thread of its own: a hung service keeps a probe waiting, and the end of the agent's work must
/// be noticed at once.
#[derive(Debug)]
pub struct Watch {
    healthy: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Watch {
    /// Begins to look; healthy means good at two looks at least `stable` apart, and at every one between.
    #[must_use]
    pub fn begin(world: &World, stable: Duration) -> Self {
        let world = world.clone();
        let (healthy, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let watch = Self {
            healthy: Arc::clone(&healthy),
            over: Arc::clone(&over),
        };
        std::thread::spawn(move || {
            let mut since: Option<Deadline> = None;
            while !over.load(Ordering::SeqCst) {
                let good = tool(&world, "oc-probe")
                    .args(["-q", "--tries", "1"])
                    .timeout(Duration::from_secs(15))
                    .run()
                    .is_ok_and(|out| out.ended.success());
                since = good.then(|| since.unwrap_or_else(|| Deadline::after(stable)));
                if since.is_some_and(|since| since.passed()) {
                    healthy.store(true, Ordering::SeqCst);
                }
                let next = Deadline::after(EVERY);
                while !next.passed() && !over.load(Ordering::SeqCst) {
                    pause(next.left().min(Duration::from_millis(100)));
                }
            }
        });
        watch
    }

    /// Whether it is healthy and stays so.
    #[must_use]
    pub fn healthy(&self) -> bool {
        self.healthy.load(Ordering::SeqCst)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}
