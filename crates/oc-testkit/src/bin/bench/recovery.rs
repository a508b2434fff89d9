//! From the signal to the first answer of another process, under each supervisor that is installed.

use crate::figures::{Figures, ms};
use crate::sheet::Sheet;
use crate::supervisors::{self, Peer, Start};
use oc_testkit::{Asked, Cmd, Signal, Supervised, TestEnv, ask_with, bin, free_port, is_ready, wait_until};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

const STARTS: usize = 10;
const KILLS: usize = 10;
const HANGS: usize = 7;
/// Side by side, since nearly all of it is waiting.
const HANGS_BY_DEFAULT: usize = 3;
/// Between two injuries at least: runit and s6 start at most once a second, systemd gives up at five in ten seconds.
const APART: Duration = Duration::from_millis(2100);
/// Beyond the service's own start, milliseconds.
const CRASH: f64 = 10.0;
const HANG: f64 = 3000.0;
const HANG_BY_DEFAULT: f64 = 80_000.0;
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn crash(sheet: &mut Sheet) {
    sheet.group("kill -9 to serving");
    beside_others(sheet, CRASH, Signal::KILL, KILLS, |peer| Some(peer.crash));
}

pub(crate) fn hang(sheet: &mut Sheet) {
    sheet.group("hang (SIGSTOP) to serving, 1 s cadence, 1 s threshold");
    beside_others(sheet, HANG, Signal::STOP, HANGS, |peer| peer.hang);
}

/// The target is ours, `beyond` the service's own start.
fn beside_others(sheet: &mut Sheet, beyond: f64, signal: Signal, times: usize, start: fn(&Peer) -> Option<Start>) {
    let own = sheet.row("the service's own start", "ms", service_start(), None, None);
    let mut base = None;
    for peer in supervisors::ALL {
        let Some(start) = start(peer) else { continue };
        let ours = peer.name == supervisors::OURS;
        if let Some(figures) = measure(sheet, peer.name, start, signal, times) {
            let target = own.filter(|_| ours).map(|own| own + beyond);
            let median = sheet.row(peer.name, "ms", Some(figures), base, target);
            base = base.or(median);
        }
    }
}

/// No setting of ours at all: a pass every 10 s, hung after 45 s of silence.
pub(crate) fn hang_by_default(sheet: &mut Sheet) {
    sheet.group("hang (SIGSTOP) to serving, all defaults");
    let own = sheet.row("the stand-in gateway's own start", "ms", gateway_start(), None, None);
    let times = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..HANGS_BY_DEFAULT)
            .map(|n| {
                // At no fixed phase of the passes.
                let phase = Duration::from_millis(u64::try_from(n).unwrap_or(0) * 3300);
                scope.spawn(move || default_hang(phase))
            })
            .collect();
        runs.into_iter().map(|run| run.join().ok()?).collect::<Option<Vec<_>>>()
    });
    let target = own.map(|own| own + HANG_BY_DEFAULT);
    sheet.row(supervisors::OURS, "ms", times.and_then(Figures::of), None, target);
}

fn default_hang(phase: Duration) -> Option<f64> {
    let service = supervised_gateway();
    std::thread::sleep(phase);
    let old = service.pid()?;
    let begun = Instant::now();
    service.env.signal(old, Signal::STOP);
    serves_again(&service, old, begun)
}

/// A gateway under our supervisor, with all passes, that serves and was seen to.
pub(crate) fn supervised_gateway() -> Supervised {
    let mut service = Supervised::new();
    service
        .env
        .write(".openclaw/openclaw.json", gateway_config(service.port));
    service.start(&bin("stand-in-gateway"));
    wait_until("the gateway serves", PATIENCE, || service.is_ready());
    wait_until("a pass is over", PATIENCE, || {
        let run = std::fs::read(service.env.watchdog().join("run/run.json")).unwrap_or_default();
        serde_json::from_slice::<serde_json::Value>(&run).is_ok_and(|run| run["exit"] == 0)
    });
    service
}

pub(crate) fn gateway_config(port: u16) -> String {
    format!(
        "{{\n  \"gateway\": {{\n    \"mode\": \"local\",\n    \"port\": {port},\n    \"bind\": \"loopback\",\n    \
         \"auth\": {{\"mode\": \"token\", \"token\": \"bench\"}}\n  }}\n}}\n"
    )
}

/// Milliseconds until another process than `old` is ready.
pub(crate) fn serves_again(service: &Supervised, old: u32, begun: Instant) -> Option<f64> {
    while begun.elapsed() < PATIENCE * 3 {
        if service.pid().is_some_and(|pid| pid != old) && service.is_ready() {
            return Some(ms(begun.elapsed()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
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

fn service_start() -> Option<Figures> {
    let env = TestEnv::new();
    own_start(
        |port| env.foreign(bin("bench-serve")).arg(port.to_string()),
        |port| pid_at(port).is_some(),
    )
}

pub(crate) fn gateway_start() -> Option<Figures> {
    let env = TestEnv::new();
    let gateway = |port: u16| {
        env.write(".openclaw/openclaw.json", gateway_config(port));
        env.cmd("stand-in-gateway")
            .args(["gateway", "run", "--port"])
            .arg(port.to_string())
    };
    own_start(gateway, is_ready)
}

fn own_start(command: impl Fn(u16) -> Cmd, serves: impl Fn(u16) -> bool) -> Option<Figures> {
    let values = (0..STARTS).map(|_| {
        let port = free_port();
        let begun = Instant::now();
        let mut service = command(port).spawn();
        while !serves(port) && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
        let took = begun.elapsed();
        service.signal(Signal::KILL);
        (took < PATIENCE).then(|| ms(took))
    });
    Figures::of(values.collect::<Option<_>>()?)
}
