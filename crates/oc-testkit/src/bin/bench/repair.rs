//! Level 2: somebody deletes a required key, and the gateway ends. It exits with 78 as often as it is started, which the
//! supervisor reports; the doctor puts the key back.

use crate::figures::Figures;
use crate::recovery::{gateway_config, gateway_start, serves_again, supervised_gateway};
use crate::sheet::Sheet;
use oc_testkit::Signal;
use std::time::Instant;

/// A gateway each.
const RUNS: usize = 3;
/// Beyond the gateway's own start, milliseconds.
const REPAIR: f64 = 2000.0;

pub(crate) fn configuration(sheet: &mut Sheet) {
    sheet.group("a required key is deleted, the gateway ends: to serving");
    let own = sheet.row("the stand-in gateway's own start", "ms", gateway_start(), None, None);
    let times = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..RUNS).map(|_| scope.spawn(one)).collect();
        runs.into_iter().map(|run| run.join().ok()?).collect::<Option<Vec<_>>>()
    });
    sheet.row(
        "oc-guardian supervise, oc-doctor fix; all defaults",
        "ms",
        times.and_then(Figures::of),
        None,
        own.map(|own| own + REPAIR),
    );
}

fn one() -> Option<f64> {
    let service = supervised_gateway();
    let broken = gateway_config(service.port).replace("    \"mode\": \"local\",\n", "");
    service.env.write(".openclaw/openclaw.json", broken);
    let old = service.pid()?;
    let begun = Instant::now();
    service.env.signal(old, Signal::KILL);
    serves_again(&service, old, begun)
}
