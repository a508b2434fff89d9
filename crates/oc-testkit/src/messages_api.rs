//! A stand-in for the Messages API, for agents that are to run without a network and without costs: it listens on loopback
//! (`ANTHROPIC_BASE_URL`), plays a [`Script`] of turns, and keeps every request, so that a test can look for what must never
//! be sent. Which turn is due is read off the conversation itself (the answers that it holds), as the API knows nothing else
//! either: a retry gets the same turn again, and a second session begins at the first.

mod answer;
mod script;

pub use script::{Call, Failure, Script, Turn};

use crate::providers::{Taken, read};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// See the module. Dropping it closes everything.
#[derive(Debug)]
pub struct MessagesApi {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    taken: Mutex<Vec<Taken>>,
    /// How often the failure of a turn was given.
    failed: Mutex<BTreeMap<usize, u32>>,
    stop: AtomicBool,
}

impl MessagesApi {
    /// Plays the script on a loopback port of its own.
    ///
    /// # Panics
    /// When no port can be bound.
    #[must_use]
    pub fn new(script: Script) -> Self {
        Self::on(0, script).expect("a loopback port")
    }

    /// Plays the script on this loopback port; 0 takes a free one.
    ///
    /// # Errors
    /// When the port cannot be bound.
    pub fn on(port: u16, script: Script) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            script: Mutex::new(script),
            taken: Mutex::default(),
            failed: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let server = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if server.stop.load(Ordering::Relaxed) {
                    return;
                }
                let server = Arc::clone(&server);
                std::thread::spawn(move || serve(stream, &server));
            }
        });
        Ok(Self { port, shared })
    }

    /// The value for `ANTHROPIC_BASE_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Plays another script from now on.
    ///
    /// # Panics
    /// Never in a test that did not panic already.
    pub fn play(&self, script: Script) {
        *self.shared.script.lock().expect("no panic") = script;
        self.shared.failed.lock().expect("no panic").clear();
    }

    /// Every request so far.
    ///
    /// # Panics
    /// Never in a test that did not panic already.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().expect("no panic").clone()
    }

    /// The requests of the conversation itself: those that offer tools.
    #[must_use]
    pub fn conversation(&self) -> Vec<Taken> {
        self.taken().into_iter().filter(offers_tools).collect()
    }
}

impl Drop for MessagesApi {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the listener, which then sees the flag.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

/// What agents ask beside the conversation (a title, a quota check, a classifier) comes without tools.
fn offers_tools(taken: &Taken) -> bool {
    taken.path.starts_with("/v1/messages") && taken.body["tools"].as_array().is_some_and(|tools| !tools.is_empty())
}

fn serve(mut stream: TcpStream, shared: &Shared) {
    drop(stream.set_read_timeout(Some(Duration::from_secs(10))));
    let Some(mut taken) = read(&stream) else { return };
    let path = taken.path.split('?').next().unwrap_or_default().to_owned();
    let body = taken.body.clone();
    let stage = match path.as_str() {
        "/v1/messages" => shared.due(&taken),
        "/v1/messages/count_tokens" => Stage::Plain(json!({"input_tokens": tokens(&body)})),
        _ => Stage::Failure(Failure::Status(404)),
    };
    taken.status = match &stage {
        Stage::Failure(failure) => failure.status(),
        _ => 200,
    };
    shared.taken.lock().expect("no panic").push(taken);
    let bytes = match stage {
        Stage::Plain(value) => answer::plain(200, "", &value),
        Stage::Turn(turn) => {
            shared.pause(Duration::from_millis(turn.delay_ms));
            let message = answer::message(&turn, &body, tokens(&body));
            let mut bytes = match body["stream"] == true {
                true => answer::stream(&message),
                false => answer::plain(200, "", &message),
            };
            if turn.fail == Some(Failure::Cut) {
                bytes.truncate(bytes.len() * 3 / 4);
            }
            bytes
        }
        // The caller waits for the answer; polled, so that the thread ends with the test.
        Stage::Failure(Failure::Silence) => return shared.pause(Duration::MAX),
        Stage::Failure(failure) => failure.answer(),
    };
    drop(stream.write_all(&bytes));
}

/// What a request gets.
enum Stage {
    Plain(Value),
    Turn(Turn),
    Failure(Failure),
}

impl Shared {
    fn due(&self, taken: &Taken) -> Stage {
        let script = self.script.lock().expect("no panic");
        if !offers_tools(taken) {
            // A failing API fails for whatever is asked of it.
            return match script.turns.first().and_then(|turn| turn.fail.clone()) {
                Some(failure) if failure != Failure::Cut => Stage::Failure(failure),
                _ => Stage::Turn(Turn::says("ok")),
            };
        }
        let messages = taken.body["messages"].as_array();
        let at = messages.map_or(0, |all| all.iter().filter(|m| m["role"] == "assistant").count());
        // After a cut stream the conversation goes on from the half that arrived; what fails for ever fails there, too.
        let failing = |turn: &&Turn| turn.fail.is_some() && turn.times.is_none();
        let Some(turn) = script.turns.get(at).or(script.turns.last().filter(failing)).cloned() else {
            return Stage::Turn(Turn::says("Nothing is left to do."));
        };
        let Some(failure) = turn.fail.clone() else {
            return Stage::Turn(script.filled(&turn, &taken.body["messages"]));
        };
        let mut failed = self.failed.lock().expect("no panic");
        let times = failed.entry(at).or_default();
        *times += 1;
        if turn.times.is_some_and(|limit| *times > limit) {
            let turn = Turn { fail: None, ..turn };
            return Stage::Turn(script.filled(&turn, &taken.body["messages"]));
        }
        match failure {
            Failure::Cut => Stage::Turn(turn),
            failure => Stage::Failure(failure),
        }
    }

    /// Waits, or less when the server is dropped.
    fn pause(&self, span: Duration) {
        let begun = Instant::now();
        while begun.elapsed() < span && !self.stop.load(Ordering::Relaxed) {
            let rest = span.saturating_sub(begun.elapsed());
            std::thread::sleep(rest.min(Duration::from_millis(20)));
        }
    }
}

/// Roughly, as anybody counts who has no tokenizer.
fn tokens(body: &Value) -> usize {
    body["messages"].to_string().len() / 4
}
