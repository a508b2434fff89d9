//! Being told to stop.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// TERM, INT and HUP sent to us while a wait is on. Registered once; the first signal is remembered.
#[derive(Debug, Clone)]
pub struct StopSignals {
    pending: Arc<AtomicUsize>,
}

impl StopSignals {
    /// The signal that asked us to stop, if any.
    #[must_use]
    pub fn pending(&self) -> Option<u8> {
        u8::try_from(self.pending.load(Ordering::SeqCst))
            .ok()
            .filter(|n| *n != 0)
    }
}

/// From the first call on, TERM, INT and HUP are remembered instead of ending us at once, so that a kill ladder can run.
pub fn stop_signals() -> StopSignals {
    static FLAG: OnceLock<Arc<AtomicUsize>> = OnceLock::new();
    let pending = FLAG.get_or_init(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        for signal in [
            signal_hook::consts::SIGTERM,
            signal_hook::consts::SIGINT,
            signal_hook::consts::SIGHUP,
        ] {
            let number = usize::try_from(signal).unwrap_or(0);
            if let Err(error) = signal_hook::flag::register_usize(signal, Arc::clone(&flag), number) {
                crate::out::talk(format_args!("cannot watch for signal {signal}: {error}"));
            }
        }
        flag
    });
    StopSignals {
        pending: Arc::clone(pending),
    }
}
