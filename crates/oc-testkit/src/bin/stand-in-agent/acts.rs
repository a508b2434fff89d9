//! What the script says, done.

use crate::hooks::Hooks;
use crate::record::Record;
use crate::script::Act;
use crate::session::wait_for;
use crate::terminal;
use crate::transcript::Transcript;
use serde_json::{Value, json};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How the work ended.
pub(crate) enum End {
    Done,
    Failed {
        error: String,
        status: Option<u16>,
        text: String,
    },
    Exit(u8),
}

pub(crate) struct Agent {
    hooks: Hooks,
    record: Record,
    transcript: Transcript,
    cwd: String,
    prompt: String,
    /// Whether every word goes out as an event.
    events: bool,
    answer: String,
    turns: u32,
    bill: u64,
    denied: Vec<Value>,
    tasks: Vec<Child>,
}

impl Agent {
    pub(crate) fn new(
        hooks: Hooks,
        record: Record,
        transcript: Transcript,
        cwd: &str,
        prompt: &str,
        events: bool,
    ) -> Self {
        let words = prompt.split(|c: char| c.is_whitespace() || "\"'`,;".contains(c));
        let file = words.clone().find(|word| word.starts_with('/')).unwrap_or_default();
        Self {
            hooks,
            record,
            transcript,
            cwd: cwd.to_owned(),
            prompt: file.trim_end_matches('.').to_owned(),
            events,
            answer: String::new(),
            turns: 0,
            bill: 100,
            denied: Vec::new(),
            tasks: Vec::new(),
        }
    }

    pub(crate) fn answer(&self) -> &str {
        &self.answer
    }

    pub(crate) fn turns(&self) -> u32 {
        self.turns
    }

    pub(crate) fn denied(&self) -> &[Value] {
        &self.denied
    }

    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    pub(crate) fn announce(&self, session: &str, mode: &str) {
        if self.events {
            let init = json!({"type": "system", "subtype": "init", "session_id": session, "cwd": self.cwd,
                "model": "stand-in", "permissionMode": mode, "tools": ["Read", "Edit", "Write", "Bash"]});
            terminal::say(&format!("{init}\n"));
        }
    }

    pub(crate) fn work(&mut self, acts: &[Act]) -> End {
        for act in acts {
            self.turns += 1;
            if let Some(end) = self.act(act) {
                return end;
            }
        }
        End::Done
    }

    /// The hooks at the end of a turn.
    pub(crate) fn stop(&self, end: &End) {
        let tasks: Vec<_> = self.tasks.iter().map(|task| json!({"pid": task.id()})).collect();
        let with = json!({"last_assistant_message": self.answer, "background_tasks": tasks, "stop_hook_active": false});
        match end {
            End::Failed { error, text, .. } => {
                let with = json!({"error": error, "last_assistant_message": text});
                self.hooks.run("StopFailure", "", &with);
            }
            _ => drop(self.hooks.run("Stop", "", &with)),
        }
        self.record.add(&json!({"event": "stop"}));
    }

    pub(crate) fn wait_for_tasks(&self) {
        while self
            .tasks
            .iter()
            .any(|task| Path::new(&format!("/proc/{}", task.id())).exists())
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn act(&mut self, act: &Act) -> Option<End> {
        match act {
            Act::Say(text) => self.say(&self.fill(text)),
            Act::Call { name, input } => self.call(name, &self.filled(input)),
            Act::Write { path, text } => self.note("write", std::fs::write(self.fill(path), self.fill(text))),
            Act::Replace { path, from, to } => {
                let path = self.fill(path);
                let done = std::fs::read_to_string(&path)
                    .and_then(|text| std::fs::write(&path, text.replace(&self.fill(from), &self.fill(to))));
                self.note("replace", done);
            }
            Act::Bill(tokens) => self.bill = *tokens,
            Act::Print(bytes) => print(*bytes),
            Act::Ask(question) => self.ask(question),
            Act::Task(command) => {
                let child = shell(&self.fill(command), &self.cwd);
                self.record
                    .add(&json!({"event": "task", "pid": child.as_ref().map(Child::id).unwrap_or_default()}));
                self.tasks.extend(child);
            }
            Act::Daemon(command) => {
                let started = shell(&format!("{} & echo $!", self.fill(command)), &self.cwd);
                let said = started.and_then(|child| child.wait_with_output().ok());
                let pid = said.and_then(|said| String::from_utf8(said.stdout).ok()?.trim().parse::<u32>().ok());
                self.record.add(&json!({"event": "daemon", "pid": pid}));
            }
            Act::WaitFor(file) => wait_for(Path::new(&self.fill(file))),
            Act::Deaf => deaf(),
            Act::Hang => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            Act::Exit(code) => return Some(End::Exit(*code)),
            Act::Fail { error, status, text } => {
                let content = json!([{"type": "text", "text": text}]);
                self.transcript.add(&json!({"type": "assistant", "isApiErrorMessage": true, "error": error,
                    "apiErrorStatus": status, "message": {"role": "assistant", "model": "<synthetic>", "content": content}}));
                return Some(End::Failed {
                    error: error.clone(),
                    status: *status,
                    text: text.clone(),
                });
            }
        }
        None
    }

    fn say(&mut self, text: &str) {
        self.message(&json!({"type": "text", "text": text}));
        if !self.events {
            terminal::say(&format!("● {text}\n"));
        }
        text.clone_into(&mut self.answer);
    }

    /// One answer of the model, in the transcript and in the events.
    fn message(&mut self, block: &Value) {
        let usage = json!({"input_tokens": 1000, "output_tokens": std::mem::replace(&mut self.bill, 100)});
        let event = json!({"type": "assistant", "message": {"id": format!("msg_{}", self.turns), "role": "assistant",
            "model": "claude-opus-5-5", "content": [block], "usage": usage}});
        self.transcript.add(&event);
        if self.events {
            terminal::say(&format!("{event}\n"));
        }
    }

    fn call(&mut self, name: &str, input: &Value) {
        self.message(&json!({"type": "tool_use", "id": format!("toolu_{}", self.turns), "name": name, "input": input}));
        let refusal = self.hooks.refusal(name, input);
        self.record
            .add(&json!({"event": "call", "name": name, "input": input, "denied": refusal}));
        if let Some(reason) = refusal {
            terminal::say(&if self.events {
                String::new()
            } else {
                format!("  ⎿  Error: {reason}\n")
            });
            self.denied.push(json!({"tool_name": name, "tool_input": input}));
            return;
        }
        let field = |key: &str| input[key].as_str().unwrap_or_default();
        let path = Path::new(&self.cwd).join(field("file_path"));
        let done = match name {
            "Bash" => shell(field("command"), &self.cwd).map_or(Ok(()), |mut child| child.wait().map(drop)),
            "Write" => std::fs::write(path, field("content")),
            "Edit" => std::fs::read_to_string(&path)
                .and_then(|text| std::fs::write(&path, text.replacen(field("old_string"), field("new_string"), 1))),
            _ => Ok(()),
        };
        self.note(name, done);
    }

    fn ask(&mut self, question: &str) {
        let input = json!({"questions": [{"question": question}]});
        if self.hooks.refusal("AskUserQuestion", &input).is_some() || self.hooks.answers("AskUserQuestion", &input) {
            self.denied
                .push(json!({"tool_name": "AskUserQuestion", "tool_input": input}));
            return;
        }
        terminal::say(&format!("{question}\n ❯ 1. This\n   2. That\n Enter to select\n"));
        // Nobody is there to answer.
        while terminal::keys().is_some() {}
    }

    fn note(&self, what: &str, done: std::io::Result<()>) {
        if let Err(e) = done {
            self.record
                .add(&json!({"event": "failed", "what": what, "why": e.to_string()}));
        }
    }

    fn fill(&self, text: &str) -> String {
        let dir = Path::new(&self.prompt)
            .parent()
            .unwrap_or(Path::new(""))
            .display()
            .to_string();
        text.replace("{{cwd}}", &self.cwd)
            .replace("{{prompt}}", &self.prompt)
            .replace("{{dir}}", &dir)
    }

    fn filled(&self, input: &Value) -> Value {
        let fields = input.as_object().into_iter().flatten();
        let fill = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.clone(), |text| json!(self.fill(text)))
        };
        fields
            .map(|(key, value)| (key.clone(), fill(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

fn print(bytes: u64) {
    let line = format!("{}\n", "x".repeat(1023));
    for _ in 0..bytes / 1024 {
        terminal::say(&line);
    }
}

/// In a session of its own, as each call of the Bash tool.
fn shell(command: &str, cwd: &str) -> Option<Child> {
    let mut sh = Command::new("setsid");
    sh.args(["/bin/sh", "-c", command]).current_dir(cwd);
    sh.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    sh.spawn().ok()
}

fn deaf() {
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        // A flag that nobody reads.
        _ = signal_hook::flag::register(signal, Arc::default());
    }
}
