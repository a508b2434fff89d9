//! oc-report: what it writes is there whole or not at all.

use super::{Field, SCENARIO, Scenario, words};

fn some_history(field: &mut Field) {
    field.must(&["oc-escalate", "maintenance", "on", "--for", "1h"]);
    field.must(&["oc-escalate", "maintenance", "off"]);
}

/// Nobody else must have to repair it: it is looked at before the next one is written.
fn whole_now(field: &Field, file: &str, end: &str) {
    let text = std::fs::read_to_string(field.env().path(file));
    if text.is_ok_and(|text| !text.trim_end().ends_with(end)) {
        panic!("half of {file} is there");
    }
}

pub(crate) const METRICS: Scenario = Scenario {
    name: "metrics",
    what: "metrics.prom is written",
    prepare: some_history,
    command: |field| {
        words(&[
            "oc-report",
            "metrics",
            "--output",
            &field.env().path("m.prom").display().to_string(),
        ])
    },
    recover: |field| {
        whole_now(field, "m.prom", "");
        let path = field.env().path("m.prom").display().to_string();
        let before = std::fs::read_to_string(&path).map_or(0, |text| text.lines().count());
        field.must(&["oc-report", "metrics", "--output", &path]);
        let after = std::fs::read_to_string(&path).map_or(0, |text| text.lines().count());
        if before != 0 && before != after {
            panic!("{before} of {after} lines were there");
        }
    },
    ..SCENARIO
};

pub(crate) const HTML: Scenario = Scenario {
    name: "html",
    what: "the page is written",
    prepare: some_history,
    command: |field| {
        words(&[
            "oc-report",
            "html",
            "--output",
            &field.env().path("page.html").display().to_string(),
        ])
    },
    recover: |field| {
        whole_now(field, "page.html", "</html>");
        let path = field.env().path("page.html").display().to_string();
        field.must(&["oc-report", "html", "--output", &path]);
        whole_now(field, "page.html", "</html>");
    },
    ..SCENARIO
};
