//! `heartbeat`: what the guardian's pass does for people even when nothing is wrong: the dead-man's switch is pinged,
//! the outbox flushed, ends of incidents that no pass told are told, alerts that expire told again, and what is due by the
//! day is sent.

use super::incident::refresh;
use super::untold::untold;
use super::{answer, forecast, posting};
use crate::channels::{Call, Request, wire};
use crate::compose;
use crate::desk::Desk;
use crate::memory::Memory;
use crate::message::Message;
use crate::outbox::{Held, Posting, direct, flush};
use crate::rules;
use oc_core::config::{Digest, Secret};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::lock;
use oc_core::proc::Cmd;
use oc_core::run::{Answer, Common};
use serde_json::{Value, json};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// No pass of healing should hold the lock for longer.
const BUSY: Duration = Duration::from_secs(600);

/// See the module.
///
/// # Errors
/// 74, 77, 78. A ping that fails is an answer (1).
pub(crate) fn heartbeat(common: &Common, start: bool, status: u8) -> Result<Answer> {
    let desk = Desk::open(common)?;
    let suffix = if start {
        "/start".to_owned()
    } else {
        format!("/{status}")
    };
    if common.dry_run {
        let text = format!("would ping the dead-man's switch at (set){suffix} and flush the outbox\n");
        let body = json!({"key": "heartbeat", "deliveries": [], "suppressed_by": null, "dry_run": true});
        return Ok(Answer::new(super::SCHEMA, Exit::Good, "dry_run", &body)?.text(text));
    }
    if start {
        return ended(&desk, ping(&desk, &suffix), Vec::new(), Vec::new());
    }
    let due = match Held::take(&desk) {
        Ok(held) => Ok((digest_due(&desk, &held.memory), forecast::due(&held.memory, &desk.now))),
        Err(fault) if matches!(fault.exit, Exit::Io | Exit::Permission) => return unwritable(&desk, fault),
        Err(fault) => Err(fault),
    };
    let pinged = ping(&desk, &suffix);
    let (due, foresee) = due?;
    // Written by another tool, hence before the memory is held.
    let digest = due.and_then(|since| report(&desk, &["digest", "--since", since]));
    let foreseen = foresee.then(|| report(&desk, &["forecast", "--json"]));
    let mut held = Held::take(&desk)?;
    let mut messages = Vec::new();
    messages.extend(busy(&desk, &mut held.memory));
    if due.is_some() {
        held.memory.digest = Some(desk.now.clone());
        messages.extend(digest.map(|text| compose::digest(&desk, &text)));
    }
    if let Some(answer) = foreseen {
        messages.extend(forecast::warnings(
            &desk,
            &mut held.memory,
            answer.as_deref().unwrap_or_default(),
        ));
    }
    messages.extend(quick(&desk, &mut held.memory));
    let mut postings = untold(&desk, &mut held.memory)?;
    postings.extend(refresh(&desk, &mut held.memory));
    let ids: Vec<String> = messages.iter().map(|m: &Message| m.id.clone()).collect();
    for message in messages {
        postings.extend(posting(&desk, &mut held.memory, message));
    }
    held.post(&postings)?;
    let deliveries = flush(&desk)?;
    ended(&desk, pinged, ids, deliveries)
}

/// No pass begins either, so that no pass tells it.
fn unwritable(desk: &Desk, fault: Fault) -> Result<Answer> {
    let pinged = ping(desk, &format!("/{}", fault.exit.code()));
    let message = compose::unwritable(desk, &fault.what);
    let id = message.id.clone();
    let posting = Posting {
        channels: desk.route(message.severity),
        message: desk.seal(message),
        not_before: None,
    };
    let deliveries = direct(desk, &[posting], fault)?;
    let ids = if deliveries.is_empty() { Vec::new() } else { vec![id] };
    ended(desk, pinged, ids, deliveries)
}

fn ended(
    desk: &Desk,
    pinged: Option<Result<(), String>>,
    ids: Vec<String>,
    deliveries: Vec<crate::outbox::Delivery>,
) -> Result<Answer> {
    let mut out = answer(desk, &ids, deliveries, None)?;
    let failed = matches!(pinged, Some(Err(_)));
    if let Some(Err(why)) = &pinged {
        out.text.push_str(&format!("heartbeat: {why}\n"));
    }
    out.body["heartbeat"] = match &pinged {
        None => Value::Null,
        Some(Ok(())) => "ok".into(),
        Some(Err(why)) => why.clone().into(),
    };
    if failed && out.exit == Exit::Good {
        (out.exit, out.verdict) = (Exit::Answer(1), "partial");
    }
    Ok(out)
}

/// Pings once; the next pass comes in three minutes, which is the retry.
fn ping(desk: &Desk, suffix: &str) -> Option<Result<(), String>> {
    let url = desk.config.notify.heartbeat_url.as_ref()?;
    let request = Request {
        method: "POST",
        url: Secret::new(format!("{}{suffix}", url.expose().trim_end_matches('/'))),
        headers: Vec::new(),
        body: json!({"instance": desk.paths.instance()}),
        best_effort: false,
    };
    let limit = desk.deadline.left().min(Duration::from_secs(5));
    Some(match wire::send(&Call::Http(request), limit) {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(format!("HTTP {}", answer.status)),
        Err(why) => Err(desk.redactor.redact(&why).into_owned()),
    })
}

/// The lock is held for longer than a pass should take: nobody would hear of it otherwise.
fn busy(desk: &Desk, memory: &mut Memory) -> Option<Message> {
    let holder = lock::holder(&desk.paths.healing_lock())?;
    let since = desk.now.since(&holder.since);
    if since < BUSY || rules::repeated(memory, "notice/busy", Duration::from_secs(4 * 3600), &desk.now) {
        return None;
    }
    let pid = holder.identity.map_or(String::new(), |i| format!(" (pid {})", i.pid));
    Some(compose::busy(desk, &format!("{}{pid}", holder.command), since))
}

/// What was healed before it was told, once a day.
fn quick(desk: &Desk, memory: &mut Memory) -> Option<Message> {
    let first = memory.quick.first()?;
    if desk.now.since(&first.at) < DAY {
        return None;
    }
    let quick = std::mem::take(&mut memory.quick);
    // The digest tells of these as well.
    (desk.config.report.digest == Digest::Off).then(|| compose::quick(desk, &quick))
}

fn digest_due(desk: &Desk, memory: &Memory) -> Option<&'static str> {
    let (pause, since) = match desk.config.report.digest {
        Digest::Off => return None,
        Digest::Daily => (DAY, "24h"),
        Digest::Weekly => (7 * DAY, "7d"),
    };
    memory
        .digest
        .as_ref()
        .is_none_or(|at| desk.now.since(at) >= pause)
        .then_some(since)
}

/// What oc-report says.
fn report(desk: &Desk, args: &[&str]) -> Option<String> {
    let limit = desk.deadline.left().min(Duration::from_secs(4));
    let mut cmd = Cmd::new(sibling("oc-report"));
    cmd.args(args)
        .args(["--instance", desk.paths.instance()])
        .env("OC_STATE_DIR", desk.paths.watchdog())
        .timeout(limit)
        .grace(Duration::from_millis(200))
        .cap(64 << 10);
    match cmd.run() {
        Ok(output) if output.ended.success() => Some(output.stdout_text()),
        Ok(output) => {
            oc_core::out::talk(format_args!(
                "oc-report {} failed: {}",
                args[0],
                output.stderr_text().trim()
            ));
            None
        }
        Err(fault) => {
            oc_core::out::talk(fault);
            None
        }
    }
}

/// The suite's tools lie beside each other; cron's PATH does not name that directory.
fn sibling(name: &str) -> std::path::PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join(name)))
        .filter(|path| path.exists())
        .unwrap_or_else(|| name.into())
}
