//! Out of descriptors. A process of its own, since it takes them away from everybody in it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "tests")]

use oc_core::class::{Class, Health};
use oc_core::clock::Deadline;
use oc_core::config::{Config, Env, Request};
use oc_probe::attempt::attempt;
use oc_probe::subject::Subject;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;
use std::time::Duration;

#[test]
fn invariant_7_without_a_descriptor_we_know_nothing() {
    let home = tempfile::tempdir().unwrap();
    let env: Env = [("HOME", home.path())].into_iter().collect();
    let loaded = Config::load_with(&Request::default(), &env).unwrap();
    let subject = Subject::new(loaded, Vec::new()).unwrap();
    let before = getrlimit(Resource::Nofile);
    let mut hoard = Vec::new();
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(40),
            maximum: before.maximum,
        },
    )
    .unwrap();
    while let Ok(file) = File::open("/dev/null") {
        hoard.push(file);
    }
    let report = attempt(&subject, &Deadline::after(Duration::from_secs(20)));
    drop(hoard);
    setrlimit(Resource::Nofile, before).unwrap();
    assert_eq!(report.class, Some(Class::Inconclusive), "{report:?}");
    assert_eq!(report.health(), Health::Unknown);
}
