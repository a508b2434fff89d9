//! `incident --run DIR`: what this pass makes news. Called at the end of every pass that was not simply healthy.

use super::pass::{self, Pass};
use super::{answer, dry, posting, preview};
use crate::compose;
use crate::desk::Desk;
use crate::memory::{Memory, Stage};
use crate::outbox::{Held, Posting, direct, flush};
use crate::rules::{self, News, Scene};
use oc_core::class::Class;
use oc_core::fault::{Fault, Result};
use oc_core::run::{Answer, Common};
use oc_core::story::{Story, Teller};
use std::path::Path;
use std::time::Duration;

/// Of the journal this many events are looked at: weeks of an unhealthy service.
const EVENTS: usize = 5000;
/// The same notice is told once in this time, even if oc-escalate forgot that it told it.
const ONCE: Duration = Duration::from_secs(600);

/// See the module.
///
/// # Errors
/// 74, 77, 78; 65 when the directory holds no pass.
pub(crate) fn incident(common: &Common, dir: &Path) -> Result<Answer> {
    let desk = Desk::open(common)?;
    if !dir.is_dir() {
        return Err(Fault::data(format_args!("{} is no directory of a pass", dir.display()))
            .hint("oc-heal passes its run directory; an old one lies under incidents/"));
    }
    let pass = Pass::read(dir, &desk.paths);
    let mut held = Held::take(&desk)?;
    let (postings, suppressed_by) = plan(&desk, &mut held.memory, &pass)?;
    if common.dry_run {
        let payloads = postings
            .iter()
            .flat_map(|p| preview::payloads(&desk, &p.message, &p.channels))
            .collect();
        return dry(&desk, pass.incident.as_deref().unwrap_or(""), payloads, suppressed_by);
    }
    let mut all: Vec<Posting> = refresh(&desk, &mut held.memory);
    let ids: Vec<String> = postings
        .iter()
        .filter(|p| !p.channels.is_empty())
        .map(|p| p.message.message().id.clone())
        .collect();
    all.extend(postings);
    // Also without news of our own: what waits is delivered by every pass.
    let deliveries = match held.post(&all) {
        Ok(()) => flush(&desk)?,
        Err(fault) => direct(&desk, &all, fault)?,
    };
    answer(&desk, &ids, deliveries, suppressed_by.filter(|_| ids.is_empty()))
}

fn plan(desk: &Desk, memory: &mut Memory, pass: &Pass) -> Result<(Vec<Posting>, Option<&'static str>)> {
    let mut stories = stories(desk)?;
    let known = pass::open_incident(&desk.paths);
    let id = known.as_ref().map(|s| s.id.clone()).or_else(|| pass.incident.clone());
    let found = id.and_then(|id| stories.iter().position(|s| s.id == id && s.closed.is_none()));
    let open = found
        .map(|at| stories.remove(at))
        .or(known.filter(|k| !stories.iter().any(|s| s.id == k.id)));
    // A thread that is open here and closed in the journal: its end is told, whoever missed it.
    stories.retain(|s| s.closed.is_some() && worth(memory, s, pass));
    let woke = pass::woke(&desk.paths);
    if let Some(id) = &pass.incident {
        let opened = open
            .as_ref()
            .or(stories.iter().find(|s| s.id == *id))
            .map_or(&desk.now, |s| &s.opened);
        pass::learn(&desk.paths, memory, pass, opened);
    }
    let scene = Scene {
        now: &desk.now,
        settings: &desk.config.notify,
        open: open.as_ref(),
        over: &stories,
        exhausted: pass.exhausted,
        starting: pass.brief.class == Some(Class::Starting),
        woke: woke.as_ref(),
    };
    let news = rules::news(memory, &scene);
    let mut postings = Vec::new();
    let mut held_back = false;
    for news in &news {
        match tell(desk, memory, pass, news) {
            Some(posting) => postings.push(posting),
            None => held_back = true,
        }
    }
    let quiet_until = woke.map(|at| at.plus(desk.config.notify.quiet_after_wake.get()));
    for notice in &pass.notices {
        let key = if notice.key == rules::FLAPPING {
            rules::FLAPPING.to_owned()
        } else {
            format!("notice/{}", notice.key)
        };
        // The alert that a person is needed says the same, and more.
        let doubled = pass.exhausted && notice.severity == crate::message::Severity::Critical;
        if doubled || rules::repeated(memory, &key, ONCE, &desk.now) {
            continue;
        }
        let message = compose::notice(
            desk,
            &notice.key,
            notice.severity,
            &notice.text,
            pass.brief.command.as_deref(),
        );
        match posting(desk, memory, message) {
            Some(posting) => postings.push(Posting {
                not_before: quiet_until.clone(),
                ..posting
            }),
            None => held_back = true,
        }
    }
    let suppressed_by = match (news.is_empty() && pass.notices.is_empty(), held_back) {
        (_, true) => "too many messages within ten minutes",
        (true, _) => "nothing new",
        _ => "already told",
    };
    Ok((postings, Some(suppressed_by)))
}

/// Whether the end of an incident may still have to be told: we began to tell it, or this pass ended it.
fn worth(memory: &Memory, story: &Story, pass: &Pass) -> bool {
    match memory.threads.get(&story.id) {
        Some(thread) => thread.stage != Stage::Over,
        None => pass.incident.as_deref() == Some(&story.id),
    }
}

pub(super) fn stories(desk: &Desk) -> Result<Vec<Story>> {
    let mut teller = Teller::default();
    for event in desk.journal.recent(EVENTS)? {
        teller.hear(&event);
    }
    Ok(teller.stories())
}

pub(super) fn tell(desk: &Desk, memory: &mut Memory, pass: &Pass, news: &News) -> Option<Posting> {
    let mut brief = pass.brief.clone();
    let other = news
        .story
        .as_ref()
        .is_some_and(|s| Some(s.id.as_str()) != pass.incident.as_deref());
    if other || news.event == crate::message::Event::Healed {
        // What is seen now is not what that incident was about.
        brief.class = None;
    }
    brief.held = memory.held;
    let posting = posting(desk, memory, compose::incident(desk, news, &brief))?;
    memory.held = 0;
    let key = news.key.clone();
    if let Some(thread) = memory.threads.get_mut(&key) {
        thread.last = Some(posting.message.clone());
        thread.refreshed = Some(desk.now.clone());
    }
    Some(posting)
}

/// Alerts that expire are told again while their incident lasts.
pub(super) fn refresh(desk: &Desk, memory: &mut Memory) -> Vec<Posting> {
    let channels: Vec<&'static str> = desk.channels.iter().filter(|c| c.expires()).map(|c| c.name()).collect();
    if channels.is_empty() {
        return Vec::new();
    }
    let mut postings = Vec::new();
    for thread in memory
        .threads
        .values_mut()
        .filter(|t| t.stage < Stage::Over && !t.muted)
    {
        let due = thread
            .refreshed
            .as_ref()
            .is_none_or(|at| desk.now.since(at) >= Duration::from_secs(60));
        if let (true, Some(last)) = (due, &thread.last) {
            thread.refreshed = Some(desk.now.clone());
            let mut message = last.message().clone();
            message.at = desk.now.rfc3339();
            message.id = format!("{}@{}", message.id, desk.now.wall_ms);
            postings.push(Posting {
                message: desk.seal(message),
                channels: channels.clone(),
                not_before: None,
            });
        }
    }
    postings
}
