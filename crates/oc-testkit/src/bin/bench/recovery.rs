//! From the signal to the first answer of another process, under each supervisor that is installed.

use crate::figures::{Figures, ms};
use crate::sheet::Sheet;
use crate::supervisors::{self, Start};
use oc_testkit::{Asked, Signal, TestEnv, ask_with, bin, free_port, wait_until};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

const KILLS: usize = 10;
const HANGS: usize = 10;
/// Between two injuries at least: runit and s6 start at most once a second, systemd gives up at five in ten seconds.
const APART: Duration = Duration::from_millis(2100);
/// Beyond the service's own start, milliseconds.
const CRASH: f64 = 10.0;
const HANG: f64 = 3000.0;
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn crash(sheet: &mut Sheet) {
    let group = "kill -9 to serving";
    sheet.group(group);
    let own = sheet.row(group, "the service's own start", "ms", own_start(), None, None);
    let mut base = None;
    for peer in supervisors::ALL {
        let ours = peer.name == supervisors::OURS;
        let figures = measure(sheet, peer.name, peer.crash, Signal::KILL, KILLS);
        if let Some(figures) = figures {
            let target = own.filter(|_| ours).map(|own| own + CRASH);
            let median = sheet.row(group, peer.name, "ms", Some(figures), base, target);
            base = base.or(median);
        }
    }
}

pub(crate) fn hang(sheet: &mut Sheet) {
    let group = "hang (SIGSTOP) to serving, 1 s cadence, 1 s threshold";
    sheet.group(group);
    let own = own_start().map(|own| own.median);
    let mut base = None;
    for peer in supervisors::ALL {
        let Some(start) = peer.hang else { continue };
        let ours = peer.name == supervisors::OURS;
        if let Some(figures) = measure(sheet, peer.name, start, Signal::STOP, HANGS) {
            let target = own.filter(|_| ours).map(|own| own + HANG);
            let median = sheet.row(group, peer.name, "ms", Some(figures), base, target);
            base = base.or(median);
        }
    }
}

fn measure(sheet: &mut Sheet, name: &str, start: Start, signal: Signal, times: usize) -> Option<Figures> {
    let env = TestEnv::new();
    let port = free_port();
    let supervisor = match start(&env, port) {
        Ok(supervisor) => supervisor,
        Err(why) => {
            sheet.absent(name, &why);
            return None;
        }
    };
    wait_until("the supervised service answers", PATIENCE, || pid_at(port).is_some());
    let mut figures = Vec::new();
    for n in 0..times {
        // At no fixed phase of the supervisor's own clock.
        std::thread::sleep(APART + Duration::from_millis(u64::try_from(n).unwrap_or(0) * 137 % 1000));
        supervisor.settle(&env);
        let old = pid_at(port)?;
        let begun = Instant::now();
        env.signal(old, signal);
        let took = wait_other(port, old, begun);
        let Some(took) = took else {
            sheet.absent(name, &format!("it did not serve again within {PATIENCE:?}"));
            return None;
        };
        figures.push(ms(took));
    }
    Figures::of(figures)
}

fn wait_other(port: u16, old: u32, begun: Instant) -> Option<Duration> {
    while begun.elapsed() < PATIENCE {
        if pid_at(port).is_some_and(|pid| pid != old) {
            return Some(begun.elapsed());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

/// The pid that answers.
pub(crate) fn pid_at(port: u16) -> Option<u32> {
    // Short: a stopped process accepts and says nothing, and must not hide its successor.
    let limit = Duration::from_millis(20);
    match ask_with(Ipv4Addr::LOCALHOST.into(), port, "GET", "/healthz", &[], limit) {
        Asked::Answered(answer) => answer.json()["pid"].as_u64()?.try_into().ok(),
        _ => None,
    }
}

fn own_start() -> Option<Figures> {
    let env = TestEnv::new();
    let values = (0..KILLS).map(|_| {
        let port = free_port();
        let begun = Instant::now();
        let _service = env.foreign(bin("bench-serve")).arg(port.to_string()).spawn();
        wait_other(port, 0, begun).map(ms)
    });
    Figures::of(values.collect::<Option<_>>()?)
}
