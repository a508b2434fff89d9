//! What must hold after every pass, whatever happened: looked at from outside, with clocks that nobody sets.

use super::trouble::MENDABLE;
use super::world::{Cure, Pass, World};
use super::{Disk, HOUR, MIN, SEC};
use oc_core::class::{Class, Health};
use oc_core::report::{Action, Method};
use oc_escalate::policy::Verdict;
use std::collections::{BTreeMap, BTreeSet};

/// A person hears of what stays wrong within this time of looking at it.
const TOLD_MS: u64 = 25 * MIN;
/// As long as something is wrong that a try may mend, one is made in this time: the ceiling on actions is an hour wide.
const TRIED_MS: u64 = 65 * MIN;
/// What a restart or the doctor mends is mended within this time.
const MENDED_MS: u64 = 80 * MIN;
/// oc-notify tells of an incident that is open for this long.
const NOTIFY_MS: u64 = MIN;
/// The history on disk; a few hundred attempts.
const BYTES: usize = 200_000;

pub struct Guard {
    /// Restarts, doctor runs and sessions since the past was last lost: when, and what.
    acts: Vec<(u64, Action)>,
    epoch: u32,
    /// Of the fault that it has now.
    wrong: Wrong,
    fault_since: Option<u64>,
    fault_class: Option<Class>,
    /// A fault that began after the pass had looked, and that its end told of.
    told_early: Option<u64>,
    incident: Option<Open>,
    ids: BTreeSet<String>,
    /// The last action that was not written down, by the wall clock: all that is known of it is the time of a file.
    careful: Option<i64>,
    memory: Option<u64>,
    looks: u64,
    /// The longest times seen, for whoever reads the result.
    pub longest: BTreeMap<&'static str, u64>,
    pub counts: BTreeMap<&'static str, u64>,
}

/// Time of looking at a fault that nothing forbids to act upon.
#[derive(Default)]
struct Wrong {
    exposed_ms: u64,
    untold_ms: u64,
    untried_ms: u64,
    told: bool,
    /// When a person was first told, on the true clock.
    told_at: Option<u64>,
}

/// The open incident.
struct Open {
    id: String,
    since: u64,
    attempts: u32,
    restarts: Vec<u64>,
}

impl Guard {
    pub fn new() -> Self {
        Self {
            acts: Vec::new(),
            epoch: 0,
            wrong: Wrong::default(),
            fault_since: None,
            fault_class: None,
            told_early: None,
            incident: None,
            ids: BTreeSet::new(),
            careful: None,
            memory: None,
            looks: 0,
            longest: BTreeMap::new(),
            counts: BTreeMap::new(),
        }
    }

    /// Whether a person was told so long ago that they have come by now.
    pub fn person_comes(&self, world: &World, after_ms: u64) -> bool {
        world.fault().is_some() && self.wrong.told_at.is_some_and(|at| world.time_ms - at >= after_ms)
    }

    /// `healthy`: it served as it must when the pass looked. `from`: when the pass before was over.
    pub fn look(&mut self, world: &World, pass: &Pass, before: &Before) -> Result<(), String> {
        if world.epoch != self.epoch {
            self.epoch = world.epoch;
            self.acts.clear();
            self.incident = None;
            self.ids.clear();
            (self.careful, self.memory) = (None, None);
        }
        let at = before.time_ms;
        if let Some(action) = acted(pass) {
            self.acted(world, pass, before, action)?;
        }
        self.paired(world, at)?;
        self.persistent(world, pass, before)?;
        self.looks += 1;
        if self.looks.is_multiple_of(500) {
            let bytes = serde_json::to_string(&world.scene.history).map_or(usize::MAX, |text| text.len());
            self.longest("bytes of history", bytes as u64);
            ensure(bytes < BYTES, || format!("the history has {bytes} bytes"))?;
        }
        Ok(())
    }

    fn acted(&mut self, world: &World, pass: &Pass, before: &Before, action: Action) -> Result<(), String> {
        let (policy, at) = (&world.scene.policy, before.time_ms);
        let class = pass.decision.class.ok_or("an action for no class")?;
        let method = pass.decision.method;
        *self.counts.entry(action.name()).or_default() += 1;
        ensure(!before.stopped, || format!("{action:?} although a person stopped it"))?;
        ensure(!before.maintained, || format!("{action:?} during maintenance"))?;
        // Room is made beside a service that still serves, without touching it.
        let aside = class == Class::DiskFull && action == Action::Doctor && method.is_none();
        ensure(!before.healthy || aside, || {
            format!("{action:?} upon a healthy service")
        })?;
        ensure(!before.lost, || format!("{action:?} without knowing the past"))?;
        ensure(class > Class::Starting, || format!("{action:?} upon {class}"))?;
        let degraded = class.health() == Health::Degraded && !matches!(class, Class::SafeMode) && !memory(class);
        ensure(!degraded || class == Class::DiskFull, || {
            format!("{action:?} upon {class}, which is only told")
        })?;
        if before.full {
            let (wall_ms, spacing) = (before.wall_ms, millis(policy.unwritable_spacing.get()));
            let early = self
                .careful
                .replace(wall_ms)
                .filter(|last| wall_ms - last < spacing.cast_signed());
            ensure(early.is_none(), || {
                "a second action within 10 min, and none was written down".to_owned()
            })?;
            ensure(action != Action::Agent, || {
                "a session that nobody accounts for".to_owned()
            })?;
            // What was not written down counts for nothing later.
            return Ok(());
        }
        if memory(class) {
            let spacing = millis(policy.memory.restart_spacing.get());
            let early = self.memory.replace(at).filter(|last| at - last < spacing);
            ensure(early.is_none(), || "a second restart for memory within 6 h".to_owned())?;
        }
        if method == Some(Method::Kill) {
            let unclean = world.done.last().map_or(0, |done| done.unclean_before);
            ensure(pass.died || unclean < 2, || {
                format!("a KILL after {unclean} unclean ends in 300 s")
            })?;
        }
        self.acts.push((at, action));
        self.ceiling(policy, at, action)?;
        self.spaced(world, at, action, class)
    }

    /// The bounds over sliding windows.
    fn ceiling(&mut self, policy: &oc_core::config::Policy, at: u64, action: Action) -> Result<(), String> {
        let within = |ms: u64, what: fn(Action) -> bool| {
            let recent = self.acts.iter().filter(|(then, done)| what(*done) && at - then < ms);
            recent.count()
        };
        let hourly = within(millis(policy.restarts.window.get()), |a| a != Action::Agent);
        let daily = within(24 * HOUR, |a| a == Action::Agent);
        let cooling = within(millis(policy.agent.cooldown.get()), |a| a == Action::Agent);
        self.longest("actions in an hour", hourly as u64);
        ensure(hourly <= policy.restarts.limit as usize, || {
            format!("{hourly} actions in an hour")
        })?;
        if action == Action::Agent {
            ensure(daily <= policy.agent.per_day as usize, || {
                format!("{daily} sessions in a day")
            })?;
            ensure(cooling <= 1, || "two sessions within half an hour".to_owned())?;
        }
        self.acts.retain(|(then, _)| at - then < 25 * HOUR);
        Ok(())
    }

    /// The backoff between restarts of one incident.
    fn spaced(&mut self, world: &World, at: u64, action: Action, class: Class) -> Result<(), String> {
        let Some(open) = &mut self.incident else { return Ok(()) };
        if action != Action::Restart || memory(class) || class == Class::SafeMode {
            return Ok(());
        }
        let backoff = &world.scene.policy.backoff;
        open.restarts.retain(|then| at - then < millis(backoff.window.get()));
        let steps = &backoff.steps;
        if let Some(last) = open.restarts.last()
            && let Some(step) = steps.get(open.restarts.len() - 1).or(steps.last())
            && Some(&open.id) == world.scene.history.incident.as_ref().map(|i| &i.id)
        {
            let (gap, number) = (at - last, open.restarts.len() + 1);
            ensure(gap >= millis(step.get()), || {
                format!(
                    "restart {number} of an incident comes {} s after the one before",
                    gap / SEC
                )
            })?;
        }
        open.restarts.push(at);
        Ok(())
    }

    /// Incidents begin and end one after the other, and no name is used twice; one pass adds one attempt at most.
    fn paired(&mut self, world: &World, at: u64) -> Result<(), String> {
        let now = world.scene.history.incident.as_ref();
        let same = |open: &Open| now.is_some_and(|now| now.id == open.id);
        match &mut self.incident {
            Some(open) if same(open) => {
                let attempts = now.map_or(0, |now| now.attempts);
                ensure(attempts <= open.attempts + 1, || "two attempts in one pass".to_owned())?;
                open.attempts = attempts;
            }
            before => {
                if let Some(open) = before.take() {
                    let lasted = world.time_ms - open.since;
                    let longest = self.longest.entry("incident, ms").or_default();
                    *longest = lasted.max(*longest);
                }
                if let Some(now) = now {
                    ensure(self.ids.insert(now.id.clone()), || {
                        format!("two incidents are called {}", now.id)
                    })?;
                    *self.counts.entry("incident").or_default() += 1;
                    self.incident = Some(Open {
                        id: now.id.clone(),
                        since: at,
                        attempts: now.attempts,
                        restarts: Vec::new(),
                    });
                }
            }
        }
        Ok(())
    }

    /// It goes on trying, it mends what can be mended, and it does not keep quiet about what it cannot.
    fn persistent(&mut self, world: &World, pass: &Pass, before: &Before) -> Result<(), String> {
        let history = &world.scene.history;
        let open_for = self.incident.as_ref().map_or(0, |open| world.time_ms - open.since);
        let told = pass.settlement.as_ref().is_some_and(|settled| {
            settled.verdict == Verdict::Exhausted
                || !settled.notices.is_empty()
                || (settled.incident.is_some() && open_for >= NOTIFY_MS)
        });
        let early = world
            .broken_since()
            .filter(|since| told && Some(*since) != before.broken_since);
        let told_before = std::mem::replace(&mut self.told_early, early);
        let (Some(since), Some(fault)) = (before.broken_since, &before.fault) else {
            self.told_early = early.or(told_before);
            self.ends();
            return Ok(());
        };
        if self.fault_since != Some(since) {
            // The same again before anybody saw it well: that is no news.
            let still = self.wrong.told && self.fault_class == Some(fault.class);
            self.ends();
            self.fault_since = Some(since);
            self.fault_class = Some(fault.class);
            self.wrong.told = still || told_before == Some(since);
            self.wrong.told_at = self.wrong.told.then_some(before.time_ms);
        }
        // What is not called bad at once and cannot be remembered is never old.
        let unknown = before.full && (fault.class <= Class::Starting || fault.class.health() == Health::Degraded);
        let left_alone = before.stopped || before.maintained || pass.died || before.waking || before.blurred || unknown;
        let spent_ms = if left_alone { 0 } else { before.every_ms };
        let wrong = &mut self.wrong;
        if told && !wrong.told {
            wrong.told = true;
            wrong.told_at = Some(world.time_ms);
        }
        wrong.untold_ms = if wrong.told { 0 } else { wrong.untold_ms + spent_ms };
        let (untold_ms, class) = (wrong.untold_ms, fault.class);
        ensure(untold_ms <= TOLD_MS, || {
            format!("{class} for {untold_ms} ms, and nobody is told")
        })?;
        // From here on: as long as something may be done.
        if before.lost || before.full || history.unloaded_by_person.is_some() || !MENDABLE.contains(&class) {
            return Ok(());
        }
        wrong.exposed_ms += spent_ms;
        wrong.untried_ms = if acted(pass).is_some() {
            0
        } else {
            wrong.untried_ms + spent_ms
        };
        let (untried_ms, exposed_ms) = (wrong.untried_ms, wrong.exposed_ms);
        ensure(untried_ms <= TRIED_MS, || {
            format!("{class} for {untried_ms} ms, and nothing is tried")
        })?;
        let mendable = matches!(fault.cure, Cure::Restart | Cure::Doctor);
        ensure(!mendable || exposed_ms <= MENDED_MS, || {
            format!("{class} for {exposed_ms} ms, although {:?} mends it", fault.cure)
        })
    }

    fn ends(&mut self) {
        if self.fault_since.take().is_some() {
            let wrong = std::mem::take(&mut self.wrong);
            self.longest("fault, ms of looking at it", wrong.exposed_ms);
            self.longest("nothing tried, ms", wrong.untried_ms);
        }
    }

    fn longest(&mut self, what: &'static str, value: u64) {
        let longest = self.longest.entry(what).or_default();
        *longest = value.max(*longest);
    }
}

/// How things stood when the pass looked.
pub struct Before {
    pub time_ms: u64,
    pub wall_ms: i64,
    pub every_ms: u64,
    pub healthy: bool,
    pub stopped: bool,
    pub maintained: bool,
    pub waking: bool,
    pub blurred: bool,
    pub full: bool,
    pub lost: bool,
    pub broken_since: Option<u64>,
    pub fault: Option<super::world::Fault>,
}

impl Before {
    pub fn of(world: &World, every_ms: u64) -> Self {
        let scene = &world.scene;
        let half_open = scene.policy.ladder.half_open.get();
        Self {
            time_ms: world.time_ms,
            wall_ms: scene.now.wall_ms,
            every_ms,
            healthy: world.healthy(),
            stopped: scene.stopped.is_some(),
            maintained: world.maintained(),
            waking: scene
                .history
                .woke
                .as_ref()
                .is_some_and(|at| scene.now.since(at) < scene.policy.hold.wake.get()),
            blurred: world.blurred(),
            full: matches!(scene.disk, Disk::Full),
            lost: matches!(&scene.disk, Disk::Lost { at } if scene.now.since(at) < half_open),
            broken_since: world.broken_since().filter(|_| !world.booting()),
            fault: world.fault().cloned(),
        }
    }
}

fn acted(pass: &Pass) -> Option<Action> {
    let action = pass.decision.action;
    matches!(action, Action::Restart | Action::Doctor | Action::Agent).then_some(action)
}

fn memory(class: Class) -> bool {
    matches!(class, Class::MemoryHigh | Class::MemoryLeak)
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
