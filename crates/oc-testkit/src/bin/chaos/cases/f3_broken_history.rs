//! F3.

use crate::case::{CASE, Case, Class, End};
use oc_testkit::Signal;

pub(crate) const F3: Case = Case {
    id: "F3",
    class: Class::Filesystem,
    fault: "our history is of a newer version while the gateway is frozen",
    inject: |arena| {
        arena.env().write(".openclaw/watchdog/state.json", "{\"version\": 99}");
        arena.signal(Signal::STOP)
    },
    mend: |arena| arena.person(&["oc-escalate", "reset"], &[0]).map(drop),
    verify: |arena| {
        let dir = std::fs::read_dir(arena.env().watchdog())
            .into_iter()
            .flatten()
            .flatten();
        let mut aside = dir.filter(|entry| entry.file_name().to_string_lossy().contains("unreadable"));
        let whole = aside.any(|entry| std::fs::read(entry.path()).is_ok_and(|text| text == b"{\"version\": 99}"));
        (!whole)
            .then(|| "what could not be read was not put aside whole".to_owned())
            .into_iter()
            .collect()
    },
    end: End::Human,
    actions: &["restart kill"],
    most: 1,
    alerts: 1..=3,
    ..CASE
};
