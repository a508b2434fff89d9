//! `run`: ask one agent after the other, and judge what they leave.

use super::Body;
use crate::account::End;
use crate::agents::{self, Agent, Places};
use crate::attempt::{self, Attempt, Bounds};
use crate::cli;
use crate::drivers::Launch;
use crate::evidence::{self, Evidence};
use crate::fence::Fence;
use crate::plan::{self, Judged};
use crate::session::{self, Record};
use crate::watch::Watch;
use crate::{environment, prompt, report, transcript};
use oc_core::Exit;
use oc_core::clock::{Deadline, Stamp};
use oc_core::config::{self, Driver};
use oc_core::fault::{Fault, Result};
use oc_core::journal::Kind;
use oc_core::lock::HealingLock;
use oc_core::run::Answer;
use oc_core::world::World;
use oc_core::{fsx, identity, proc};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Everything that is decided before a session begins.
pub(super) struct Ask<'a> {
    pub(super) world: &'a World,
    pub(super) dir: PathBuf,
    pub(super) driver: Driver,
    pub(super) agents: Vec<Agent>,
    pub(super) bounds: Bounds,
}

pub(super) fn run(world: &World, wanted: &cli::Run) -> Result<Answer> {
    refuse_strangers(world)?;
    let config = &world.config.agent;
    let names = wanted
        .agent
        .clone()
        .map_or_else(|| config.agents.clone(), |name| vec![name]);
    let dir = std::path::absolute(&wanted.incident).map_err(|e| Fault::io("resolve", &wanted.incident, e))?;
    let mut ask = Ask {
        world,
        dir,
        driver: wanted.driver.map_or(config.driver, Driver::from),
        agents: names
            .iter()
            .map(|name| Agent::named(name, config))
            .collect::<Result<_>>()?,
        bounds: Bounds {
            deadline: Deadline::after(world.common.deadline.unwrap_or(config.deadline.get())),
            first_answer: config.first_answer.get(),
            turns: config.max_turns,
            usd: f64::from(world.config.policy.agent.session_cents) / 100.0,
        },
    };
    if ask.driver == Driver::Tmux && proc::which("tmux").is_none() {
        oc_core::out::talk("tmux is missing, so nobody can look on");
        ask.driver = Driver::Headless;
    }
    if world.common.dry_run {
        return ask.preview();
    }
    if !config.enabled {
        return none(
            &ask,
            "no_consent",
            "the AI has no consent; it is given by the setting agent.enabled",
        );
    }
    fsx::private_dir(world.paths.watchdog())?;
    let _lock = HealingLock::acquire(&world.paths.healing_lock())?;
    // A person's will may have changed since the decision. By hand, this is their will.
    let intent = world.intent()?;
    if std::env::var_os("OC_RUN_DIR").is_some()
        && (intent.stopped.is_some() || intent.maintenance_now(&Stamp::now()).is_some())
    {
        return none(
            &ask,
            "held",
            "it was stopped or is under maintenance: a person wants it left alone",
        );
    }
    proc::stop_signals();
    proc::become_subreaper();
    session::end_leftover(world);
    // In a pass it is a link to the incident's own directory, which outlives the pass.
    if !ask.dir.is_dir() {
        fsx::private_dir(&ask.dir)?;
    }
    ask.dir = ask.dir.canonicalize().map_err(|e| Fault::io("resolve", &ask.dir, e))?;
    ask.all()
}

fn none(ask: &Ask<'_>, outcome: &str, why: &str) -> Result<Answer> {
    let mut body = ask.body();
    outcome.clone_into(&mut body.outcome);
    body.detail = Some(why.to_owned());
    body.answer(Exit::Answer(2), "no_session")
}

impl Ask<'_> {
    fn body(&self) -> Body {
        Body {
            outcome: String::new(),
            driver: self.driver,
            ..Body::default()
        }
    }

    /// One agent after the other, until one had its chance.
    fn all(&self) -> Result<Answer> {
        let mut body = self.body();
        let watch = Watch::begin(self.world, self.world.config.policy.healthy.stable.get());
        let begun = Deadline::after(self.bounds.deadline.left());
        let mut last = None;
        for agent in &self.agents {
            let (attempt, evidence) = self.one(agent, &watch, &mut body)?;
            let end = attempt.ended.end;
            // One that failed half way may have left what mends it.
            let useful = end.is_failure() && attempt.account.answered && plan::judge(self.world, &self.dir)?.usable;
            let spent = self.bounds.deadline.passed() || body.cost_usd >= self.bounds.usd;
            let over = !end.is_failure() || useful || spent;
            last = Some((attempt, evidence));
            if over {
                break;
            }
        }
        drop(watch);
        body.took_ms = millis(begun.elapsed());
        let Some((attempt, evidence)) = last else {
            return none(self, "missing", "agent.agents is empty");
        };
        body.detail = Some(attempt.ended.detail.chars().take(300).collect());
        let answer = self.conclude(body, &attempt, &evidence)?;
        Record::forget(self.world);
        Ok(answer)
    }

    fn one(&self, agent: &Agent, watch: &Watch, body: &mut Body) -> Result<(Attempt, Evidence)> {
        let world = self.world;
        // The next agent begins with a fresh copy: what the one before left half done would only mislead.
        for left in ["plan.json", "report.md"] {
            drop(std::fs::remove_file(self.dir.join(left)));
        }
        let evidence = evidence::gather(world, &self.dir)?;
        let base = fsx::read_capped(&self.dir.join("work/base.json"), 1 << 20)?;
        let fence = Fence::new(&self.dir, &evidence.findings);
        let scratch = session::scratch()?;
        let mut record = Record {
            id: scratch
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default(),
            agent: agent.name.clone(),
            driver: self.driver,
            incident: self.dir.clone(),
            scratch: scratch.clone(),
            started: Stamp::now(),
            owner: identity::own(),
            tree: Vec::new(),
        };
        record.save(world)?;
        // What the one before spent is spent.
        let mut bounds = self.bounds;
        bounds.usd -= body.cost_usd;
        let made = self
            .furnished(agent, &fence, &evidence, &scratch, &bounds)
            .and_then(|(launch, places)| {
                if proc::which(&launch.argv[0]).is_none() {
                    return Ok(Attempt::missing(format!("{} is not on PATH", launch.argv[0])));
                }
                world
                    .journal
                    .note(&self.event(format!("the AI is asked: {} ({})", agent.name, record.id), &evidence));
                attempt::make(world, agent, &launch, &places, &bounds, watch, &mut record)
            });
        // Whatever went wrong, nothing is left running.
        if made.is_err() {
            record.end(None);
            record.clear();
        }
        plan::straighten(&self.dir)?;
        if let (true, Ok(attempt)) = (agent.preset.by_stdin, &made)
            && let Some(plan) = agents::plan_in(&attempt.account.said.join("\n"))
        {
            fsx::replace(&self.dir.join("plan.json"), plan.as_bytes())?;
        }
        // An agent without our fence may have written it, and with it decided what counts as a person's edit.
        if let Some(base) = base {
            fsx::replace_quick(&self.dir.join("work/base.json"), &base)?;
        }
        let kept = self.dir.join("transcript.txt");
        if let Ok(attempt) = &made {
            transcript::keep(world, &kept, &attempt.account, &attempt.shown)?;
        }
        let attempt = made?;
        record.clear();
        body.note(agent, &record, &attempt, kept);
        let text = format!(
            "{} ended: {} after {} s, {} turns, {:.4} USD",
            agent.name,
            attempt.ended.end.name(),
            attempt.took.as_secs(),
            attempt.account.turns,
            attempt.account.usd()
        );
        let event = self.event(text, &evidence);
        world.journal.note(
            &event
                .with("cost_usd", attempt.account.usd())
                .with("detail", &attempt.ended.detail),
        );
        Ok((attempt, evidence))
    }

    fn furnished<'s>(
        &'s self,
        agent: &Agent,
        fence: &Fence,
        evidence: &Evidence,
        scratch: &'s Path,
        bounds: &Bounds,
    ) -> Result<(Launch<'s>, Places<'s>)> {
        let places = Places {
            usd: bounds.usd,
            ..self.places(scratch)
        };
        fsx::private_dir(&scratch.join("cwd"))?;
        fence.save(scratch)?;
        let text = prompt::text(
            self.world,
            fence,
            evidence,
            self.bounds.deadline.left(),
            self.bounds.turns,
        )?;
        fsx::replace_quick(&places.prompt, text.as_bytes())?;
        let mut environment = environment::of(self.world, agent);
        let key = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"]
            .iter()
            .find_map(|name| environment.iter().find(|(n, _)| n == name))
            .map(|(_, value)| value.clone());
        for (name, value) in agents::furnish(agent, fence, &places, key.as_deref())? {
            if environment.iter().all(|(known, _)| *known != name) {
                environment.push((name, value));
            }
        }
        let stdin = if agent.preset.by_stdin {
            Some(evidence::spoken(&self.dir, scratch, &text)?)
        } else {
            None
        };
        let launch = Launch {
            scratch,
            argv: agent.argv(self.driver, &places),
            environment,
            cwd: agent.cwd(&places),
            stdin,
        };
        Ok((launch, places))
    }

    pub(super) fn places<'s>(&'s self, scratch: &'s Path) -> Places<'s> {
        Places {
            dir: &self.dir,
            scratch,
            prompt: self.dir.join("prompt.md"),
            turns: self.bounds.turns,
            usd: self.bounds.usd,
        }
    }

    /// Verdict, report, answer.
    fn conclude(&self, mut body: Body, attempt: &Attempt, evidence: &Evidence) -> Result<Answer> {
        let end = attempt.ended.end;
        if end.is_failure() && body.turns == 0 {
            body.outcome = end.name();
            body.redact(self.world);
            return body.answer(Exit::Answer(2), "no_session");
        }
        let mut judged = Judged::default();
        let (exit, verdict) = if end == End::Stopped {
            (Exit::Signal(proc::stop_signals().pending().unwrap_or(15)), "stopped")
        } else if end == End::Healthy {
            // Nothing is to be changed about a service that came back by itself.
            drop(std::fs::remove_file(self.dir.join("plan.json")));
            drop(std::fs::remove_file(self.dir.join("work/openclaw.json")));
            (Exit::Good, "healthy")
        } else {
            judged = plan::judge(self.world, &self.dir)?;
            match (judged.usable, judged.human_steps.is_empty()) {
                (true, _) => (Exit::Good, "planned"),
                (false, false) => (Exit::Answer(1), "human_steps"),
                (false, true) => (Exit::Answer(1), "no_plan"),
            }
        };
        body.outcome = verdict.to_owned();
        body.plan = judged.usable.then(|| self.dir.join("plan.json"));
        body.steps.clone_from(&judged.steps);
        body.human_steps.clone_from(&judged.human_steps);
        body.report = Some(report::write(self.world, &self.dir, &body, evidence, &judged)?);
        body.redact(self.world);
        body.answer(exit, verdict)
    }

    fn event(&self, text: String, evidence: &Evidence) -> oc_core::journal::Event {
        self.world
            .event(Kind::Agent, text)
            .incident(evidence.decision["incident"].as_str())
    }
}

pub(super) fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The agent works as the gateway's owner or not at all: as another it would read and write with rights that are not the
/// gateway's.
fn refuse_strangers(world: &World) -> Result<()> {
    let me = rustix::process::geteuid().as_raw();
    // The configuration of another service may well be root's.
    let config = Some(world.paths.service_config()).filter(|_| world.config.service.kind == config::Kind::Openclaw);
    let stranger = config
        .into_iter()
        .chain([world.paths.openclaw()])
        .filter_map(|path| std::fs::metadata(path).ok())
        .map(|meta| meta.uid())
        .find(|owner| *owner != me);
    match stranger {
        Some(owner) => Err(Fault::new(
            Exit::Permission,
            format_args!("the service belongs to uid {owner}, and you are uid {me}"),
        )
        .hint(format_args!(
            "run it as its owner: sudo -u '#{owner}' oc-claude-pty ..."
        ))),
        _ => Ok(()),
    }
}
