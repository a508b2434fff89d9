//! Looks at the service and says in one of four words (the Nagios states) how it is. Changes nothing, ever.
//!
//! One look is an [`attempt`]: it runs the [`checks`], each of which only observes, and hands what they saw to
//! [`classify`], which is pure. [`watch`] looks again where one look is not enough; [`all`] looks at every instance.
//!
//! On a healthy service an attempt is a few HTTP requests and a few files: no service manager is asked, /proc is not
//! scanned, no configuration is parsed. Only when something is wrong does it look around for the reason.

pub mod all;
pub mod attempt;
pub mod checks;
pub mod classify;
pub mod cli;
pub mod expect;
pub mod fields;
pub mod nagios;
pub mod package;
pub mod past;
pub mod subject;
pub mod summary;
pub mod table;
pub mod watch;

use cli::Cli;
use oc_core::fault::Result;
use oc_core::report::Report;
use oc_core::run::{Answer, Common, Tool};
use subject::Subject;

/// Name and version of the report's body.
pub const SCHEMA: &str = "oc.probe/1";

impl Tool for Cli {
    const NAME: &'static str = "oc-probe";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> Result<Answer> {
        if self.all {
            return all::run(&self);
        }
        let subject = Subject::open(&self, None)?;
        let report = watch::watch(&subject, &self.patience(&subject));
        let answer = answer(&report)?;
        if !self.output.is_empty() {
            let envelope =
                serde_json::to_value(answer.envelope(Self::NAME, subject.name())).map_err(oc_core::Fault::internal)?;
            let text = fields::pick(&envelope, &self.output)?;
            return Ok(answer.text(text));
        }
        let text = if !self.common.wants_words() {
            String::new()
        } else if self.nagios {
            nagios::line(&subject, &report)
        } else {
            table::render(&subject, &report, self.common.color.enabled())
        };
        Ok(answer.text(text))
    }
}

/// The answer that a report amounts to.
///
/// # Errors
/// 70 when it cannot be turned into JSON.
pub fn answer(report: &Report) -> Result<Answer> {
    let health = report.health();
    Answer::new(SCHEMA, health.exit(), health.name(), report)
}
