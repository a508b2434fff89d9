//! What install registered: loaded, enabled, and as it was recorded.

use super::{Line, Scene};
use crate::install::manager::registered;
use crate::registration::{Difference, Job};
use oc_core::report::ManagerKind;

const MEND: &str = "oc-guardian ensure";

pub(super) fn check(scene: &Scene<'_>) -> Vec<Line> {
    match &scene.record {
        Err(fault) => vec![Line::fault("jobs", fault)],
        Ok(None) if scene.manager == ManagerKind::Embedded => {
            vec![Line::skip(
                "jobs",
                "nothing is installed: the embedded supervisor starts the passes",
            )]
        }
        Ok(None) => vec![Line::fail(
            "jobs",
            "nothing is installed: no pass comes by itself",
            "oc-guardian install",
        )],
        Ok(Some(record)) => record.jobs.iter().map(one).collect(),
    }
}

fn one(job: &Job) -> Line {
    let name = format!("{}: {}", job.kind.name(), job.name);
    if let Some((file, difference)) = job.differences().into_iter().next() {
        let path = file.path.display();
        match difference {
            Difference::Missing => return Line::fail("jobs", format!("{name}: {path} is gone"), MEND),
            Difference::Changed => return Line::warn("jobs", format!("{name}: {path} is not as recorded"), MEND),
            Difference::Unreadable(why) => return Line::fail("jobs", format!("{name}: {path}: {why}"), MEND),
        }
    }
    if registered(job) {
        Line::ok("jobs", format!("{name} is loaded"))
    } else {
        Line::fail("jobs", format!("{name} is not loaded, or not enabled"), MEND)
    }
}
