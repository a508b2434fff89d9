//! `playbook`: the plans that healed, for people and for the prompt of the next agent.

use crate::checks;
use crate::cli::{Playbook, Probed};
use crate::evidence::Evidence;
use crate::generations::when;
use crate::playbook::{Book, Fingerprint, Lesson, Likeness};
use crate::scene::Scene;
use oc_core::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::run::Answer;
use oc_core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// Runs it.
///
/// # Errors
/// 64 for a lesson that does not exist, or when a pass accepts one; 75 when another healing is under way; 74 or 77.
pub(crate) fn run(world: &World, what: Playbook) -> Result<Answer> {
    let book = Book::new(world);
    match what {
        Playbook::List(probed) => list(world, &book, &probed),
        Playbook::Show { id } => {
            let lesson = book.find(&id)?;
            answer("shown", &[row(&lesson, None)], shown(&lesson))
        }
        Playbook::Accept { id } => {
            // Inside a pass there is no person.
            if std::env::var_os("OC_RUN_DIR").is_some() {
                return Err(Fault::usage("accepting a lesson is for a person, not for a pass"));
            }
            let _lock = super::lock(world)?;
            let mut lesson = book.find(&id)?;
            (lesson.accepted, lesson.retired) = (true, false);
            if !world.common.dry_run {
                book.save(&lesson)?;
            }
            answer(
                "accepted",
                &[row(&lesson, None)],
                format!("accepted: {}\n", lesson.says()),
            )
        }
        Playbook::Forget { id } => {
            let _lock = super::lock(world)?;
            let lesson = book.find(&id)?;
            if !world.common.dry_run {
                book.forget(&lesson)?;
            }
            answer(
                "forgotten",
                &[row(&lesson, None)],
                format!("forgotten: {}\n", lesson.says()),
            )
        }
    }
}

fn list(world: &World, book: &Book, probed: &Probed) -> Result<Answer> {
    let mut evidence = Evidence::gather(world, probed.probe.as_deref())?;
    evidence.ask(world, Duration::from_millis(500));
    let scene = Scene::look(world, evidence);
    let now = Fingerprint::of(&scene, &checks::all(&scene));
    let mut lessons: Vec<(Likeness, Lesson)> = book
        .lessons()
        .into_iter()
        .map(|lesson| (lesson.fingerprint.likeness(&now), lesson))
        .collect();
    // Stable: within a likeness the one that healed last stays first.
    lessons.sort_by_key(|(likeness, _)| *likeness);
    let rows: Vec<Value> = lessons.iter().map(|(likeness, l)| row(l, Some(*likeness))).collect();
    let mut text = String::new();
    for (likeness, lesson) in &lessons {
        let marks = [
            (*likeness == Likeness::Same).then_some("this failure"),
            (*likeness == Likeness::Similar).then_some("similar"),
            (lesson.retired).then_some("failed, not repeated"),
            (lesson.accepted).then_some("accepted"),
            (!lesson.accepted && !lesson.needs_person.is_empty()).then_some("waits for you"),
        ];
        let marks: Vec<&str> = marks.into_iter().flatten().collect();
        let (healed, last) = (lesson.healed, when(&lesson.last_healed));
        text.push_str(&format!(
            "{}  {last}  healed {healed}x  {}  {}\n",
            lesson.id,
            lesson.says(),
            marks.join(", ")
        ));
    }
    if text.is_empty() {
        text.push_str("no lessons yet: the playbook learns from an agent's plan that healed\n");
    }
    answer("listed", &rows, text)
}

fn row(lesson: &Lesson, likeness: Option<Likeness>) -> Value {
    json!({"id": lesson.id, "learned_at": when(&lesson.learned), "last_healed_at": when(&lesson.last_healed),
        "healed": lesson.healed, "retired": lesson.retired, "accepted": lesson.accepted,
        "match": likeness, "class": lesson.fingerprint.class, "findings": lesson.fingerprint.findings,
        "lines": lesson.fingerprint.lines, "edits": lesson.edits, "needs_person": lesson.needs_person,
        "summary": lesson.summary})
}

fn shown(lesson: &Lesson) -> String {
    let mut text = format!("lesson {}, learned {}\n", lesson.id, when(&lesson.learned));
    if let Some(class) = lesson.fingerprint.class {
        text.push_str(&format!("class: {class}\n"));
    }
    for (name, values) in [
        ("finding", &lesson.fingerprint.findings),
        ("log", &lesson.fingerprint.lines),
        ("needs a person", &lesson.needs_person),
    ] {
        for value in values {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    for edit in &lesson.edits {
        let side = |value: &Option<Value>| value.as_ref().map_or("(nothing)".to_owned(), Value::to_string);
        let (before, after) = (side(&edit.before), side(&edit.after));
        text.push_str(&format!("edit: {}: {before} -> {after}\n", edit.path.join(".")));
    }
    if let Some(summary) = &lesson.summary {
        text.push_str(&format!("the agent said: {summary}\n"));
    }
    text
}

fn answer(verdict: &'static str, lessons: &[Value], text: String) -> Result<Answer> {
    Ok(Answer::new(
        "oc.doctor-playbook/1",
        Exit::Good,
        verdict,
        &json!({ "lessons": lessons }),
    )?
    .text(text))
}
