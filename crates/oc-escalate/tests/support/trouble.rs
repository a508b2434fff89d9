//! Weeks of trouble: what happens to the service, to the machine and to the watchdog itself, at random, shrinkable, readable.

use super::world::{BOOT_MS, Cure, Dies, Fault, World};
use super::{Disk, HOUR, MIN, SEC};
use oc_core::class::Class;
use proptest::prelude::*;
use std::fmt;
use std::time::Duration;

/// Something that happens, so long after what happened before.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub after_ms: u64,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    Breaks {
        class: Class,
        cure: Cure,
    },
    /// Breaks again and again, each time so long after it was mended.
    Flaps {
        class: Class,
        times: usize,
        apart_ms: u64,
    },
    /// Dies and is started again by its supervisor, which takes so long.
    Crash {
        boot_ms: u64,
    },
    ClockSteps {
        by_ms: i64,
    },
    Sleeps {
        for_ms: u64,
    },
    Reboots {
        for_ms: u64,
    },
    Stopped {
        for_ms: u64,
    },
    Maintained {
        for_ms: u64,
    },
    /// The scheduler starts no passes.
    NoPasses {
        for_ms: u64,
    },
    PassesDie {
        times: usize,
        how: Dies,
    },
    /// The history cannot be written; whether the probe sees why.
    Unwritable {
        for_ms: u64,
        seen: bool,
    },
    HistoryLost,
}

/// What a person or time puts right again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Starts,
    Writable,
}

impl What {
    /// Makes it happen; what ends it, and when.
    pub fn happen(&self, world: &mut World) -> Option<(u64, End)> {
        let ms = Duration::from_millis;
        match *self {
            Self::Breaks { class, cure } => world.breaks(Fault {
                class,
                cure,
                after_ms: 0,
            }),
            Self::Flaps { class, times, apart_ms } => {
                for _ in 0..times {
                    world.breaks(Fault {
                        class,
                        cure: Cure::Restart,
                        after_ms: apart_ms,
                    });
                }
            }
            Self::Crash { boot_ms } => {
                world.boot_ms = boot_ms;
                world.crashes();
            }
            Self::ClockSteps { by_ms } => world.clock_steps(by_ms),
            Self::Sleeps { for_ms } => world.sleeps(ms(for_ms)),
            Self::Reboots { for_ms } => world.reboots(ms(for_ms)),
            Self::Stopped { for_ms } => {
                world.person_stops();
                return Some((world.time_ms + for_ms, End::Starts));
            }
            Self::Maintained { for_ms } => world.person_maintains(ms(for_ms)),
            Self::NoPasses { for_ms } => world.forward(ms(for_ms)),
            Self::PassesDie { times, how } => world.dies = vec![how; times],
            Self::Unwritable { for_ms, seen } => {
                world.full_is_seen = seen;
                world.scene.disk = Disk::Full;
                return Some((world.time_ms + for_ms, End::Writable));
            }
            Self::HistoryLost => world.history_is_lost(),
        }
        None
    }
}

impl End {
    pub fn happen(self, world: &mut World) {
        match self {
            Self::Starts => world.person_starts(),
            Self::Writable => {
                if matches!(world.scene.disk, Disk::Full) {
                    world.scene.disk = Disk::Sound;
                }
            }
        }
    }
}

/// Classes that the ladder is climbed for.
pub const MENDABLE: [Class; 9] = [
    Class::ExitConfig,
    Class::ConfigInvalid,
    Class::StartLimit,
    Class::Unregistered,
    Class::CrashLoop,
    Class::Hung,
    Class::ProcessGone,
    Class::Refused,
    Class::HttpError,
];

pub fn mendable() -> impl Strategy<Value = Class> {
    proptest::sample::select(&MENDABLE[..])
}

/// So many troubles, one every few hours; they last for minutes to hours.
pub fn weeks(troubles: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Trouble>> {
    prop::collection::vec(trouble(), troubles)
}

fn trouble() -> impl Strategy<Value = Trouble> {
    // Often in the midst of another, mostly hours later.
    let after_s = prop_oneof![0..120_u64, 120..3600_u64, 3600..36_000_u64];
    (after_s, what()).prop_map(|(s, what)| Trouble {
        after_ms: s * SEC,
        what,
    })
}

fn what() -> impl Strategy<Value = What> {
    let ms = |range: std::ops::Range<u64>| range.prop_map(|s| s * SEC);
    let by_itself = |range: std::ops::Range<u64>| range.prop_map(|s| Cure::Itself { after_ms: s * SEC });
    let cure = prop_oneof![
        3 => Just(Cure::Restart),
        3 => Just(Cure::Doctor),
        2 => Just(Cure::Agent),
        1 => Just(Cure::Nothing),
        2 => by_itself(1..1800),
    ];
    let select = |classes: &'static [Class]| proptest::sample::select(classes);
    let breaks = |class, cure| What::Breaks { class, cure };
    let degraded = select(&[Class::NotReady, Class::Slow, Class::DeepFailed]);
    let memory = select(&[Class::MemoryHigh, Class::MemoryLeak, Class::SafeMode]);
    let humans = select(&[Class::NewerConfig, Class::StateDb, Class::Auth, Class::ForeignListener]);
    let passing = select(&[Class::Inconclusive, Class::Upgrading, Class::Draining]);
    prop_oneof![
        8 => (mendable(), cure).prop_map(move |(class, cure)| breaks(class, cure)),
        2 => (1..300_u64).prop_map(move |s| breaks(Class::HttpError, Cure::Itself { after_ms: s * SEC })),
        1 => (degraded, by_itself(1..7200)).prop_map(move |(class, cure)| breaks(class, cure)),
        1 => memory.prop_map(move |class| breaks(class, Cure::Restart)),
        1 => (humans, by_itself(600..20_000)).prop_map(move |(class, cure)| breaks(class, cure)),
        1 => (passing, by_itself(10..5400)).prop_map(move |(class, cure)| breaks(class, cure)),
        2 => (mendable(), 2..40_usize, ms(5..900)).prop_map(|(class, times, apart_ms)| What::Flaps { class, times, apart_ms }),
        2 => prop_oneof![Just(BOOT_MS), ms(10..840)].prop_map(|boot_ms| What::Crash { boot_ms }),
        1 => (-7_200_000..7_200_000_i64).prop_map(|by_ms| What::ClockSteps { by_ms }),
        1 => ms(5..30_000).prop_map(|for_ms| What::Sleeps { for_ms }),
        1 => ms(20..1200).prop_map(|for_ms| What::Reboots { for_ms }),
        1 => ms(30..100_000).prop_map(|for_ms| What::Stopped { for_ms }),
        1 => ms(60..7200).prop_map(|for_ms| What::Maintained { for_ms }),
        1 => ms(30..7200).prop_map(|for_ms| What::NoPasses { for_ms }),
        1 => (1..6_usize, prop_oneof![Just(Dies::BeforeActing), Just(Dies::AfterActing)])
            .prop_map(|(times, how)| What::PassesDie { times, how }),
        1 => (ms(60..14_400), any::<bool>()).prop_map(|(for_ms, seen)| What::Unwritable { for_ms, seen }),
        1 => Just(What::HistoryLost),
    ]
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Breaks { class, cure } => write!(f, "{class}; {}", mends(*cure)),
            Self::Flaps { class, times, apart_ms } => {
                write!(
                    f,
                    "{class}, {times} times, each {} after it was mended",
                    span(*apart_ms)
                )
            }
            Self::Crash { boot_ms } => write!(f, "crash; it is up again in {}", span(*boot_ms)),
            Self::ClockSteps { by_ms } => {
                let sign = if *by_ms < 0 { "back" } else { "ahead" };
                write!(f, "the wall clock is set {sign} by {}", span(by_ms.unsigned_abs()))
            }
            Self::Sleeps { for_ms } => write!(f, "the machine sleeps for {}", span(*for_ms)),
            Self::Reboots { for_ms } => write!(f, "reboot, down for {}", span(*for_ms)),
            Self::Stopped { for_ms } => write!(f, "a person stops it for {}", span(*for_ms)),
            Self::Maintained { for_ms } => write!(f, "a person declares maintenance for {}", span(*for_ms)),
            Self::NoPasses { for_ms } => write!(f, "no passes for {}", span(*for_ms)),
            Self::PassesDie { times, how } => write!(f, "the next {times} passes die: {how:?}"),
            Self::Unwritable { for_ms, seen } => {
                let seen = if *seen { "seen" } else { "not seen" };
                write!(
                    f,
                    "the history cannot be written for {} ({seen} by the probe)",
                    span(*for_ms)
                )
            }
            Self::HistoryLost => f.write_str("the history cannot be read"),
        }
    }
}

fn mends(cure: Cure) -> String {
    match cure {
        Cure::Itself { after_ms } => format!("it passes by itself after {}", span(after_ms)),
        Cure::Restart => "a restart mends it".to_owned(),
        Cure::Doctor => "the doctor mends it".to_owned(),
        Cure::Agent => "the agent mends it".to_owned(),
        Cure::Nothing => "only a person mends it".to_owned(),
    }
}

/// `1d 02:03:04`, `2:03:04`, `3:04`, `4 s`.
pub fn span(ms: u64) -> String {
    let (days, rest) = (ms / (24 * HOUR), ms % (24 * HOUR));
    let (hours, minutes, seconds) = (rest / HOUR, rest % HOUR / MIN, rest % MIN / SEC);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes}:{seconds:02}"),
        (0, ..) => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{days}d {hours:02}:{minutes:02}:{seconds:02}"),
    }
}
