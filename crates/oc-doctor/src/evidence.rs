//! What is known about how the service takes its configuration: is it serving, how did it last end, was that its answer
//! to this very content.

use crate::disk::OnDisk;
use crate::finding::Finding;
use oc_core::fault::Result;
use oc_core::fsx;
use oc_core::http;
use oc_core::identity::Identity;
use oc_core::report::{Report, ServiceExit};
use oc_core::service::embedded;
use oc_core::world::World;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// The service's own word for "my configuration does not let me run".
pub const EX_CONFIG: i32 = 78;

/// What is known.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What oc-probe saw, in this pass or in the file given.
    pub report: Option<Report>,
    /// How the service's process last ended.
    pub last_exit: Option<ServiceExit>,
    /// The process that runs now.
    pub identity: Option<Identity>,
    /// What the service's own validation objects to, with the value that it objects to.
    pub issues: Vec<(Finding, Option<Value>)>,
    /// Whether it answered when we asked ourselves, because no probe report was at hand.
    pub answered: Option<bool>,
}

impl Evidence {
    /// Gathers it: the report given, else that of the pass we are a step of, else what the embedded supervisor says. No
    /// process is started.
    ///
    /// # Errors
    /// 65, 74 or 77 when a report was given and cannot be used.
    pub fn gather(world: &World, probe: Option<&Path>) -> Result<Self> {
        let report = match probe {
            Some(path) => Some(read_report(path)?),
            None => {
                std::env::var_os("OC_RUN_DIR").and_then(|dir| read_report(&Path::new(&dir).join("probe.json")).ok())
            }
        };
        let status = embedded::Dir::new(world.paths.supervise()).view();
        let last_exit = report
            .as_ref()
            .and_then(|r| r.last_exit().cloned())
            .or_else(|| status.last_exit().cloned());
        let seen = report.as_ref().and_then(|r| r.identity.clone());
        // Who was seen may have ended since, and its successor run.
        let identity = seen.filter(Identity::alive).or(status.identity.filter(Identity::alive));
        Ok(Self {
            report,
            last_exit,
            identity,
            ..Self::default()
        })
    }

    /// Whether the service refused this very content: it ended with 78 after the file last changed.
    #[must_use]
    pub fn refused(&self, file: &OnDisk) -> bool {
        let (Some(exit), Some(changed)) = (&self.last_exit, file.changed_ms) else {
            return false;
        };
        exit.status == Some(EX_CONFIG) && exit.at.wall_ms >= changed
    }

    /// Whether the last probe found it serving, be it degraded; `None` when nobody looked.
    #[must_use]
    pub fn serving(&self) -> Option<bool> {
        use oc_core::class::Health;
        let reported = self
            .report
            .as_ref()
            .map(|r| matches!(r.health(), Health::Healthy | Health::Degraded));
        reported.or(self.answered)
    }

    /// Asks the service itself, unless a probe has done so: `fix` by hand needs to know.
    pub fn ask(&mut self, world: &World, limit: Duration) {
        if self.report.is_some() {
            return;
        }
        self.answered = answers(world, limit);
    }
}

/// Whether the service says at this moment that it lives; `None` when it stays silent.
#[must_use]
pub fn answers(world: &World, limit: Duration) -> Option<bool> {
    let probe = &world.config.probe;
    let limits = http::Limits {
        total: limit,
        body_cap: 4096,
    };
    match http::Target::parse(&probe.url).map(|t| http::get(&t, &probe.liveness_path, limits)) {
        Ok(Ok(response)) => Some(response.status == 200),
        Ok(Err(failure)) if failure.trouble == http::Trouble::Refused => Some(false),
        _ => None,
    }
}

/// Reads a report of oc-probe, with or without its envelope.
///
/// # Errors
/// 65 when it is none, 74 or 77 when it cannot be read.
pub fn read_report(path: &Path) -> Result<Report> {
    let bytes = if path == Path::new("-") {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        std::io::stdin()
            .take(4 << 20)
            .read_to_end(&mut bytes)
            .map_err(|e| oc_core::Fault::io("read", path, e))?;
        bytes
    } else {
        fsx::read_capped(path, 4 << 20)?
            .ok_or_else(|| oc_core::Fault::io("read", path, std::io::Error::from(std::io::ErrorKind::NotFound)))?
    };
    oc_core::report::parse::<Report>(&bytes, "probe report").map(|envelope| envelope.body)
}
