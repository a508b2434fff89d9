//! From findings to a repair: tries the remedies in order on a copy in memory, each judged by the checks, then makes the
//! change as one transaction.

mod carry_out;

pub use carry_out::end;

use crate::checks;
use crate::diff;
use crate::evidence::Evidence;
use crate::finding::{Finding, weight};
use crate::generations::{Candidate, Id, Reason, Store, candidates};
use crate::own_doctor;
use crate::playbook::{self, Offer};
use crate::remedies::{self, Ask, Proposal};
use crate::report::Body;
use crate::scene::Scene;
use crate::secrets;
use crate::transaction::{self, Transaction};
use crate::validate;
use oc_core::fault::Result;
use oc_core::world::World;
use std::time::Duration;

/// Remedies applied in one run, at most. Each must make things less wrong, so this is never reached in earnest.
const MAX_STEPS: usize = 200;

/// The playbook among `doctor.disabled_remedies`.
const PLAYBOOK: &str = "playbook";

/// How long `check` waits for a service that does not answer.
const CHECK_ASKS: Duration = Duration::from_millis(500);
/// How long `fix` does.
const FIX_ASKS: Duration = Duration::from_secs(2);

/// What would be done.
#[derive(Debug, Default)]
struct Plan {
    /// Steps around the configuration, in order.
    around: Vec<Proposal>,
    /// The content that the configuration would have; `None` when it stays.
    content: Option<Vec<u8>>,
    /// Sentences.
    actions: Vec<String>,
    /// The findings at the beginning, with the remedy that heals each.
    findings: Vec<Finding>,
    /// A step whose effect cannot be foreseen: look again after it.
    look_again: bool,
    /// The lesson of the playbook whose edits are part of it.
    played: Option<String>,
    /// What a person decides first.
    human_steps: Vec<String>,
}

/// Says what is wrong and which of it `fix` would mend. Changes nothing.
///
/// # Errors
/// 74 or 77 when our own index cannot be read.
pub fn check(world: &World, evidence: Evidence) -> Result<Body> {
    let mut evidence = evidence;
    evidence.ask(world, CHECK_ASKS);
    let scene = Scene::look(world, evidence);
    let plan = plan(&scene, &Store::new(&world.paths), false)?;
    Ok(Body {
        findings: plan.findings,
        human_steps: plan.human_steps,
        dry_run: world.common.dry_run,
        ..Body::default()
    })
}

/// Repairs what can be repaired and leaves the transaction open. With `--dry-run` only the plan is made.
///
/// # Errors
/// 75 when somebody else edits the configuration at the same moment, 74 or 77 when it or our own files cannot be written.
pub fn fix(world: &World, mut evidence: Evidence) -> Result<Body> {
    evidence.ask(world, FIX_ASKS);
    let store = Store::new(&world.paths);
    let mut scene = Scene::look(world, evidence);
    if scene.evidence.serving() != Some(true) {
        ask_the_service(&mut scene);
    }
    let before = scene.clone();
    let mut plan = plan(&scene, &store, false)?;
    let mut body = Body {
        dry_run: world.common.dry_run,
        ..Body::default()
    };
    if world.common.dry_run {
        body.diff = plan
            .content
            .as_ref()
            .map(|bytes| show_diff(&scene, &scene.with_bytes(bytes)));
        (body.findings, body.actions) = (plan.findings, plan.actions);
        body.human_steps = plan.human_steps;
        return Ok(body);
    }
    if let Some(hash) = scene.refused.clone() {
        // Whatever else happens, this content is never offered for a restore.
        transaction::reject(world, Some(&hash))?;
    }
    let mut open = Transaction::new("fix", &plan.findings);
    body.generation_before = store.snapshot(&scene, Reason::BeforeFix, None)?;
    open.generation_before.clone_from(&body.generation_before);
    body.findings.clone_from(&plan.findings);
    for _ in 0..4 {
        open.played = plan.played.take().or(open.played);
        open.actions.extend_from_slice(&plan.actions);
        carry_out::all(world, &store, &mut open, &scene, &plan)?;
        body.actions.append(&mut plan.actions);
        body.human_steps = std::mem::take(&mut plan.human_steps);
        scene = scene.again();
        if !plan.look_again {
            break;
        }
        plan = self::plan(&scene, &store, true)?;
        merge_findings(&mut body.findings, &plan.findings);
    }
    let worst = checks::configuration(&scene);
    if weight(&worst) > 0 && own_doctor::allowed(&scene, &store, &body.findings) {
        body.actions.append(&mut own_doctor::run(&scene, &store, &mut open)?);
        merge_findings(&mut body.findings, &worst);
        scene = scene.again();
        let left = checks::configuration(&scene);
        for finding in body.findings.iter_mut().filter(|f| f.blocks() && f.remedy.is_none()) {
            if checks::about_configuration(finding) && !left.iter().any(|l| l.same(finding) && l.blocks()) {
                finding.remedy = Some("own_doctor".to_owned());
            }
        }
    }
    finish(world, &store, open, &before, &scene, body)
}

/// Records what came out, and hands the transaction to whoever verifies it.
fn finish(
    world: &World,
    store: &Store,
    mut open: Transaction,
    before: &Scene<'_>,
    after: &Scene<'_>,
    mut body: Body,
) -> Result<Body> {
    let left = checks::all(after);
    for finding in &mut body.findings {
        finding.applied = finding.remedy.is_some() && !left.iter().any(|l| l.same(finding) && l.blocks());
        finding.undo = finding.applied.then(|| "oc-doctor undo".to_owned());
    }
    if open.steps.is_empty() {
        return Ok(body);
    }
    body.generation_after = store.snapshot(after, Reason::Fixed, None)?;
    open.generation_after.clone_from(&body.generation_after);
    open.findings.clone_from(&body.findings);
    open.done(world, &body.actions)?;
    body.diff = Some(show_diff(before, after)).filter(|d| !d.is_empty());
    let needed: Vec<Id> = [&body.generation_before, &body.generation_after]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    store.prune(&world.config.doctor, &needed)?;
    body.transaction = Some(open.id);
    Ok(body)
}

/// Hints become findings by the service's own word; it is asked only when they alone could explain why it is down.
fn ask_the_service(scene: &mut Scene<'_>) {
    let findings = checks::configuration(scene);
    let unexplained = findings.iter().all(|f| !f.blocks() || f.id == "config.refused");
    let hinted = findings
        .iter()
        .any(|f| matches!(f.id.as_str(), "config.unknown_key" | "config.wrong_value"));
    if !unexplained || !(hinted || scene.refused.is_some()) {
        return;
    }
    if let Some(issues) = validate::ask(scene) {
        let value = |f: &Finding| scene.get(&f.subject).cloned();
        scene.evidence.issues = issues
            .into_iter()
            .map(|f| (value(&f), f))
            .map(|(v, f)| (f, v))
            .collect();
    }
}

/// `again`: something was done before in this run.
fn plan(scene: &Scene<'_>, store: &Store, again: bool) -> Result<Plan> {
    let around = checks::surroundings(scene);
    let mut plan = Plan {
        findings: checks::configuration(scene),
        ..Plan::default()
    };
    plan.findings.extend(around.iter().cloned());
    mask_excerpts(scene, &mut plan.findings);
    let disabled = &scene.world.config.doctor.disabled_remedies;
    let mut now = scene.clone();
    let mut known: Option<Vec<Candidate>> = None;
    let mut handled: Vec<Finding> = Vec::new();
    for _ in 0..MAX_STEPS {
        let mut findings = checks::configuration(&now);
        findings.extend(around.iter().cloned());
        let mut open = findings
            .iter()
            .filter(|f| f.blocks() && !handled.iter().any(|h| h.same(f)));
        let Some((finding, name, proposal)) = open.find_map(|finding| {
            let candidates = known.get_or_insert_with(|| {
                candidates(store, scene).unwrap_or_else(|fault| {
                    oc_core::out::talk(fault);
                    Vec::new()
                })
            });
            let ask = Ask {
                scene: &now,
                finding,
                candidates,
            };
            remedies::for_finding(finding, disabled).find_map(|remedy| {
                let proposal = (remedy.propose)(&ask).filter(|p| helps(&now, finding, &findings, p))?;
                Some((finding.clone(), remedy.name, proposal))
            })
        }) else {
            break;
        };
        plan.actions.push(sentence(&proposal));
        let next = match &proposal {
            Proposal::Content { bytes, .. } => {
                plan.content = Some(bytes.clone());
                Some(now.with_bytes(bytes))
            }
            Proposal::Aside { .. } => Some(now.without_file()),
            Proposal::Mode { .. } | Proposal::Included { .. } => {
                plan.look_again = true;
                None
            }
            Proposal::End { .. } | Proposal::Remove { .. } => None,
        };
        if !matches!(proposal, Proposal::Content { .. }) {
            plan.around.push(proposal);
        }
        mark_healed(&mut plan.findings, &finding, next.as_ref(), name);
        if let Some(next) = next {
            now = next;
        }
        handled.push(finding);
        if plan.look_again {
            break;
        }
    }
    if plan.content.as_deref() == scene.file.bytes() {
        plan.content = None;
    }
    let helpless = !again && plan.actions.is_empty();
    if !plan.look_again && (helpless || weight(&checks::configuration(&now)) > 0) {
        ask_the_playbook(scene, &now, &mut plan);
    }
    Ok(plan)
}

/// Where our own remedies end. An agent's plan was made at this very place: of what they left, hence it is repeated here,
/// before the service's own doctor and before any agent. Only for a service that is known to be down.
fn ask_the_playbook(scene: &Scene<'_>, now: &Scene<'_>, plan: &mut Plan) {
    let disabled = &scene.world.config.doctor.disabled_remedies;
    if scene.evidence.serving() != Some(false) || disabled.iter().any(|name| name == PLAYBOOK) {
        return;
    }
    match playbook::offer(scene, now) {
        Some(Offer::Play { id, bytes, what }) => {
            let next = now.with_bytes(&bytes);
            let left = checks::configuration(&next);
            for finding in plan.findings.iter_mut().filter(|f| f.blocks() && f.remedy.is_none()) {
                if checks::about_configuration(finding) && !left.iter().any(|l| l.same(finding) && l.blocks()) {
                    finding.remedy = Some(PLAYBOOK.to_owned());
                }
            }
            plan.actions.push(what);
            plan.content = Some(bytes);
            plan.played = Some(id);
        }
        Some(Offer::Ask(sentence)) => plan.human_steps.push(sentence),
        None => {}
    }
}

/// A content is taken only when less is wrong with it; a step around it when it removes the finding.
fn helps(now: &Scene<'_>, finding: &Finding, findings: &[Finding], proposal: &Proposal) -> bool {
    match proposal {
        Proposal::Content { bytes, .. } => {
            let before: Vec<Finding> = findings
                .iter()
                .filter(|f| checks::about_configuration(f))
                .cloned()
                .collect();
            weight(&checks::configuration(&now.with_bytes(bytes))) < weight(&before)
        }
        Proposal::Aside { .. } => finding.id != "config.missing",
        _ => true,
    }
}

/// Notes the remedy on the finding it was for, and on every other one that is gone with it.
fn mark_healed(findings: &mut [Finding], healed: &Finding, next: Option<&Scene<'_>>, name: &str) {
    let left = next.map(checks::configuration);
    for finding in findings.iter_mut().filter(|f| f.blocks() && f.remedy.is_none()) {
        let gone = left.as_ref().is_some_and(|left| {
            checks::about_configuration(finding) && !left.iter().any(|l| l.same(finding) && l.blocks())
        });
        if finding.same(healed) || gone {
            finding.remedy = Some(name.to_owned());
        }
    }
}

fn merge_findings(known: &mut Vec<Finding>, new: &[Finding]) {
    for finding in new {
        match known.iter_mut().find(|k| k.same(finding)) {
            Some(old) => {
                if old.remedy.is_none() {
                    old.remedy.clone_from(&finding.remedy);
                }
            }
            None => known.push(finding.clone()),
        }
    }
}

fn sentence(proposal: &Proposal) -> String {
    match proposal {
        Proposal::Content { what, .. } | Proposal::Included { what, .. } | Proposal::End { what, .. } => what.clone(),
        Proposal::Mode { path, before, after } => {
            format!("mode of {} changed from {before:o} to {after:o}", path.display())
        }
        Proposal::Aside { path } => format!("{} moved aside", path.display()),
        Proposal::Remove { files, bytes } => format!("{} old logs removed ({} MB)", files.len(), bytes >> 20),
    }
}

/// The difference, with the secrets of both sides masked.
#[must_use]
pub fn show_diff(before: &Scene<'_>, after: &Scene<'_>) -> String {
    let text = |scene: &Scene<'_>| {
        scene
            .file
            .bytes()
            .map(|b| String::from_utf8_lossy(b).into_owned())
            .unwrap_or_default()
    };
    let known = secrets_around(&[before, after]);
    let name = after.file.path.file_name().unwrap_or_default().to_string_lossy();
    diff::unified(&name, &text(before), &text(after), &known)
}

/// The secrets of these configurations and of every stored one.
fn secrets_around(scenes: &[&Scene<'_>]) -> Vec<String> {
    let Some(first) = scenes.first() else { return Vec::new() };
    let world = first.world;
    let mut known = Store::new(&world.paths).known_secrets(world.config.service.config_type);
    known.extend(scenes.iter().filter_map(|s| s.effective.as_ref()).flat_map(secrets::of));
    secrets::longest_first(&mut known);
    known
}

/// A line of a damaged file may hold a secret where nothing tells that it is one.
fn mask_excerpts(scene: &Scene<'_>, findings: &mut [Finding]) {
    if findings.iter().all(|f| f.excerpt.is_none()) {
        return;
    }
    let known = secrets_around(&[scene]);
    for excerpt in findings.iter_mut().filter_map(|f| f.excerpt.as_mut()) {
        for secret in &known {
            *excerpt = secrets::replace_whole(excerpt, secret, &"*".repeat(secret.chars().count()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_support::{Fixture, GOOD};
    use proptest::prelude::*;

    /// The good configuration, damaged at one place, or noise.
    fn damaged() -> impl Strategy<Value = Vec<u8>> {
        let at = 0..GOOD.len();
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..200),
            at.clone().prop_map(|at| GOOD.as_bytes()[..at].to_vec()),
            (at.clone(), 0..GOOD.len()).prop_map(|(a, b)| {
                let mut bytes = GOOD.as_bytes().to_vec();
                bytes.drain(a.min(b)..a.max(b));
                bytes
            }),
            (at, "[\\[\\]{}:,'\"/*a\\\\ ]{1,6}").prop_map(|(at, text)| {
                let mut bytes = GOOD.as_bytes().to_vec();
                bytes.splice(at..at, text.bytes());
                bytes
            }),
        ]
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_a_plan_ends_with_something_that_starts(bytes in damaged()) {
            let fixture = Fixture::with("");
            oc_core::fsx::replace(fixture.world.paths.service_config(), &bytes).unwrap();
            let scene = fixture.scene();
            let plan = plan(&scene, &Store::new(&fixture.world.paths), false).unwrap();
            let content = plan.content.as_deref().unwrap_or(&bytes);
            let left = checks::configuration(&scene.with_bytes(content));
            prop_assert_eq!(weight(&left), 0, "{:?}", left);
        }
    }
}
