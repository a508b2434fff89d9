//! Optional checks of what lies behind the service: a channel, an upstream API, the age of the last message.

use super::check;
use crate::expect::{self, Miss};
use oc_core::clock::{Deadline, Stamp};
use oc_core::config::{Deep, DeepAction, Probe};
use oc_core::http::{Limits, Target, remote};
use oc_core::proc::{Cmd, Ended};
use oc_core::report::{Check, CheckStatus};

/// Runs one. It fails only when it was really carried out: a program that cannot be started, or a request that we cannot
/// send, says nothing about the service.
#[must_use]
pub fn look(deep: &Deep, probe: &Probe, target: &Target, overall: &Deadline) -> Check {
    let (status, actual) = match (&deep.url, &deep.command) {
        (Some(url), _) => request(deep, url, probe, target, overall),
        (None, Some(command)) => run(deep, command, overall),
        (None, None) => (CheckStatus::Skip, "has neither url nor command".to_owned()),
    };
    let mut line = check(&deep.name, status, expected(deep), actual);
    line.critical = deep.action == DeepAction::Restart;
    line
}

fn expected(deep: &Deep) -> String {
    let what = match (&deep.url, &deep.command) {
        // The query may carry a token.
        (Some(url), _) => url.split(['?', '#']).next().unwrap_or("").to_owned(),
        (None, Some(command)) => command.first().cloned().unwrap_or_default(),
        (None, None) => String::new(),
    };
    format!("{what} as expected within {}", deep.timeout)
}

fn request(deep: &Deep, url: &str, probe: &Probe, target: &Target, overall: &Deadline) -> (CheckStatus, String) {
    use oc_core::http::Trouble;
    let ours = url.starts_with('/');
    let bearer = probe
        .token
        .as_ref()
        .filter(|_| ours)
        .map(|token| format!("Bearer {}", token.expose()));
    let headers: Vec<(&str, &str)> = bearer.iter().map(|value| ("Authorization", value.as_str())).collect();
    let url = if ours { target.url(url) } else { url.to_owned() };
    let limits = Limits {
        total: deep.timeout.get().min(overall.left()),
        body_cap: usize::try_from(probe.body_cap.get()).unwrap_or(usize::MAX),
    };
    match remote::request("GET", &url, &headers, None, limits) {
        Ok(answer) => match expect::met(&deep.expect, answer.status, &answer.body, &Stamp::now()) {
            Ok(()) => (CheckStatus::Ok, answer.status.to_string()),
            Err(Miss::Status) => (
                CheckStatus::Fail,
                format!("{} {}", answer.status, expect::excerpt(&answer.body)),
            ),
            Err(Miss::Body(miss)) => (CheckStatus::Fail, format!("the body {miss}")),
        },
        Err(failure) if failure.trouble == Trouble::Ourselves => (CheckStatus::Warn, failure.what),
        Err(failure) => (CheckStatus::Fail, failure.what),
    }
}

fn run(deep: &Deep, command: &[String], overall: &Deadline) -> (CheckStatus, String) {
    let Some((program, arguments)) = command.split_first() else {
        return (CheckStatus::Skip, "the command is empty".to_owned());
    };
    let output = Cmd::new(program)
        .args(arguments)
        .timeout(deep.timeout.get().min(overall.left()))
        .cap(64 << 10)
        .run();
    let output = match output {
        Ok(output) => output,
        Err(fault) => return (CheckStatus::Warn, fault.what),
    };
    let wanted = i32::from(deep.expect.status.unwrap_or(0));
    match output.ended {
        Ended::Code(code) if code == wanted => match expect::body_met(&deep.expect, &output.stdout, &Stamp::now()) {
            Ok(()) => (CheckStatus::Ok, format!("exit status {code}")),
            Err(miss) => (CheckStatus::Fail, format!("the output {miss}")),
        },
        Ended::Code(code) => {
            let said = if output.stderr.is_empty() {
                &output.stdout
            } else {
                &output.stderr
            };
            (
                CheckStatus::Fail,
                format!("exit status {code}: {}", expect::excerpt(said)),
            )
        }
        Ended::Signal(signal) => (CheckStatus::Fail, format!("killed by signal {signal}")),
        Ended::Deadline => (CheckStatus::Fail, format!("not finished after {}", deep.timeout)),
    }
}
