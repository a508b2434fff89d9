//! What is done to the service and to the tools. After each of them all must be well again, by the tools alone or by the person
//! that the fault plays.

use crate::ground::{Chance, Ground};
use oc_testkit::trial::{Result, broken};
use oc_testkit::{Hostile, Signal, process};
use std::time::{Duration, Instant};

pub(crate) struct Fault {
    /// In words.
    pub(crate) name: &'static str,
    pub(crate) inject: fn(&mut Ground) -> Result<()>,
}

static ALL: [Fault; 14] = [
    Fault {
        name: "crash",
        inject: |ground| gone(ground, |ground| ground.signal(Signal::KILL)),
    },
    Fault {
        name: "clean exit",
        inject: |ground| gone(ground, |ground| ground.signal(Signal::TERM)),
    },
    Fault {
        name: "five crashes in a row",
        inject: |ground| (0..5).try_for_each(|_| (ALL[0].inject)(ground)),
    },
    Fault {
        name: "event loop blocked",
        inject: |ground| replaced(ground, |faults| faults.block_ms = Some(0)),
    },
    Fault {
        name: "frozen",
        inject: |ground| gone(ground, |ground| ground.signal(Signal::STOP)),
    },
    Fault {
        name: "answers with 500",
        inject: |ground| replaced(ground, |faults| faults.hostile = Some(Hostile::Status(500))),
    },
    Fault {
        name: "takes requests, never answers",
        inject: |ground| replaced(ground, |faults| faults.hostile = Some(Hostile::Stall)),
    },
    Fault {
        name: "configuration broken, then a crash",
        inject: |ground| {
            let (text, junk) = (ground.good_config(), ground.chance.below(u64::MAX));
            ground.write_config(&format!("{}  // {junk}\n", text.trim_end().trim_end_matches('}')));
            gone(ground, |ground| ground.signal(Signal::KILL))
        },
    },
    Fault {
        name: "configuration broken beside a healthy service, put right by a person",
        inject: |ground| {
            let (text, pid) = (ground.good_config(), ground.pid()?);
            ground.write_config(&text[..60]);
            ground.passes(3)?;
            ground.write_config(&text);
            unchanged(ground, pid)
        },
    },
    Fault {
        name: "slow start after a crash",
        inject: |ground| {
            ground.env().fault(|faults| faults.boot_ms = 3_000);
            gone(ground, |ground| ground.signal(Signal::KILL))
        },
    },
    Fault {
        name: "stopped and started by a person",
        inject: |ground| {
            let attempts = ground.count("attempt");
            ground.person(&["oc-guardian", "stop", "--reason", "soak"])?;
            ground.passes(3)?;
            if ground.service.is_ready() || ground.count("attempt") > attempts {
                return Err(broken("it was started against a person's will"));
            }
            ground.person(&["oc-guardian", "start", "--wait"])
        },
    },
    Fault {
        name: "hangs during maintenance",
        inject: |ground| {
            let attempts = ground.count("attempt");
            ground.person(&["oc-escalate", "maintenance", "on", "--for", "1h", "--reason", "soak"])?;
            here(ground, |faults| faults.block_ms = Some(0))?;
            ground.passes(3)?;
            if ground.count("attempt") > attempts {
                return Err(broken("something was done during maintenance"));
            }
            gone(ground, |ground| ground.person(&["oc-escalate", "maintenance", "off"]))
        },
    },
    Fault {
        name: "a pass is killed",
        inject: |ground| {
            let seen = ground.count("pass_abandoned");
            // A healthy pass is over too soon to be met; one that waits for a silent service is not.
            gone(ground, |ground| {
                here(ground, |faults| faults.block_ms = Some(0))?;
                ground.wait("a pass is met and killed", |ground| {
                    let pass = |pid: &u32| process::command_line(*pid).contains("oc-escalate run");
                    for pid in ground.env().processes().into_iter().filter(pass) {
                        ground.env().signal(pid, Signal::KILL);
                    }
                    ground.count("pass_abandoned") > seen
                })
            })
        },
    },
    Fault {
        name: "the supervisor is suspended for 7 s",
        inject: |ground| {
            let Some(supervisor) = ground.service.supervisor() else {
                return Ok(());
            };
            supervisor.signal(Signal::STOP);
            let asleep = Instant::now();
            let waited = ground.wait("it sleeps", |_| asleep.elapsed() > Duration::from_secs(7));
            if let Some(supervisor) = ground.service.supervisor() {
                supervisor.signal(Signal::CONT);
            }
            waited?;
            ground.passes(3)
        },
    },
];

pub(crate) fn any(chance: &mut Chance) -> &'static Fault {
    let n = usize::try_from(chance.below(ALL.len() as u64)).unwrap_or(0);
    &ALL[n]
}

/// Does it, and waits until another process serves.
fn gone(ground: &mut Ground, inject: impl FnOnce(&mut Ground) -> Result<()>) -> Result<()> {
    let before = ground.pid()?;
    inject(ground)?;
    ground.wait("another process serves", |ground| {
        ground.service.pid().is_some_and(|pid| pid != before) && ground.service.is_ready()
    })
}

/// [`here`], until another process serves.
fn replaced(ground: &mut Ground, change: impl FnOnce(&mut oc_testkit::Faults)) -> Result<()> {
    gone(ground, |ground| here(ground, change))
}

/// The process that runs now has these faults; its successor is well.
fn here(ground: &Ground, change: impl FnOnce(&mut oc_testkit::Faults)) -> Result<()> {
    let pid = ground.pid()?;
    ground.env().fault(|faults| {
        faults.only_pid = Some(pid);
        change(faults);
    });
    Ok(())
}

/// It was left alone.
fn unchanged(ground: &Ground, before: u32) -> Result<()> {
    let now = ground.pid()?;
    if now == before {
        return Ok(());
    }
    Err(broken("a healthy service was restarted"))
}
