//! C9f.

use crate::case::{CASE, Case, Class};
use oc_testkit::Signal;

pub(crate) const C9F: Case = Case {
    id: "C9f",
    class: Class::Config,
    fault: "a person saves it again and again while it is repaired",
    inject: |arena| {
        let bad = arena.good_config().replace("\"mode\"", "\"mod\"");
        let good = arena.good_config().replace("// mine", "// mine, at last");
        arena.env().write("bad.json", bad);
        arena.env().write("good.json", &good);
        arena.note = good;
        arena.written = None;
        // Each save is whole; the last one is right.
        let editor = "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            cp $HOME/bad.json $HOME/new; mv $HOME/new $HOME/.openclaw/openclaw.json; sleep 0.1
        done
        cp $HOME/good.json $HOME/new; mv $HOME/new $HOME/.openclaw/openclaw.json; : >$HOME/saved";
        arena
            .env()
            .foreign("cp")
            .args(["bad.json", ".openclaw/openclaw.json"])
            .run();
        arena.signal(Signal::KILL)?;
        let editor = arena.env().foreign("sh").args(["-c", editor]).spawn();
        arena.helpers.push(editor);
        arena.wait("the last save", |arena| arena.env().path("saved").exists())
    },
    verify: |arena| {
        let now = arena.config_text();
        (now != arena.note)
            .then(|| format!("the person's last save was lost: {now:?}"))
            .into_iter()
            .collect()
    },
    actions: &["doctor start", "restart start"],
    most: 5,
    alerts: 0..=4,
    ..CASE
};
