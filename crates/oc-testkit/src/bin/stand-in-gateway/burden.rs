//! Memory, CPU and children that a sick gateway has too much of.

use crate::cli::Child;
use oc_testkit::Faults;
use std::io::Read as _;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const MIB: usize = 1 << 20;
/// The longest a child in its own session stays: a test that forgot it must not leave it for ever.
const STRAY_MOST: Duration = Duration::from_secs(600);

/// What is carried at the moment; it grows with the faults and, as far as that is possible, shrinks with them.
#[derive(Debug, Default)]
pub(crate) struct Burden {
    leak: Arc<AtomicU32>,
    leaking: bool,
    held: Vec<u8>,
    busy: Arc<AtomicU32>,
    spinning: u32,
    worker: Option<std::process::Child>,
    stray: bool,
}

impl Burden {
    pub(crate) fn follow(&mut self, faults: &Faults) {
        let weighs = faults.leak_mb_per_s > 0 || faults.hold_mb > 0;
        if faults.in_worker {
            if weighs && self.worker.is_none() {
                let hold = format!("--hold-mb={}", faults.hold_mb);
                let leak = format!("--leak-mb-per-s={}", faults.leak_mb_per_s);
                self.worker = spawn(&[&hold, &leak]);
            }
        } else {
            self.leak.store(faults.leak_mb_per_s, Ordering::SeqCst);
            if weighs && !self.leaking {
                self.leaking = true;
                let rate = Arc::clone(&self.leak);
                std::thread::spawn(move || grow(&rate));
            }
            let wanted = faults.hold_mb as usize * MIB;
            if self.held.len() != wanted {
                self.held = touched(wanted);
            }
        }
        self.busy.store(faults.busy_threads, Ordering::SeqCst);
        while self.spinning < faults.busy_threads {
            self.spinning += 1;
            let (rank, limit) = (self.spinning, Arc::clone(&self.busy));
            std::thread::spawn(move || {
                while limit.load(Ordering::Relaxed) >= rank {
                    std::hint::spin_loop();
                }
            });
        }
        self.spinning = self.spinning.min(faults.busy_threads);
        if faults.own_session_child && !self.stray {
            self.stray = spawn(&["--own-session"]).is_some();
        }
    }
}

fn spawn(args: &[&str]) -> Option<std::process::Child> {
    // stdin is a pipe that only the gateway holds: a worker ends when the gateway does, however that happens.
    Command::new(std::env::current_exe().ok()?)
        .arg("child")
        .args(args)
        .stdin(Stdio::piped())
        .spawn()
        .ok()
}

/// The life of a child.
pub(crate) fn child(what: &Child) -> ExitCode {
    if what.own_session {
        _ = rustix::process::setsid();
        std::thread::sleep(STRAY_MOST);
        return ExitCode::SUCCESS;
    }
    let held = touched(what.hold_mb as usize * MIB);
    let rate = AtomicU32::new(what.leak_mb_per_s);
    std::thread::spawn(move || grow(&rate));
    _ = std::io::stdin().read(&mut [0]);
    drop(held);
    ExitCode::SUCCESS
}

fn grow(rate: &AtomicU32) {
    let mut heap = Vec::new();
    loop {
        std::thread::sleep(Duration::from_millis(100));
        heap.push(touched(rate.load(Ordering::SeqCst) as usize * MIB / 10));
    }
}

/// Memory that is really there: untouched pages would not count.
fn touched(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    for page in bytes.chunks_mut(4096) {
        page[0] = 1;
    }
    std::hint::black_box(bytes)
}
