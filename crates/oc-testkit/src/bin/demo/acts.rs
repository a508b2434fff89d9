//! The acts. Each hurts the gateway in one way and returns when it healed as promised.

use crate::stage::Stage;
use crate::timeline::{Row, Timeline};
use oc_testkit::trial::{Result, Stop};
use std::time::Duration;

pub(crate) fn all(stage: &mut Stage, timeline: &mut Timeline) -> Result<()> {
    introduce(stage);
    start(stage, timeline)?;
    killed(stage, timeline)?;
    hung(stage, timeline)?;
    crash_loop(stage, timeline)?;
    stopped_on_purpose(stage, timeline)
}

fn introduce(stage: &Stage) {
    let screen = stage.screen;
    screen.title("oc heals a gateway");
    screen.plain(&format!(
        "gateway   {} on port {}",
        stage.gateway.name(),
        stage.service.port
    ));
    screen.plain(&format!(
        "HOME      {} (thrown away at the end)",
        stage.service.env.home().display()
    ));
    screen.plain(&format!(
        "settings  scaled by config.json so that you need not wait: a pass every 1 s (default 10 s), hung after {}",
        stage.gateway.hang_after()
    ));
    screen.plain("          without a byte (45 s), backoff 1, 2, 4 s (10, 30, 90, ... s), healthy after 1 s (10 s)");
    screen.plain("columns   seconds, step, who did it, what");
}

fn start(stage: &mut Stage, timeline: &mut Timeline) -> Result<()> {
    stage.screen.title("Start");
    let at = stage.elapsed();
    stage.act("oc-guardian supervise -- openclaw gateway run");
    stage.supervise();
    let served = stage.serves_again(None)?;
    timeline.add(Row {
        at,
        what: "first start".to_owned(),
        detected: None,
        served: Some(served),
        how: "the service's own start".to_owned(),
    });
    Ok(())
}

fn killed(stage: &mut Stage, timeline: &mut Timeline) -> Result<()> {
    let kills = stage.gateway.kills();
    stage.screen.title(&format!("Act 1: kill -9, {kills} in a row"));
    let at = stage.elapsed();
    let (mut detected, mut served) = (Vec::new(), Vec::new());
    for _ in 0..kills {
        let pid = running(stage)?;
        let since = stage.act(&format!("kill -9 {pid}"));
        stage.kill(pid);
        served.push(stage.serves_again(Some(pid))?);
        detected.push(stage.hears(&["exited"], since)?);
    }
    timeline.add(Row {
        at,
        what: format!("kill -9, {kills} in a row (median)"),
        detected: Some(median(&mut detected)),
        served: Some(median(&mut served)),
        how: "level 0: the supervisor, at once; no attempt of the ladder".to_owned(),
    });
    stage.all_quiet()
}

fn hung(stage: &mut Stage, timeline: &mut Timeline) -> Result<()> {
    stage
        .screen
        .title("Act 2: the event loop hangs; connections are accepted and get no byte");
    let at = stage.elapsed();
    let pid = running(stage)?;
    let since = stage.act(&format!("blocks the event loop of {pid}"));
    stage.gateway.hang(&stage.service.env, pid);
    let served = stage.serves_again(Some(pid))?;
    let detected = stage.hears(&["incident_opened"], since)?;
    stage.hears(&["incident_closed"], since)?;
    timeline.add(Row {
        at,
        what: "hang".to_owned(),
        detected: Some(detected),
        served: Some(served),
        how: "level 1: KILL and a new process".to_owned(),
    });
    stage.all_quiet()
}

fn crash_loop(stage: &mut Stage, timeline: &mut Timeline) -> Result<()> {
    stage
        .screen
        .title("Act 3: from now on it dies at every start: the ladder, up to a human");
    let at = stage.elapsed();
    let pid = running(stage)?;
    let since = stage.act(&format!("breaks every start, then kill -9 {pid}"));
    stage.gateway.break_starts(&stage.service.env);
    stage.kill(pid);
    let detected = stage.hears(&["incident_opened"], since)?;
    let asked = stage.hears(&["human_needed"], since)?;
    timeline.add(Row {
        at,
        what: "dies at every start".to_owned(),
        detected: Some(detected),
        served: None,
        how: format!("every rung tried, a human asked after {:.1} s", asked.as_secs_f64()),
    });
    let at = stage.elapsed();
    let since = stage.act("a human takes the cause away");
    stage.gateway.mend(&stage.service.env);
    let served = stage.serves_again(Some(pid))?;
    stage.hears(&["incident_closed"], since)?;
    timeline.add(Row {
        at,
        what: "the cause is gone".to_owned(),
        detected: None,
        served: Some(served),
        how: "it never stopped trying".to_owned(),
    });
    stage.all_quiet()
}

fn stopped_on_purpose(stage: &mut Stage, timeline: &mut Timeline) -> Result<()> {
    /// As many passes look at the stopped gateway before it is believed that it is left alone.
    const LOOKS: usize = 3;
    stage.screen.title("Act 4: a person stops it: left alone");
    let at = stage.elapsed();
    let since = stage.act("oc-guardian stop --reason 'new disk'");
    accepted("stop", &stage.person(&["stop", "--reason", "new disk"]))?;
    let (mut passes, mut last, mut touched) = (0, stage.service.pass(), false);
    stage.wait("three passes look at it", |stage| {
        touched |= stage.service.is_ready();
        let now = stage.service.pass();
        if now.is_some() && now != last {
            passes += 1;
            last = now;
        }
        // The pass after the last one that counts has begun, so that one is over.
        passes > LOOKS || touched
    })?;
    let acted = stage
        .ladder
        .events
        .iter()
        .any(|event| event.wall_ms > since && event.kind == "attempt");
    if touched || acted {
        return Err(Stop::Broken(
            "a gateway that was stopped on purpose was started again".to_owned(),
        ));
    }
    timeline.add(Row {
        at,
        what: "stopped on purpose".to_owned(),
        detected: None,
        served: None,
        how: format!("left alone by {LOOKS} passes"),
    });
    let at = stage.elapsed();
    stage.act("oc-guardian start");
    let begun = std::time::Instant::now();
    accepted("start", &stage.person(&["start"]))?;
    stage.serves_again(None)?;
    timeline.add(Row {
        at,
        what: "started again".to_owned(),
        detected: None,
        served: Some(begun.elapsed()),
        how: "a person's will".to_owned(),
    });
    Ok(())
}

fn running(stage: &Stage) -> Result<u32> {
    stage
        .service
        .pid()
        .ok_or_else(|| Stop::Broken("the supervisor knows no process".to_owned()))
}

fn accepted(verb: &str, output: &oc_testkit::Output) -> Result<()> {
    match output.code {
        0 => Ok(()),
        code => Err(Stop::Broken(format!(
            "oc-guardian {verb} exited with {code}: {}",
            output.stderr
        ))),
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
