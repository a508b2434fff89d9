//! Registering the jobs of an instance, and taking them away again: look, plan, print the plan, carry it out, look again.

mod carry_out;
mod consent;
mod jobs;
pub(crate) mod manager;
mod plan;
mod predecessor;
pub mod render;
mod run;
mod settings;
mod templates;

use crate::crontab;
use crate::outcome::Verdict;
use crate::registration::Registration;
use jobs::Host;
use oc_core::clock::{Deadline, pause};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::journal::Kind;
use oc_core::lock::HealingLock;
use oc_core::report::ManagerKind;
use oc_core::run::Answer;
use oc_core::world::World;
use plan::{Seen, Step};
use run::Run;
use settings::{Setting, SettingValue};
use std::time::Duration;

/// How long a healing that is under way is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a person asked of install.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Time between two passes.
    pub interval: Option<Duration>,
    /// Leave the crontab alone.
    pub no_cron: bool,
    /// Leave launchd and systemd alone.
    pub no_service: bool,
    /// Put the predecessor's jobs out of action.
    pub takeover: bool,
    /// Consent to the AI doctor, by this agent.
    pub agent: Option<String>,
}

/// See `oc-guardian install --help`. 0 done or nothing to do, 1 refused, 2 tried and not all of it done.
///
/// # Errors
/// 65 for paths that no definition can carry, 69 without oc-heal, 75 while a healing is under way, 74, 77, 78.
pub fn install(world: &World, wishes: &Wishes) -> Result<Answer> {
    let mut run = Run::new(world, "install");
    let record = run.recorded()?;
    let interval = wishes.interval.unwrap_or(world.config.policy.interval.get());
    let mut host = Host::look(world, interval)?;
    if wishes.no_service {
        host.manager = ManagerKind::Embedded;
    }
    let text = if wishes.no_cron {
        Ok(Vec::new())
    } else {
        run.hand.crontab().read()
    };
    let found = predecessor::search(&host, text.as_deref().unwrap_or_default());
    if !found.is_empty() && !wishes.takeover {
        let list: Vec<String> = found.iter().map(ToString::to_string).collect();
        let reason = format!(
            "an earlier self-healing system is still scheduled, and two healers fight: {}",
            list.join("; ")
        );
        run.hand.notes.push(
            "`oc-guardian install --takeover` puts it out of action and keeps its files; settings in .env go on working".to_owned(),
        );
        return run.answer(host.manager, record.as_ref(), Verdict::Refused, reason);
    }
    let common = &world.common;
    let may_ask = !(common.dry_run || common.quiet || common.json || world.chosen("agent.enabled"));
    let mut wanted = consent::settings(&world.config.agent, wishes.agent.as_deref(), may_ask);
    let decided = wanted.iter().find(|setting| setting.key == ("agent", "enabled"));
    let consent = decided.map_or(world.config.agent.enabled, |setting| {
        setting.value == SettingValue::Flag(true)
    });
    wanted.extend(cadence(world, wishes));
    let mut first: Vec<Step> = found.into_iter().map(Step::TakeOver).collect();
    if !wanted.is_empty() {
        first.push(Step::Set(wanted));
    }
    let lock = if world.common.dry_run {
        None
    } else {
        Some(patient_lock(world)?)
    };
    let cron = match text {
        Err(fault) => Err(fault.what),
        Ok(_) if wishes.no_cron => Err("you said so (--no-cron)".to_owned()),
        Ok(_) => Ok(()),
    };
    let mut want = run.wanted(&host, record.as_ref(), cron)?;
    let mut steps = plan::steps(record.as_ref(), Some(&want), &run.seen(&want));
    steps.splice(0..0, first);
    run.announce(&steps);
    if let Some(fault) = run.carry_out(&steps, Some(&want)) {
        // Found out only when writing: another schedule takes its place.
        want = run.wanted(&host, record.as_ref(), Err(fault.what))?;
        let steps = plan::steps(record.as_ref(), Some(&want), &run.seen(&want));
        run.announce(&steps);
        run.carry_out(&steps, Some(&want));
    }
    drop(lock);
    if !common.dry_run && !run.taken.is_empty() {
        world
            .journal
            .note(&world.event(Kind::Guardian, "the jobs of this instance were installed"));
    }
    run.advise(&host, consent);
    let (verdict, reason) = run.verdict("installed", "all in place already; nothing changed");
    run.answer(host.manager, Some(&want), verdict, reason)
}

/// See `oc-guardian uninstall --help`. 0 done or nothing to do, 1 refused, 2 tried and not all of it done.
///
/// # Errors
/// 65 when the record cannot be understood, 75 while a healing is under way, 74, 77.
pub fn uninstall(world: &World, purge: bool) -> Result<Answer> {
    let mut run = Run::new(world, "uninstall");
    let record = Registration::load(&world.paths)?;
    let manager = oc_core::service::chosen(world.config.service.manager, &world.paths);
    let supervised = oc_core::service::embedded::Dir::new(world.paths.supervise()).supervised();
    if purge && supervised {
        let reason = "the embedded supervisor of this instance is at work in that directory; end it first";
        return run.answer(manager, record.as_ref(), Verdict::Refused, reason.to_owned());
    }
    // An install that was ended between its first two steps left lines without a record.
    let crontab = record.is_none()
        && run
            .hand
            .crontab()
            .read()
            .is_ok_and(|text| crontab::mentions(&text, world.instance()));
    let seen = Seen {
        crontab,
        ..Seen::default()
    };
    let mut steps = plan::steps(record.as_ref(), None, &seen);
    if purge && world.paths.watchdog().is_dir() {
        steps.push(Step::Purge(world.paths.watchdog().to_owned()));
    }
    let lock = if world.common.dry_run || steps.is_empty() {
        None
    } else {
        Some(patient_lock(world)?)
    };
    run.announce(&steps);
    run.carry_out(&steps, None);
    if let Some(record) = record.as_ref().filter(|_| !world.common.dry_run) {
        carry_out::remove_made(&record.made);
    }
    drop(lock);
    if !purge && !run.taken.is_empty() && !world.common.dry_run {
        world
            .journal
            .note(&world.event(Kind::Guardian, "the jobs of this instance were uninstalled"));
    }
    if world.paths.taken_over().join("undo").exists() {
        let place = world.paths.taken_over().join("undo");
        run.hand.notes.push(format!(
            "how the earlier system comes back stands in {}",
            place.display()
        ));
    }
    let (verdict, reason) = run.verdict("uninstalled", "nothing is installed");
    run.answer(manager, None, verdict, reason)
}

/// A pass is over within a moment, mostly; a person is not sent away for that.
fn patient_lock(world: &World) -> Result<HealingLock> {
    let deadline = Deadline::after(world.common.deadline.unwrap_or(PATIENCE));
    loop {
        match HealingLock::acquire(&world.paths.healing_lock()) {
            Err(fault) if fault.exit == Exit::Busy && !deadline.passed() => {
                pause(Duration::from_millis(100));
            }
            done => return done,
        }
    }
}

/// A time between passes that is not the configured one is written down: the policy measures lateness by it.
fn cadence(world: &World, wishes: &Wishes) -> Option<Setting> {
    let interval = wishes
        .interval
        .filter(|interval| *interval != world.config.policy.interval.get())?;
    Some(Setting {
        key: ("policy", "interval"),
        value: SettingValue::Text(format!("{}s", interval.as_secs().max(1))),
    })
}
