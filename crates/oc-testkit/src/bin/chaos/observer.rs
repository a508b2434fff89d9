//! Looks at the gateway without a break, and notes when what it sees changes. It shares nothing with the tools: neither their
//! code nor their opinion.

use oc_testkit::{Asked, ask_with, process};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two looks; times of recovery are exact to this.
const LOOK: Duration = Duration::from_millis(10);
/// An answer that takes longer is none.
const PATIENCE: Duration = Duration::from_millis(800);

/// Who serves: process and, as it can restart in place, its serving epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) pid: u32,
    pub(crate) ticks: u64,
    pub(crate) epoch: u32,
}

/// What was seen from this moment on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight {
    pub(crate) at: Instant,
    /// `None`: no good answer.
    pub(crate) serving: Option<Life>,
}

pub(crate) struct Observer {
    sights: Arc<Mutex<Vec<Sight>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Observer {
    /// `lock` is OpenClaw's lock file, which names the process; `namespace` a file in /proc that names where to look.
    pub(crate) fn new(port: u16, lock: PathBuf, namespace: Option<PathBuf>) -> Self {
        let sights = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (record, halt) = (Arc::clone(&sights), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            if let Some(namespace) = namespace {
                enter(&namespace);
            }
            let mut eye = Eye::default();
            while !halt.load(Ordering::SeqCst) {
                let serving = eye.look(port, &lock);
                let mut record = seize(&record);
                if record.last().is_none_or(|last: &Sight| last.serving != serving) {
                    record.push(Sight {
                        at: Instant::now(),
                        serving,
                    });
                }
                drop(record);
                std::thread::sleep(LOOK);
            }
        });
        Self {
            sights,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn sights(&self) -> Vec<Sight> {
        seize(&self.sights).clone()
    }

    /// Who serves at this moment.
    pub(crate) fn serving(&self) -> Option<Life> {
        seize(&self.sights).last()?.serving
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

#[derive(Default)]
struct Eye {
    uptime_ms: u64,
    epoch: u32,
}

impl Eye {
    fn look(&mut self, port: u16, lock: &std::path::Path) -> Option<Life> {
        let ask = |host: IpAddr| ask_with(host, port, "GET", "/readyz", &[], PATIENCE);
        let answer = match ask(Ipv4Addr::LOCALHOST.into()) {
            Asked::Refused => ask(Ipv6Addr::LOCALHOST.into()),
            other => other,
        };
        let Asked::Answered(answer) = answer else { return None };
        let body: Value = serde_json::from_str(&answer.body).ok()?;
        let uptime_ms = body["uptimeMs"].as_u64()?;
        if answer.status != 200 {
            return None;
        }
        self.epoch += u32::from(uptime_ms < self.uptime_ms);
        self.uptime_ms = uptime_ms;
        let named: Value = serde_json::from_slice(&std::fs::read(lock).ok()?).ok()?;
        let pid = u32::try_from(named["pid"].as_u64()?).ok()?;
        Some(Life {
            pid,
            ticks: process::start_ticks(pid)?,
            epoch: self.epoch,
        })
    }
}

fn enter(namespace: &std::path::Path) {
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    if let Ok(file) = std::fs::File::open(namespace) {
        // Where that is not allowed, nothing is ever seen to serve, and the case fails for that.
        _ = move_into_link_name_space(std::os::fd::AsFd::as_fd(&file), Some(LinkNameSpaceType::Network));
    }
}

fn seize<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
