//! `status`: what the service manager knows. Reads only.

use super::{stopped_sentence, told_to_openclaw};
use crate::backend::Backend;
use oc_core::clock::Stamp;
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::identity::Identity;
use oc_core::intent::{Intent, Maintenance, Stopped};
use oc_core::report::{ManagerKind, ServiceState, ServiceView};
use oc_core::run::Answer;
use oc_core::world::World;
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Body {
    #[serde(flatten)]
    service: ServiceView,
    supervisor: Option<Identity>,
    wanted: bool,
    starts: u64,
    stopped: Option<Stopped>,
    maintenance: Option<Maintenance>,
    recipe: Option<Vec<String>>,
    obstacle: Option<String>,
    second_owner: Option<String>,
}

/// See the module.
///
/// # Errors
/// 70 when it cannot be turned into JSON.
pub fn run(world: &World) -> Result<Answer> {
    let backend = Backend::of(world);
    let intent = Intent::peek(&world.paths.intent())?;
    let (status, supervised, recipe) = match &backend {
        Backend::Embedded(embedded) => (embedded.status(), embedded.supervised(), embedded.recipe()),
        Backend::Launchd(_) | Backend::Systemd(_) => (None, false, None),
    };
    let obstacle = backend.obstacle();
    let service = backend.view();
    let stopped = intent.stopped.clone().or_else(|| told_to_openclaw(world, &service));
    let body = Body {
        supervisor: status.as_ref().map(|s| s.supervisor.clone()).filter(|_| supervised),
        wanted: status.as_ref().is_none_or(|s| s.wanted) && stopped.is_none(),
        starts: status.as_ref().map_or(0, |s| s.starts),
        maintenance: intent.maintenance_now(&Stamp::now()).cloned(),
        stopped,
        service,
        recipe: recipe.map(|r| r.argv),
        second_owner: obstacle.is_none().then(|| backend.second_owner()).flatten(),
        obstacle,
    };
    let (exit, verdict) = match body.service.state {
        ServiceState::Running => (Exit::Good, "running"),
        ServiceState::Starting => (Exit::Answer(1), "starting"),
        ServiceState::Stopping => (Exit::Answer(1), "stopping"),
        ServiceState::Stopped => (Exit::Answer(2), "stopped"),
        _ if body.stopped.is_some() => (Exit::Answer(2), "stopped"),
        ServiceState::Unregistered => (Exit::Answer(4), "unregistered"),
        ServiceState::Unknown => (Exit::Answer(3), "unknown"),
        _ => (Exit::Answer(3), "failed"),
    };
    let text = describe(&body, verdict);
    Ok(Answer::new("oc.guardian.status/1", exit, verdict, &body)?.text(text))
}

fn describe(body: &Body, verdict: &str) -> String {
    let mut lines = vec![match &body.service.identity {
        Some(process) => format!("service     {verdict}, pid {}", process.pid),
        None => format!("service     {verdict}"),
    }];
    if body.service.manager == ManagerKind::Embedded {
        lines.push(match &body.supervisor {
            Some(supervisor) => format!("supervisor  pid {}, {} starts so far", supervisor.pid, body.starts),
            None if body.service.state == ServiceState::Stopped => {
                "supervisor  not running; `oc-guardian start` starts it and the service".to_owned()
            }
            None if body.recipe.is_some() => "supervisor  not running; `oc-guardian ensure` puts it back".to_owned(),
            None => "supervisor  none was ever started here".to_owned(),
        });
    }
    for trouble in [&body.obstacle, &body.second_owner].into_iter().flatten() {
        lines.push(format!("obstacle    {trouble}"));
    }
    if let Some(at) = &body.service.next_start_at {
        let times = body.service.never_ready_in_a_row;
        lines.push(format!(
            "next start  {at}, after {times} in a row that were never ready"
        ));
    }
    if let Some(exit) = body.service.last_exit() {
        let how = match (exit.status, exit.signal) {
            (Some(code), _) => format!("status {code}"),
            (_, Some(signal)) => format!("signal {signal}"),
            _ => "unknown".to_owned(),
        };
        lines.push(format!("last end    {}, {how}", exit.at.rfc3339()));
    }
    if let Some(stopped) = &body.stopped {
        lines.push(format!("intent      {}", stopped_sentence(stopped)));
    }
    if let Some(maintenance) = &body.maintenance {
        let reason = maintenance.reason.as_deref().unwrap_or("no reason given");
        lines.push(format!("intent      maintenance: {reason}"));
    }
    lines.push(String::new());
    lines.join("\n")
}
