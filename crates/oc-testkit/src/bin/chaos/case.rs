//! What a fault is: how it is done, that it hurts, and how it must end. Plain data and a few functions.

use crate::arena::{Arena, Result};
use crate::needs::Need;
use serde_json::{Value, json};
use std::ops::RangeInclusive;

/// Where the fault lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Process,
    Http,
    Resource,
    Config,
    Filesystem,
    Network,
    Dependency,
    Manager,
    Clock,
    Concurrency,
    Watcher,
    Control,
    Extreme,
}

impl Class {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Http => "http",
            Self::Resource => "resource",
            Self::Config => "config",
            Self::Filesystem => "file system",
            Self::Network => "network",
            Self::Dependency => "dependency",
            Self::Manager => "service manager",
            Self::Clock => "clock",
            Self::Concurrency => "concurrency",
            Self::Watcher => "the watcher",
            Self::Control => "control",
            Self::Extreme => "extreme test",
        }
    }
}

/// The gateways that it is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// The stand-in, which can have any fault.
    StandIn,
    /// The real OpenClaw.
    Real,
    Both,
}

impl On {
    pub(crate) const fn is(self, real: bool) -> bool {
        match self {
            Self::StandIn => !real,
            Self::Real => real,
            Self::Both => true,
        }
    }
}

/// How it must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Another process, or the same one restarted in place, serves and goes on serving.
    Healed,
    /// The same process serves again: the fault went away by itself, or the case took it away.
    Passed,
    /// A person is asked; when that person has taken the cause away (`mend`), it serves.
    Human,
    /// So many passes look at it, and nothing is done; `mend` then takes the fault away, and it serves.
    LeftAlone(usize),
}

impl End {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Healed => "healed",
            Self::Passed => "passes by itself",
            Self::Human => "a person is asked",
            Self::LeftAlone(_) => "left alone",
        }
    }
}

/// Who keeps the gateway running, and has passes look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// `oc-guardian supervise`.
    Supervisor,
    /// A systemd user manager: everything then happens in namespaces of its own.
    Systemd,
}

pub(crate) struct Case {
    /// As in the catalogue.
    pub(crate) id: &'static str,
    pub(crate) class: Class,
    /// In words, with how it is done.
    pub(crate) fault: &'static str,
    pub(crate) needs: &'static [Need],
    /// One of those that run for every change.
    pub(crate) ci: bool,
    pub(crate) keeper: Keeper,
    pub(crate) on: On,
    /// What became of it in the predecessor's own tests.
    pub(crate) predecessor: Option<&'static str>,
    /// Commands that a network namespace is prepared with, in which everything then happens.
    pub(crate) namespace: Option<&'static str>,
    /// Laid over the scaled settings.
    pub(crate) settings: fn() -> Value,
    /// Before the first start.
    pub(crate) prepare: fn(&mut Arena) -> Result<()>,
    /// The fault itself.
    pub(crate) inject: fn(&mut Arena) -> Result<()>,
    /// Whether it hurts. A fault that does not hurt proves nothing.
    pub(crate) hurts: fn(&mut Arena) -> bool,
    /// Takes the cause away.
    pub(crate) mend: fn(&mut Arena) -> Result<()>,
    /// What else must be true in the end, as sentences about what is not.
    pub(crate) verify: fn(&mut Arena) -> Vec<String>,
    pub(crate) end: End,
    /// The attempts of the ladder that are right (`restart kill`); any other is wrong.
    pub(crate) actions: &'static [&'static str],
    /// More than so many of them are needless.
    pub(crate) most: usize,
    /// The level that heals it: 0 the supervisor, 1 a restart, 2 the doctor, 3 the AI, 4 a person.
    pub(crate) level: Option<u8>,
    /// Messages to people.
    pub(crate) alerts: RangeInclusive<usize>,
}

/// What is not said otherwise: the gateway stops serving, comes back, nobody is told.
pub(crate) const CASE: Case = Case {
    id: "",
    class: Class::Process,
    fault: "",
    needs: &[],
    ci: false,
    keeper: Keeper::Supervisor,
    on: On::StandIn,
    predecessor: None,
    namespace: None,
    settings: || json!({}),
    prepare: |_| Ok(()),
    inject: |_| Ok(()),
    hurts: |arena| arena.out(),
    mend: |arena| {
        arena.env().fault(|f| *f = oc_testkit::Faults::default());
        Ok(())
    },
    verify: |_| Vec::new(),
    end: End::Healed,
    actions: &[],
    most: 0,
    level: None,
    alerts: 0..=0,
};

/// What hangs, or answers as it must not: one KILL of ours, and it serves. On a busy machine that takes long enough to be told.
pub(crate) const HUNG: Case = Case {
    actions: &["restart kill"],
    most: 1,
    level: Some(1),
    alerts: 0..=1,
    ..CASE
};
