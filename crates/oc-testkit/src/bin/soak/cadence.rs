//! When passes began, and when they were to begin: read from the record of the pass that is under way, by a thread that also
//! measures how late the machine lets anybody be.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(25);
/// The time between passes that the ground's settings ask for.
pub(crate) const EVERY_MS: f64 = 1000.0;

/// What the thread has seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cadence {
    /// Passes begun.
    pub(crate) passes: u64,
    /// Passes that began after a quiet one, hence by the clock: when (s since the beginning), and how late (ms).
    pub(crate) late: Vec<(f64, f64)>,
    /// How late we woke ourselves since then at the worst (ms): what the machine was busy with is nobody's drift.
    pub(crate) machine: Vec<f64>,
}

impl Cadence {
    /// Passes left out in quiet times although the machine would have let them begin.
    pub(crate) fn missed(&self) -> u64 {
        let both = self.late.iter().zip(&self.machine);
        let missed = |late: f64, machine: f64| late >= EVERY_MS && machine < EVERY_MS / 2.0;
        both.filter(|((_, late), machine)| missed(*late, **machine)).count() as u64
    }
}

pub(crate) struct Watch {
    seen: Arc<Mutex<Cadence>>,
    quiet: Arc<AtomicBool>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(crate) fn new(watchdog: &Path) -> Self {
        let seen = Arc::new(Mutex::new(Cadence::default()));
        let (quiet, stop) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let file = watchdog.join("run/run.json");
        let (record, calm, halt) = (Arc::clone(&seen), Arc::clone(&quiet), Arc::clone(&stop));
        let thread = std::thread::spawn(move || follow(&file, &record, &calm, &halt));
        Self {
            seen,
            quiet,
            stop,
            thread: Some(thread),
        }
    }

    /// Whether passes are to begin by the clock alone: nothing was done to the service or to the tools.
    pub(crate) fn quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Ordering::SeqCst);
    }

    pub(crate) fn passes(&self) -> u64 {
        seize(&self.seen).passes
    }

    pub(crate) fn seen(&self) -> Cadence {
        seize(&self.seen).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

/// A pass, as its record says.
struct Pass {
    id: String,
    began_ms: f64,
    took_ms: Option<f64>,
    /// It was quiet when we first saw it.
    quiet: bool,
}

fn follow(file: &PathBuf, seen: &Mutex<Cadence>, quiet: &AtomicBool, stop: &AtomicBool) {
    let begun = Instant::now();
    let mut last: Option<Pass> = None;
    let (mut woke, mut machine) = (Instant::now(), 0.0_f64);
    while !stop.load(Ordering::SeqCst) {
        std::thread::sleep(LOOK);
        machine = machine.max(millis(woke.elapsed().saturating_sub(LOOK)));
        woke = Instant::now();
        let calm = quiet.load(Ordering::SeqCst);
        if let Some(last) = &mut last {
            last.quiet &= calm;
        }
        let Some(mut pass) = read(file) else { continue };
        pass.quiet = calm;
        match &mut last {
            Some(last) if last.id == pass.id => last.took_ms = pass.took_ms,
            before => {
                let mut seen = seize(seen);
                seen.passes += 1;
                if let Some(late) = before.as_ref().and_then(|before| late(before, &pass)) {
                    seen.late.push((begun.elapsed().as_secs_f64(), late));
                    seen.machine.push(machine);
                }
                machine = 0.0;
                *before = Some(pass);
            }
        }
    }
}

/// How late a pass began; `None` when it was not the clock that it had to begin by.
fn late(before: &Pass, pass: &Pass) -> Option<f64> {
    let by_the_clock = before.quiet && pass.quiet && before.took_ms? < EVERY_MS;
    by_the_clock.then_some(pass.began_ms - before.began_ms - EVERY_MS)
}

fn read(file: &PathBuf) -> Option<Pass> {
    let record: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    Some(Pass {
        id: record["id"].as_str()?.to_owned(),
        began_ms: record["started"]["boot_ms"].as_f64()?,
        took_ms: record["took_ms"].as_f64(),
        quiet: false,
    })
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn seize<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(began_ms: f64, took_ms: Option<f64>, quiet: bool) -> Pass {
        Pass {
            id: String::new(),
            began_ms,
            took_ms,
            quiet,
        }
    }

    #[test]
    fn only_a_pass_after_a_quiet_one_is_early_or_late() {
        let next = pass(2_004.0, None, true);
        assert_eq!(late(&pass(1_000.0, Some(30.0), true), &next), Some(4.0));
        assert_eq!(late(&pass(1_000.0, Some(30.0), false), &next), None);
        assert_eq!(late(&pass(1_000.0, Some(1_500.0), true), &next), None, "it had to wait");
        assert_eq!(late(&pass(1_000.0, None, true), &next), None);
    }

    #[test]
    fn what_the_machine_did_not_allow_is_not_missed() {
        let cadence = Cadence {
            passes: 3,
            late: vec![(1.0, 5.0), (2.0, 1_200.0), (3.0, 1_200.0)],
            machine: vec![900.0, 900.0, 20.0],
        };
        assert_eq!(cadence.missed(), 1);
    }
}
