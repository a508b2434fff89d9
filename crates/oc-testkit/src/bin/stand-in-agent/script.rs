//! What the agent is told to do.

use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;

/// In texts, `{{cwd}}`, `{{prompt}}` (the first absolute path that the prompt names) and `{{dir}}` (its directory) are replaced.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Script {
    /// Ends at once with this on stderr and status 1.
    pub(crate) dies: Option<String>,
    /// Shown before the session starts, in this order: names of files in dialogs/.
    pub(crate) dialogs: Vec<String>,
    /// Goes on only when this file is there.
    pub(crate) starts_after: Option<PathBuf>,
    /// Takes the prompt as text in the box and never submits it.
    pub(crate) swallows: bool,
    /// What it does about the prompt.
    pub(crate) acts: Vec<Act>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Act {
    /// Says it; the last of them is its answer.
    Say(String),
    /// Calls a tool as a model would: hooks first, then the tool. Write, Edit, Read and Bash do what they say.
    Call { name: String, input: Value },
    /// Writes a file, past all hooks.
    Write { path: String, text: String },
    /// Replaces text in a file, past all hooks.
    Replace { path: String, from: String, to: String },
    /// Is billed for so many tokens of output with its next word.
    Bill(u64),
    /// Prints so many bytes.
    Print(u64),
    /// Asks the user, and waits for ever unless a hook answers.
    Ask(String),
    /// Starts a background task in a session of its own, as its Bash tool does; it ends with the agent.
    Task(String),
    /// Starts a daemon, which does not.
    Daemon(String),
    /// Waits until this file is there.
    WaitFor(String),
    /// Ignores HUP, INT and TERM from now on.
    Deaf,
    /// Never comes back.
    Hang,
    /// Ends with this status and no further word.
    Exit(u8),
    /// Ends the turn with an error of the API.
    Fail {
        error: String,
        status: Option<u16>,
        text: String,
    },
}
