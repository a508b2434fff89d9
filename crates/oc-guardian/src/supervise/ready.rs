//! Asks a new process until it is ready, in a thread of its own: a service that accepts and says nothing must not hold
//! the loop.

use super::signals::Waker;
use oc_core::clock::{Deadline, pause};
use oc_core::config::{self, Expect};
use oc_core::http::{self, Limits, Response, Target};
use oc_core::identity::{self, Identity};
use oc_core::world::World;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The first question comes this soon after the start: a small service is up in a millisecond.
const FIRST: Duration = Duration::from_millis(5);
/// After the time a start may take we ask this much more seldom.
const PATIENCE: u32 = 20;

/// What is asked, and how often.
#[derive(Debug, Clone)]
pub struct Question {
    /// The service.
    pub target: Target,
    /// What counts as an answer.
    pub probe: config::Probe,
    /// The most often it is asked.
    pub poll: Duration,
}

/// One process being asked. Dropping it ends the asking.
#[derive(Debug)]
pub struct Watch {
    over: Arc<AtomicBool>,
    ready: Arc<AtomicBool>,
}

impl Watch {
    /// Asks until ready. `fresh`: only an answer that says it has been up for less than the time from now on counts, for a
    /// process that restarts in place. Without a thread (no memory, no pids left) it is never seen ready.
    #[must_use]
    pub fn begin(question: &Arc<Question>, process: &Identity, fresh: bool, waker: Waker) -> Self {
        let watch = Self {
            over: Arc::default(),
            ready: Arc::default(),
        };
        let (over, ready) = (Arc::clone(&watch.over), Arc::clone(&watch.ready));
        let (question, process) = (Arc::clone(question), process.clone());
        let thread = std::thread::Builder::new().name("ready".into()).spawn(move || {
            if ask_until(&question, &process, fresh, &over) {
                ready.store(true, Ordering::SeqCst);
                waker.wake();
            }
        });
        if let Err(error) = thread {
            oc_core::out::talk(format_args!("cannot ask the service whether it is ready: {error}"));
        }
        watch
    }

    /// Whether it was seen ready.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

fn ask_until(question: &Question, process: &Identity, fresh: bool, over: &AtomicBool) -> bool {
    let since = Deadline::after(question.probe.startup_grace.get());
    while !over.load(Ordering::SeqCst) {
        let newest = fresh.then(|| since.elapsed());
        if question.serving(newest) && belongs(&question.target, process) {
            return true;
        }
        let mut wait = (since.elapsed() / 8).max(FIRST).min(question.poll);
        if since.passed() {
            wait = question.poll.saturating_mul(PATIENCE);
        }
        let wait = Deadline::after(wait);
        while !wait.passed() && !over.load(Ordering::SeqCst) {
            pause(wait.left().min(Duration::from_millis(250)));
        }
    }
    false
}

impl Question {
    /// What is asked of the instance's service; `None`, and a word about it, when its URL is none.
    #[must_use]
    pub fn of(world: &World) -> Option<Self> {
        let probe = world.config.probe.clone();
        match Target::parse(&probe.url) {
            Ok(target) => Some(Self {
                target,
                probe,
                poll: world.config.service.supervise.ready_poll.get(),
            }),
            Err(fault) => {
                oc_core::out::talk(format_args!("the service will never be seen ready: {fault}"));
                None
            }
        }
    }

    /// Whether somebody answers as the service does when it is ready.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.serving(None)
    }

    /// Whether the one who answers belongs to this process.
    #[must_use]
    pub fn is_from(&self, process: &Identity) -> bool {
        belongs(&self.target, process)
    }

    /// Live, and its start is over. Readiness alone does not do: one broken channel keeps it from "ready" for ever, and a
    /// crash of such a gateway is still no crash loop.
    fn serving(&self, newest: Option<Duration>) -> bool {
        let probe = &self.probe;
        let Some(live) = self.get(&probe.liveness_path) else {
            return false;
        };
        if !expected(&probe.liveness, &live) {
            return false;
        }
        let mut rest = [&probe.startup_path, &probe.readiness_path]
            .into_iter()
            .flatten()
            .peekable();
        if rest.peek().is_none() {
            return newest.is_none_or(|newest| young(&live, newest));
        }
        rest.filter_map(|path| self.get(path))
            .any(|answer| answer.status == 200 && newest.is_none_or(|newest| young(&answer, newest)))
    }

    fn get(&self, path: &str) -> Option<Response> {
        let limits = Limits {
            total: self.probe.timeout.get(),
            body_cap: 64 << 10,
        };
        if self.target.tls {
            return http::remote::request("GET", &self.target.url(path), &[], None, limits).ok();
        }
        http::get(&self.target, path, limits).ok()
    }
}

/// Whether the answer comes from a start that is younger than `newest`; one that does not say counts.
fn young(answer: &Response, newest: Duration) -> bool {
    serde_json::from_slice::<Value>(&answer.body)
        .ok()
        .and_then(|body| body.get("uptimeMs")?.as_f64())
        .is_none_or(|uptime_ms| uptime_ms <= newest.as_secs_f64() * 1000.0)
}

fn expected(expect: &Expect, answer: &Response) -> bool {
    let status = match expect.status {
        Some(status) => answer.status == status,
        None => (200..300).contains(&answer.status),
    };
    let json = expect
        .json
        .as_ref()
        .is_none_or(|wanted| serde_json::from_slice::<Value>(&answer.body).is_ok_and(|body| contains(&body, wanted)));
    let text = expect
        .text
        .as_ref()
        .is_none_or(|wanted| String::from_utf8_lossy(&answer.body).contains(wanted));
    status && json && text
}

fn contains(body: &Value, wanted: &Value) -> bool {
    match (body, wanted) {
        (Value::Object(body), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| body.get(key).is_some_and(|b| contains(b, value))),
        _ => body == wanted,
    }
}

/// An old instance that kept the port answers for a new one that cannot bind it. Called ready, the new one would be
/// restarted at once, for ever. Only a listener known to be somebody else's speaks against it.
fn belongs(target: &Target, process: &Identity) -> bool {
    if !target.loopback() {
        return true;
    }
    let mut tree = vec![process.pid];
    tree.extend(identity::descendants(process.pid).iter().map(|p| p.identity.pid));
    identity::listener_of(target.port, Some(&tree)).is_some() || identity::listener_of(target.port, None).is_none()
}
