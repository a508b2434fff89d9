//! The HOME in which it all happens: a gateway under one supervisor, a webhook that hears the alerts, and somebody who does a
//! fault now and then, waits until all is well again, and measures.

use crate::cadence::{Cadence, Watch};
use crate::cli::Cli;
use crate::faults::{self, Fault};
use crate::sample::{self, Sample};
use oc_testkit::invariants::{self, Known};
use oc_testkit::providers::Providers;
use oc_testkit::trial::{self, Result, Stop, broken};
use oc_testkit::{Journal, Signal, Supervised, TestEnv, bin, commented, in_seconds, merged, scripts};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Whatever takes longer has not healed.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(50);
/// So many samples in any run, however long it is.
const SAMPLES: u32 = 60;
const SECRET: &str = "soak-token-5ecret";

/// What came of it.
pub(crate) struct Run {
    pub(crate) samples: Vec<Sample>,
    pub(crate) cadence: Cadence,
    pub(crate) faults: BTreeMap<&'static str, Vec<f64>>,
    pub(crate) quiet: Quiet,
    /// Messages that people got.
    pub(crate) told: usize,
    pub(crate) took: Duration,
    /// What was not as it must be, as sentences.
    pub(crate) wrong: Vec<String>,
}

/// Passes with nothing to do, and what they wrote into the journal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quiet {
    pub(crate) passes: u64,
    pub(crate) journal_bytes: u64,
}

pub(crate) struct Ground {
    pub(crate) service: Supervised,
    hook: Providers,
    journal: Journal,
    /// How often the journal says what.
    counts: BTreeMap<String, usize>,
    pub(crate) chance: Chance,
    watch: Watch,
    interrupted: Arc<AtomicBool>,
}

/// `None`: interrupted.
pub(crate) fn run(options: &Cli, interrupted: Arc<AtomicBool>) -> Option<Run> {
    let mut ground = Ground::new(options, interrupted);
    let begun = Instant::now();
    let mut run = Run {
        samples: Vec::new(),
        cadence: Cadence::default(),
        faults: BTreeMap::new(),
        quiet: Quiet::default(),
        told: 0,
        took: Duration::ZERO,
        wrong: Vec::new(),
    };
    match ground.open() {
        Ok(()) => {}
        Err(Stop::Interrupted) => return None,
        Err(Stop::Broken(why)) => {
            run.wrong.push(why);
            return Some(run);
        }
    }
    let every = options.lasts / SAMPLES;
    let (mut faults, mut due) = (0, Duration::ZERO);
    while begun.elapsed() < options.lasts {
        if begun.elapsed() >= due {
            let at_s = begun.elapsed().as_secs_f64();
            let sample = sample::take(&mut ground.service, at_s, ground.watch.passes(), faults);
            if let Some(sample) = &sample {
                crate::say(&crate::results::progress(sample, run.samples.last(), run.wrong.len()));
            }
            run.samples.extend(sample);
            due = begun.elapsed() + every;
        }
        match ground.quiet(&mut run.quiet).and_then(|()| ground.fault()) {
            Ok((fault, took)) => run
                .faults
                .entry(fault.name)
                .or_default()
                .push(took.as_secs_f64() * 1000.0),
            Err(Stop::Interrupted) => return None,
            Err(Stop::Broken(why)) => {
                crate::say(&format!("soak: {why}"));
                crate::say(&ground.env().last_words(40));
                run.wrong.push(why);
                // One that cannot be brought back is not asked for anything else.
                if run.wrong.len() >= 3 {
                    break;
                }
                ground.mend();
            }
        }
        faults += 1;
    }
    run.took = begun.elapsed();
    run.cadence = ground.watch.seen();
    run.told = ground.hook.accepted().len();
    run.wrong.extend(ground.close());
    Some(run)
}

impl Ground {
    fn new(options: &Cli, interrupted: Arc<AtomicBool>) -> Self {
        let service = Supervised::new();
        let hook = Providers::new();
        let watch = Watch::new(&service.env.watchdog());
        let journal = Journal::new(service.env.watchdog().join("journal.jsonl"));
        let mut settings = merged(in_seconds(&hook.url("/soak")), &bounds());
        if options.leak {
            let heal = scripts().join("oc-heal").display().to_string();
            let leaky = service.env.stub(
                "leaky-heal",
                &format!("mktemp \"$TMPDIR/leak.XXXXXX\" >/dev/null\nsleep 3600 &\nexec {heal} \"$@\""),
            );
            settings["service"]["supervise"]["heal_command"] = json!([leaky]);
        }
        service.env.oc_config(&settings);
        let ground = Self {
            service,
            hook,
            journal,
            counts: BTreeMap::new(),
            chance: Chance(options.seed),
            watch,
            interrupted,
        };
        ground.write_config(&ground.good_config());
        ground
    }

    fn open(&mut self) -> Result<()> {
        let program = bin("stand-in-gateway");
        self.service.start(&program);
        self.wait("it serves at first", |ground| ground.service.is_ready())?;
        self.person(&["oc-doctor", "snapshot", "--quiet"])?;
        self.settle()
    }

    pub(crate) const fn env(&self) -> &TestEnv {
        &self.service.env
    }

    pub(crate) fn good_config(&self) -> String {
        commented(self.service.port, SECRET, "")
    }

    /// Writes the service's configuration as a person does.
    pub(crate) fn write_config(&self, text: &str) {
        self.env().write(".openclaw/openclaw.json", text);
    }

    /// A while in which nothing happens: the clock alone says when passes begin, and they write nothing.
    fn quiet(&mut self, sum: &mut Quiet) -> Result<()> {
        let lasts = Duration::from_millis(3_000 + self.chance.below(9_000));
        let (passes, bytes) = (self.watch.passes(), self.journal_bytes());
        self.watch.quiet(true);
        let begun = Instant::now();
        let waited = self.wait("a quiet while", |_| begun.elapsed() >= lasts);
        self.watch.quiet(false);
        sum.passes += self.watch.passes() - passes;
        sum.journal_bytes += self.journal_bytes().saturating_sub(bytes);
        waited
    }

    fn journal_bytes(&self) -> u64 {
        let file = self.env().watchdog().join("journal.jsonl");
        std::fs::metadata(file).map_or(0, |meta| meta.len())
    }

    /// One fault, until all is well again.
    fn fault(&mut self) -> Result<(&'static Fault, Duration)> {
        let fault = faults::any(&mut self.chance);
        let begun = Instant::now();
        let named = |stop| match stop {
            Stop::Broken(why) => Stop::Broken(format!("{}: {why}", fault.name)),
            Stop::Interrupted => stop,
        };
        (fault.inject)(self).map_err(named)?;
        self.wait("it serves again", |ground| ground.service.is_ready())
            .map_err(named)?;
        let served = begun.elapsed();
        self.settle().map_err(named)?;
        self.env().fault(|faults| *faults = oc_testkit::Faults::default());
        Ok((fault, served))
    }

    /// Until it serves, no incident is open, and two passes more have seen that.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.wait("it serves and the incident is over", |ground| {
            ground.count("incident_opened") <= ground.count("incident_closed") && ground.service.is_ready()
        })?;
        self.passes(2)?;
        self.wait("and it stays so", |ground| {
            ground.count("incident_opened") <= ground.count("incident_closed") && ground.service.is_ready()
        })
    }

    /// A person puts right whatever can be.
    fn mend(&mut self) {
        self.env().fault(|faults| *faults = oc_testkit::Faults::default());
        self.write_config(&self.good_config());
        _ = self.person(&["oc-escalate", "maintenance", "off"]);
        _ = self.person(&["oc-escalate", "reset"]);
        _ = self.person(&["oc-guardian", "restart"]);
        _ = self.settle();
    }

    /// A command of ours, as a person types it.
    pub(crate) fn person(&self, words: &[&str]) -> Result<()> {
        trial::person(self.env(), words, &[0], PATIENCE).map(drop)
    }

    /// Until so many passes have begun from now on.
    pub(crate) fn passes(&mut self, count: u64) -> Result<()> {
        let enough = self.watch.passes() + count + 1;
        self.wait(&format!("{count} passes"), |ground| ground.watch.passes() >= enough)
    }

    /// How often the journal says so.
    pub(crate) fn count(&mut self, kind: &str) -> usize {
        for event in self.journal.fresh() {
            *self.counts.entry(event.kind).or_default() += 1;
        }
        self.counts.get(kind).copied().unwrap_or(0)
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        let pid = self.service.pid();
        pid.ok_or_else(|| broken("the supervisor knows no process"))
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.env().signal(self.pid()?, signal);
        Ok(())
    }

    pub(crate) fn wait(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) -> Result<()> {
        let interrupted = Arc::clone(&self.interrupted);
        trial::within(PATIENCE, LOOK, &interrupted, what, || holds(self))
    }

    /// Ends everything, and says what is left.
    fn close(&mut self) -> Vec<String> {
        self.service.end();
        let mut wrong = Vec::new();
        if self
            .wait("everything has ended", |ground| ground.env().processes().is_empty())
            .is_err()
        {
            let words = |pid: u32| format!("{pid} ({})", oc_testkit::process::command_line(pid));
            let left: Vec<String> = self.env().processes().into_iter().map(words).collect();
            wrong.push(format!(
                "{} processes are left behind: {}",
                left.len(),
                left.iter().take(3).cloned().collect::<Vec<_>>().join(", ")
            ));
        }
        let known = Known {
            secrets: &[SECRET],
            ..Known::default()
        };
        wrong.extend(invariants::check(self.env(), &known));
        wrong
    }
}

/// Bounds that an hour of faults does not reach.
fn bounds() -> Value {
    json!({
        "policy": {
            "hold": {"wake_intervals": 5},
            "backoff": {"window": "1m"},
            "restarts": {"window": "1m"},
            "kill": {"window": "1m"},
        },
    })
}

/// The same numbers for the same seed (splitmix64).
pub(crate) struct Chance(u64);

impl Chance {
    /// From 0 to `limit` - 1.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}
