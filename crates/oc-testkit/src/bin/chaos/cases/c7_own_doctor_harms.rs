//! C7f.

use crate::case::{CASE, Case, Class, End, On};
use oc_testkit::{Faults, Signal};

pub(crate) const C7F: Case = Case {
    id: "C7f",
    class: Class::Config,
    fault: "`openclaw doctor --fix` deletes the configuration and exits 0",
    on: On::Both,
    prepare: |arena| {
        let config = arena.env().config_path().display().to_string();
        let ran = arena.env().path("doctor-ran").display().to_string();
        arena.env().stub(
            "openclaw",
            &format!("case $1 in doctor) : >{ran}; rm -f {config} ;; esac"),
        );
        Ok(())
    },
    // Exit 78 with a configuration in which we find nothing: only the service's own doctor may know more.
    inject: |arena| {
        arena.env().fault(|f| {
            *f = Faults {
                boot_ms: 60_000,
                exit_after_ms: Some(20),
                exit_code: 78,
                ..Faults::default()
            };
        });
        arena.signal(Signal::KILL)
    },
    verify: |arena| {
        let mut wrong = Vec::new();
        if !arena.env().path("doctor-ran").exists() {
            wrong.push("the service's own doctor was never asked".to_owned());
        }
        if arena.config_text() != arena.good_config() {
            wrong.push(format!("what it did was not undone: {:?}", arena.config_text()));
        }
        wrong
    },
    end: End::Human,
    actions: &["doctor start"],
    most: 5,
    alerts: 1..=3,
    ..CASE
};
