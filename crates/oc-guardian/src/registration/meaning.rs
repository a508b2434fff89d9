//! When two definitions say the same: OpenClaw rewrites its own, and a rewritten file is no damage.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

/// Whether two contents of the file at `path` mean the same to the service manager. Units by their settings, property lists
/// by their dictionary, anything else byte by byte.
pub(super) fn same_meaning(path: &Path, one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    match path.extension().and_then(|ext| ext.to_str()) {
        Some("plist") => match (property_list(one), property_list(other)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        },
        Some("service" | "timer" | "conf") => match (std::str::from_utf8(one), std::str::from_utf8(other)) {
            (Ok(one), Ok(other)) => settings(one) == settings(other),
            _ => false,
        },
        _ => false,
    }
}

fn property_list(bytes: &[u8]) -> Option<plist::Value> {
    plist::Value::from_reader(Cursor::new(bytes)).ok()
}

/// Section and key, with its values in their order: several `ExecStartPre=` are a sequence, and an empty one clears it.
type Settings = BTreeMap<(String, String), Vec<String>>;

fn settings(unit: &str) -> Settings {
    let mut settings = Settings::new();
    let mut section = String::new();
    let mut lines = unit.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim().to_owned();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        while let Some(head) = line.strip_suffix('\\') {
            // A comment between continued lines belongs to nobody.
            let next = lines.by_ref().find(|next| !next.trim_start().starts_with(['#', ';']));
            line = format!("{} {}", head.trim_end(), next.unwrap_or_default().trim());
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else {
            let (key, value) = line.split_once('=').unwrap_or((&line, ""));
            settings
                .entry((section.clone(), key.trim().to_owned()))
                .or_default()
                .push(value.trim().to_owned());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNIT: &str = "[Unit]\nDescription=x\n\n[Service]\nExecStart=/bin/a \\\n  b\nRestart=always\nEnvironment=A=1\nEnvironment=B=2\n";

    fn same(ext: &str, one: &str, other: &str) -> bool {
        same_meaning(Path::new(&format!("x.{ext}")), one.as_bytes(), other.as_bytes())
    }

    #[test]
    fn order_comments_and_blanks_of_a_unit_mean_nothing_but_values_and_their_order_do() {
        let rewritten = "# by hand\n[Service]\nRestart = always\nExecStart=/bin/a b\nEnvironment=A=1\n; x\nEnvironment=B=2\n[Unit]\nDescription=x";
        assert!(same("service", UNIT, rewritten));
        for (from, to) in [
            ("always", "no"),
            ("/bin/a", "/bin/b"),
            ("Restart=", "RestartSec="),
            ("[Unit]", "[Install]"),
            ("A=1\nEnvironment=B=2", "B=2\nEnvironment=A=1"),
            ("ExecStart=", "ExecStart=\nExecStart="),
        ] {
            assert!(!same("timer", UNIT, &UNIT.replace(from, to)), "{from}");
        }
        assert!(!same("sh", "a \n", "a\n"), "of a script every byte counts");
    }

    #[test]
    fn a_property_list_is_compared_by_its_dictionary() {
        let list = |body: &str| format!("<?xml version=\"1.0\"?><plist version=\"1.0\"><dict>{body}</dict></plist>");
        let one = list("<key>Label</key><string>a&amp;b</string><key>KeepAlive</key><true/>");
        let other = list("<!-- new -->\n<key>KeepAlive</key><true/>\n<key>Label</key><string>a&#38;b</string>");
        assert!(same("plist", &one, &other));
        assert!(!same("plist", &one, &one.replace("true", "false")));
        assert!(!same("plist", &one, "<plist>"));
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(text in "\\PC*|([\\[\\]=#;\\\\a \n])*") {
            settings(&text);
            same_meaning(Path::new("x.plist"), text.as_bytes(), b"<plist/>");
        }

        #[test]
        fn comments_mean_nothing_wherever_they_stand(text in "([\\[\\]=;a \n])*") {
            prop_assert_eq!(settings(&text), settings(&text.replace('\n', "\n# x\n\n")));
        }
    }
}
