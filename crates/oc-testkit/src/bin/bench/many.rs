//! Many instances in one command, and what one slow one does to the others.

use crate::cost;
use crate::figures::Figures;
use crate::sheet::Sheet;
use oc_testkit::{TestEnv, bin, free_port, scripts, wait_until};
use serde_json::{Map, Value, json};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::Duration;

const SIZES: [usize; 4] = [1, 10, 100, 1000];
const RUNS: usize = 5;
/// Of the largest.
const RUNS_OF_MANY: usize = 2;
/// How long the slow one takes to answer, milliseconds.
const SLOW: u64 = 2000;

pub(crate) fn instances(sheet: &mut Sheet) {
    sheet.group("many instances in one command (a service each)");
    for command in ["oc-probe", "oc-heal"] {
        let mut one = None;
        for size in SIZES {
            let site = Site::new(size, None);
            // The first pass of each learns which process it is, and checks our configuration.
            drop(cost::once(&mut site.command("oc-heal")));
            let runs = if size >= 1000 { RUNS_OF_MANY } else { RUNS };
            let costs: Option<Vec<_>> = (0..runs).map(|_| cost::once(&mut site.command(command)).ok()).collect();
            let costs = costs.filter(|costs| costs.iter().all(|cost| cost.status.success()));
            let name = format!("{command} --all: {size}");
            let per = |figures: Option<Figures>| figures.map(|figures| figures.per(size));
            let wall = costs.as_deref().and_then(cost::wall);
            sheet.row(&format!("{name}, wall"), "ms", wall, None, None);
            let cpu = per(costs.as_deref().and_then(cost::cpu));
            let median = sheet.row(&format!("{name}, CPU an instance"), "ms", cpu, one, None);
            one = one.or(median);
        }
    }
    for command in ["oc-probe", "oc-heal"] {
        let mut base = None;
        for (slow, name) in [(None, "all quick"), (Some(SLOW), "one takes 2 s")] {
            let site = Site::new(50, slow);
            drop(cost::once(&mut site.command("oc-heal")));
            let times: Option<Vec<f64>> = (0..RUNS).map(|_| site.others_done(command)).collect();
            let name = format!("{command} --all: 50, {name}: the other 49");
            let median = sheet.row(&name, "ms", times.and_then(Figures::of), base, None);
            base = base.or(median);
        }
    }
}

struct Site {
    env: TestEnv,
    size: usize,
    _server: oc_testkit::Running,
}

impl Site {
    /// All at one server; the last of them at a slow one, if so wanted.
    fn new(size: usize, slow: Option<u64>) -> Self {
        let mut env = TestEnv::new();
        env.unset("OC_STATE_DIR");
        let port = free_port();
        let server = env.cmd("bench-serve").arg(port.to_string()).spawn();
        wait_until("the server answers", Duration::from_secs(10), || {
            crate::recovery::pid_at(port).is_some()
        });
        let slow = slow.map(slow_server);
        let generic = |port: u16| json!({"service": {"kind": "generic", "manager": "embedded"}, "probe": {"url": format!("http://127.0.0.1:{port}")}});
        let mut instances = Map::new();
        for n in 1..size {
            let at = slow.filter(|_| n + 1 == size).unwrap_or(port);
            instances.insert(format!("s{n:04}"), generic(at));
        }
        let mut config = generic(port);
        config["instances"] = Value::Object(instances);
        env.oc_config(&config);
        Self {
            env,
            size,
            _server: server,
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = match program {
            "oc-heal" => self.env.std_command(scripts().join(program)),
            _ => self.env.std_command(bin(program)),
        };
        command.arg("--all");
        command
    }

    /// Milliseconds until all but the slow one are done.
    fn others_done(&self, program: &str) -> Option<f64> {
        let begun = jiff::Timestamp::now().as_millisecond();
        let ends: Vec<i64> = match program {
            "oc-probe" => {
                let output = self.command(program).arg("--json").output().ok()?;
                let answer: Value = serde_json::from_slice(&output.stdout).ok()?;
                let reports = answer["instances"].as_array()?;
                reports
                    .iter()
                    .filter_map(|report| report["stamp"]["wall_ms"].as_i64())
                    .collect()
            }
            _ => {
                cost::once(&mut self.command(program)).ok()?;
                (0..self.size).filter_map(|n| self.pass_end(n)).collect()
            }
        };
        if ends.len() < self.size {
            return None;
        }
        let mut ends: Vec<f64> = ends
            .into_iter()
            .map(|end| i32::try_from(end - begun).map_or(f64::INFINITY, f64::from))
            .collect();
        ends.sort_by(f64::total_cmp);
        ends.get(self.size - 2).copied()
    }

    fn pass_end(&self, n: usize) -> Option<i64> {
        let dir = match n {
            0 => ".openclaw".to_owned(),
            n => format!(".openclaw-s{n:04}"),
        };
        let run = std::fs::read(self.env.path(dir).join("watchdog/run/run.json")).ok()?;
        let run: Value = serde_json::from_slice(&run).ok()?;
        Some(run["started"]["wall_ms"].as_i64()? + run["took_ms"].as_i64()?)
    }
}

/// Answers, but takes its time. Ends with us.
fn slow_server(ms: u64) -> u16 {
    let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else {
        return 0;
    };
    let port = listener.local_addr().map_or(0, |address| address.port());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(ms));
                // A client that breaks off is its own loss.
                drop(stream.read(&mut [0; 4096]));
                drop(stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
            });
        }
    });
    port
}
