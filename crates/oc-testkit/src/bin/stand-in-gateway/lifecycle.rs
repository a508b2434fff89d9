//! From start to exit: checks, bind, serve, drain, and restart in place. The main thread is the event loop: what blocks it
//! keeps signals waiting, as in Node.

use crate::burden::Burden;
use crate::cli::Gateway;
use crate::config::{self, Config};
use crate::control::Control;
use crate::database;
use crate::ledger::Ledger;
use crate::lock::Lock;
use crate::log::Log;
use crate::places::Places;
use crate::refusal::{CONFIG, RUNTIME, Refusal};
use crate::reload::{Edit, Watch};
use crate::routes::Phase;
use crate::server::{self, Face};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const DEFAULT_PORT: u16 = 18789;
/// How often the loop looks at its faults when nothing happens.
const TICK: Duration = Duration::from_millis(20);

/// Why serving ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Stop,
    Restart,
    /// At once, without a word to the ledger.
    Crash(u8),
    /// It could not begin.
    Refused(Refusal),
}

struct Life<'a> {
    begun: Instant,
    log: &'a Log,
    control: Arc<Control>,
    signals: Signals,
    watch: Watch,
    burden: Burden,
}

/// Runs the gateway; the exit code.
pub(crate) fn run(args: &Gateway) -> u8 {
    let begun = Instant::now();
    let log = Log::default();
    let outcome = Signals::register()
        .map_err(|e| Refusal::new(RUNTIME, [e.to_string()]))
        .and_then(|signals| start(args, begun, signals, &log));
    outcome.unwrap_or_else(|refusal| {
        for line in &refusal.lines {
            log.bare(line);
        }
        refusal.exit
    })
}

fn start(args: &Gateway, begun: Instant, signals: Signals, log: &Log) -> Result<u8, Refusal> {
    let places = Places::resolve(args.profile.as_deref(), |name| std::env::var_os(name));
    log.info("gateway", "loading configuration…");
    let config = config::load(&places.config, args.allow_unconfigured)?;
    log.to_file(config.log_file.as_ref().map(Into::into));
    database::open(&places.state_dir)?;
    let port = port(args, &config);
    let lock = Lock::take(&places, port)?;
    let mut ledger = Ledger::begin(&places.state_dir);
    let control = Control::new(&places.state_dir, ledger.boot()).map_err(|e| Refusal::new(64, [e]))?;
    if ledger.tripped {
        log.warn(
            "gateway",
            "restart-loop breaker tripped: 3 unclean boot(s) within 300000ms; suppressing channel/provider account auto-start",
        );
    }
    let mut life = Life {
        begun,
        log,
        control: Arc::new(control),
        signals,
        watch: Watch::new(&places.config, config.mode.clone()),
        burden: Burden::default(),
    };
    loop {
        // Without channels the tripped breaker leaves no trace in /readyz.
        let suppressed = if ledger.tripped {
            config.channels.clone()
        } else {
            Vec::new()
        };
        match life.serve(port, suppressed) {
            End::Stop => {
                ledger.end("clean_stop");
                lock.release();
                return Ok(0);
            }
            End::Restart => {
                ledger.end("planned_restart");
                // A service manager starts the next one; the checks of a start apply to that one. The real gateway goes by
                // the unit's name; OPENCLAW_SERVICE_MARKER alone does not make it exit.
                if std::env::var_os("OPENCLAW_SYSTEMD_UNIT").is_some() {
                    log.info("gateway", "restart mode: full process restart (supervisor restart)");
                    lock.release();
                    return Ok(0);
                }
                log.info("gateway", "restart mode: in-process restart (no supervisor)");
                ledger = Ledger::begin(&places.state_dir);
            }
            End::Crash(code) => return Ok(code),
            End::Refused(refusal) => {
                ledger.end("startup_failed");
                lock.release();
                return Err(refusal);
            }
        }
    }
}

fn port(args: &Gateway, config: &Config) -> u16 {
    let from_env = || {
        std::env::var("OPENCLAW_GATEWAY_PORT")
            .ok()
            .and_then(|port| port.parse().ok())
    };
    args.port.or_else(from_env).or(config.port).unwrap_or(DEFAULT_PORT)
}

impl Life<'_> {
    /// One life between two binds of the port.
    fn serve(&mut self, port: u16, suppressed: Vec<String>) -> End {
        self.log.info("gateway", "starting...");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(self.control.faults().boot_ms) {
            if let Some(end) = self.turn(&[]) {
                return end;
            }
        }
        let listeners = match self.bind(port) {
            Ok(listeners) => listeners,
            Err(end) => return end,
        };
        self.log.info("gateway", "http server listening (stand-in)");
        let face = Arc::new(Face::new(Arc::clone(&self.control), suppressed));
        let bound = Instant::now();
        let mut ready = false;
        let end = loop {
            if !ready && bound.elapsed() >= Duration::from_millis(self.control.faults().starting_ms) {
                ready = true;
                face.set_phase(Phase::Up);
                self.log.info("gateway", "ready");
            }
            let end = self.turn(&listeners);
            accept(&listeners, &face);
            if let Some(end) = end {
                break end;
            }
        };
        if !matches!(end, End::Crash(_)) {
            face.set_phase(Phase::Draining);
            self.drain(listeners, &face);
        }
        end
    }

    /// Binds the port, with the real one's patience for whoever holds it.
    fn bind(&mut self, port: u16) -> Result<Vec<TcpListener>, End> {
        let faults = self.control.faults();
        let mut tries = 1;
        loop {
            match server::bind(port) {
                Ok(listeners) => return Ok(listeners),
                Err(e) if e.kind() == std::io::ErrorKind::AddrInUse && tries < faults.bind_tries => tries += 1,
                Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => {
                    let lines = [
                        format!(
                            "Gateway failed to start: another gateway instance is already listening on \
                             ws://127.0.0.1:{port} | listen EADDRINUSE: address already in use 127.0.0.1:{port}"
                        ),
                        format!("Port {port} is already in use."),
                    ];
                    return Err(End::Refused(Refusal::new(RUNTIME, lines)));
                }
                Err(e) => {
                    let line = format!("Gateway failed to start: {e}");
                    return Err(End::Refused(Refusal::new(RUNTIME, [line])));
                }
            }
            let again = Instant::now() + Duration::from_millis(faults.bind_interval_ms);
            while Instant::now() < again {
                if let Some(end) = self.turn(&[]) {
                    return Err(end);
                }
            }
        }
    }

    /// One turn of the event loop; `Some` when it was the last.
    fn turn(&mut self, listeners: &[TcpListener]) -> Option<End> {
        if self.signals.usr1.swap(false, Ordering::SeqCst) {
            self.log
                .bare("Debugger listening on ws://127.0.0.1:9229/00000000-0000-4000-8000-000000000000");
        }
        self.control.pass();
        let faults = self.control.faults();
        self.burden.follow(&faults);
        if faults
            .exit_after_ms
            .is_some_and(|ms| self.begun.elapsed() >= Duration::from_millis(ms))
        {
            return Some(End::Crash(faults.exit_code));
        }
        if self.signals.term.swap(false, Ordering::SeqCst) && !faults.ignore_sigterm {
            self.log.info("gateway", "received SIGTERM; shutting down");
            return Some(End::Stop);
        }
        if self.signals.usr2.swap(false, Ordering::SeqCst) {
            self.log.info("gateway", "received SIGUSR2; restarting");
            return Some(End::Restart);
        }
        if self.watch.look(self.log) == Edit::Restart {
            return Some(if faults.reload_exits {
                End::Crash(CONFIG)
            } else {
                End::Restart
            });
        }
        self.idle(listeners);
        None
    }

    /// Waits for a connection, a signal or the next tick.
    fn idle(&self, listeners: &[TcpListener]) {
        let mut watched: Vec<PollFd<'_>> = listeners.iter().map(|l| PollFd::new(l, PollFlags::IN)).collect();
        watched.push(PollFd::new(&self.signals.woken, PollFlags::IN));
        let tick = Timespec::try_from(TICK).ok();
        // Interrupted by a signal is as good as woken.
        _ = poll(&mut watched, tick.as_ref());
        self.signals.drain();
    }

    /// Says "draining" for a while, then refuses connections for a while.
    fn drain(&self, listeners: Vec<TcpListener>, face: &Arc<Face>) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(self.control.faults().drain_ms) {
            self.idle(&listeners);
            accept(&listeners, face);
        }
        drop(listeners);
        let refused = Instant::now();
        while refused.elapsed() < Duration::from_millis(self.control.faults().drain_refused_ms) {
            self.idle(&[]);
        }
        self.log.info("shutdown", "completed cleanly");
    }
}

fn accept(listeners: &[TcpListener], face: &Arc<Face>) {
    for listener in listeners {
        while let Ok((stream, _)) = listener.accept() {
            let face = Arc::clone(face);
            // A client that went away is not our trouble.
            std::thread::spawn(move || _ = server::serve(stream, &face));
        }
    }
}

/// Signals wait in flags until the event loop looks at them; `woken` ends its waiting.
struct Signals {
    term: Arc<AtomicBool>,
    usr1: Arc<AtomicBool>,
    usr2: Arc<AtomicBool>,
    woken: std::os::unix::net::UnixStream,
}

impl Signals {
    fn register() -> std::io::Result<Self> {
        let (woken, wake) = std::os::unix::net::UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let signals = Self {
            term: Arc::default(),
            usr1: Arc::default(),
            usr2: Arc::default(),
            woken,
        };
        for (signal, flag) in [
            (SIGTERM, &signals.term),
            (SIGINT, &signals.term),
            (SIGUSR1, &signals.usr1),
            (SIGUSR2, &signals.usr2),
        ] {
            signal_hook::flag::register(signal, Arc::clone(flag))?;
            signal_hook::low_level::pipe::register(signal, wake.try_clone()?)?;
        }
        Ok(signals)
    }

    fn drain(&self) {
        use std::io::Read as _;
        let mut bytes = [0; 64];
        while (&self.woken).read(&mut bytes).is_ok_and(|n| n > 0) {}
    }
}
