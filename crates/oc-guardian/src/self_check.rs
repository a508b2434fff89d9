//! `self-check`: every part that a healing will need, looked at before it is needed. One file per check; each line says what
//! was found and, unless it is fine, the exact command that mends it.

mod agent;
mod clock;
mod config;
mod cron;
mod definition;
mod disk;
mod jobs;
mod linger;
mod lock;
mod notify;
mod owners;
mod passes;
mod permissions;
mod programs;
mod service;
mod tools;

use crate::registration::Registration;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::report::{CheckStatus, ManagerKind, ServiceView};
use oc_core::run::Answer;
use oc_core::world::World;
use serde::Serialize;

/// One line of the answer.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// Which check.
    pub name: &'static str,
    /// How it went.
    pub status: CheckStatus,
    /// What was found.
    pub found: String,
    /// The command that mends it.
    pub mend: Option<String>,
}

impl Line {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            name,
            status: CheckStatus::Ok,
            found: found.into(),
            mend: None,
        }
    }

    fn skip(name: &'static str, found: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Skip,
            ..Self::ok(name, found)
        }
    }

    fn warn(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Warn,
            mend: Some(mend.into()),
            ..Self::ok(name, found)
        }
    }

    fn fail(name: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            status: CheckStatus::Fail,
            ..Self::warn(name, found, mend)
        }
    }

    /// A check that could not be made.
    fn fault(name: &'static str, fault: &Fault) -> Self {
        let hint = fault
            .hint
            .clone()
            .unwrap_or_else(|| format!("see docs/runbook.md, {name}"));
        Self::fail(name, fault.what.clone(), hint)
    }
}

/// What the checks look at.
struct Scene<'a> {
    world: &'a World,
    manager: ManagerKind,
    view: ServiceView,
    /// What install registered.
    record: Result<Option<Registration>>,
}

#[derive(Debug, Serialize)]
struct Body {
    manager: ManagerKind,
    checks: Vec<Line>,
}

/// Looks at everything; changes nothing but our own lock file. `trouble` is what is wrong with our configuration, if anything.
///
/// # Errors
/// 70 when it cannot be turned into JSON.
pub fn run(world: &World, view: ServiceView, trouble: Option<&Fault>) -> Result<Answer> {
    let scene = Scene {
        world,
        manager: view.manager,
        view,
        record: Registration::load(&world.paths),
    };
    let mut checks = vec![config::check(world, trouble)];
    checks.extend(tools::check());
    checks.extend(programs::check(&scene));
    checks.push(service::check(&scene));
    checks.extend(definition::check(&scene));
    checks.extend(owners::check(&scene));
    checks.push(passes::check(&scene));
    checks.extend(jobs::check(&scene));
    checks.push(cron::check(&scene));
    checks.push(lock::check(world));
    checks.extend(permissions::check(world));
    checks.push(disk::check(world));
    checks.push(clock::check(world));
    checks.extend(linger::check(&scene));
    checks.push(notify::check(world));
    checks.extend(agent::check(world));
    answer(Body {
        manager: scene.manager,
        checks,
    })
}

/// The Nagios states, as oc-probe: 0 nothing to mend, 1 warnings, 2 something that a healing needs does not work.
fn answer(body: Body) -> Result<Answer> {
    let any = |status| body.checks.iter().any(|line| line.status == status);
    let (exit, verdict) = if any(CheckStatus::Fail) {
        (Exit::Answer(2), "failed")
    } else if any(CheckStatus::Warn) {
        (Exit::Answer(1), "warnings")
    } else {
        (Exit::Good, "ok")
    };
    let text = table(&body.checks);
    Ok(Answer::new("oc.guardian.self-check/1", exit, verdict, &body)?.text(text))
}

fn table(lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for line in lines {
        let mark = match line.status {
            CheckStatus::Ok => "ok",
            CheckStatus::Warn => "warn",
            CheckStatus::Fail => "FAIL",
            CheckStatus::Skip => "-",
        };
        text.push_str(&format!("{mark:<4}  {:<width$}  {}\n", line.name, line.found));
        if let Some(mend) = &line.mend {
            text.push_str(&format!("{:6}{:width$}  -> {mend}\n", "", ""));
        }
    }
    text
}
