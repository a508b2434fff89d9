//! The templates of `plists/`, `systemd/` and `cron/` with the words of this host in them, each quoted as its reader wants it.

use oc_core::fault::{Fault, Result};
use plist::{Dictionary, Value};
use std::io::Cursor;

/// cron(8) of Debian refuses a longer line.
const CRON_LINE: usize = 990;

/// What is put between the @ of a template.
#[derive(Debug, Clone, Default)]
pub struct Words {
    /// launchd label of the job.
    pub label: String,
    /// The systemd service that a timer starts.
    pub service: String,
    /// The systemd service of a healing pass.
    pub watchdog: String,
    /// Which instance, in descriptions.
    pub instance: String,
    /// oc-guardian, absolute.
    pub guardian: String,
    /// oc-heal, absolute.
    pub heal: String,
    /// Program and arguments of the service.
    pub command: Vec<String>,
    /// Directory of the logs, absolute.
    pub logs: String,
    /// Seconds between two passes.
    pub interval: u64,
    /// Variables of the job.
    pub environment: Vec<(String, String)>,
}

impl Words {
    /// None of the three formats can carry a line break, and two cannot carry other control characters.
    ///
    /// # Errors
    /// 65 naming the word.
    pub fn check(&self) -> Result<()> {
        let named = [
            ("oc-guardian", &self.guardian),
            ("oc-heal", &self.heal),
            ("the logs", &self.logs),
        ];
        let named = named.into_iter().map(|(name, word)| (name.to_owned(), word));
        let variables = self.environment.iter().map(|(name, value)| (name.clone(), value));
        let command = self.command.iter().map(|word| ("service.command".to_owned(), word));
        for (name, word) in named.chain(variables).chain(command) {
            if word.chars().any(char::is_control) {
                return Err(Fault::data(format_args!(
                    "{name} contains a control character, which no job definition can carry: {word:?}"
                ))
                .hint("rename that directory, or take the character out of the variable"));
            }
        }
        Ok(())
    }

    /// The text with its words in place, each quoted by `quote`, programs by `program`. `lists` are those that stand for several.
    fn fill(
        &self,
        text: &str,
        quote: fn(&str) -> String,
        program: fn(&str) -> String,
        lists: &[(&str, String)],
    ) -> String {
        let word = |name: &str| {
            Some(match name {
                "LABEL" => quote(&self.label),
                "SERVICE" => quote(&self.service),
                "WATCHDOG" => quote(&self.watchdog),
                "INSTANCE" => quote(&self.instance),
                "GUARDIAN" => program(&self.guardian),
                "HEAL" => program(&self.heal),
                "LOGS" => quote(&self.logs),
                "INTERVAL" => self.interval.to_string(),
                _ => lists.iter().find(|(list, _)| *list == name)?.1.clone(),
            })
        };
        // In one go from the left: a directory may be called like a word.
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, tail)) = rest.split_once('@') {
            out.push_str(before);
            let filled = tail
                .split_once('@')
                .and_then(|(name, after)| Some((word(name)?, after)));
            rest = if let Some((word, after)) = filled {
                out.push_str(&word);
                after
            } else {
                out.push('@');
                tail
            };
        }
        out.push_str(rest);
        out
    }

    fn fill_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) if text == "@INTERVAL@" => Value::Integer(self.interval.into()),
            Value::String(text) => Value::String(self.fill(&text, str::to_owned, str::to_owned, &[])),
            Value::Array(items) => Value::Array(items.into_iter().flat_map(|item| self.fill_item(item)).collect()),
            Value::Dictionary(dict) => Value::Dictionary(self.fill_dictionary(dict)),
            other => other,
        }
    }

    fn fill_item(&self, item: Value) -> Vec<Value> {
        if item.as_string() == Some("@COMMAND@") {
            return self.command.iter().cloned().map(Value::String).collect();
        }
        vec![self.fill_value(item)]
    }

    fn fill_dictionary(&self, dict: Dictionary) -> Dictionary {
        if dict.contains_key("@ENVIRONMENT@") {
            let pairs = self.environment.iter();
            return pairs
                .map(|(name, value)| (name.clone(), Value::String(value.clone())))
                .collect();
        }
        dict.into_iter()
            .map(|(key, value)| (key, self.fill_value(value)))
            .collect()
    }
}

/// A property list. The writer of the library does the escaping.
///
/// # Errors
/// 65 for a word that cannot be carried, 70 when the template is broken.
pub fn plist(template: &str, words: &Words) -> Result<Vec<u8>> {
    words.check()?;
    let value = Value::from_reader(Cursor::new(template.as_bytes())).map_err(Fault::internal)?;
    let mut bytes = Vec::new();
    words
        .fill_value(value)
        .to_writer_xml(&mut bytes)
        .map_err(Fault::internal)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A systemd unit.
///
/// # Errors
/// 65 for a word that cannot be carried.
pub fn unit(template: &str, words: &Words) -> Result<Vec<u8>> {
    words.check()?;
    let pairs = words.environment.iter();
    let environment: Vec<String> = pairs
        .map(|(name, value)| format!("Environment={}", for_systemd(&format!("{name}={value}"))))
        .collect();
    let command: Vec<String> = words.command.iter().map(|word| for_systemd(word)).collect();
    let lists = [("ENVIRONMENT", environment.join("\n")), ("COMMAND", command.join(" "))];
    Ok(words
        .fill(template, for_systemd, program_for_systemd, &lists)
        .into_bytes())
}

/// A line of a crontab.
///
/// # Errors
/// 65 for a word that cannot be carried, or a line that cron would refuse.
pub fn cron(template: &str, words: &Words) -> Result<String> {
    words.check()?;
    let pairs = words.environment.iter();
    let environment: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", for_sh(value))).collect();
    let line = words
        .fill(template, for_sh, for_sh, &[("ENVIRONMENT", environment.join(" "))])
        .replace('%', r"\%");
    // Crons disagree about what two backslashes, or one before a %, become.
    let ambiguous = line.contains(r"\\");
    if ambiguous || line.len() > CRON_LINE {
        let why = if ambiguous {
            "a path with a backslash"
        } else {
            "paths this long"
        };
        return Err(Fault::data(format_args!(
            "cron cannot carry {why}: {}",
            line.trim_end()
        )));
    }
    Ok(line)
}

fn plain(word: &str) -> bool {
    !word.is_empty()
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._:=@+,-".contains(&b))
}

fn for_systemd(word: &str) -> String {
    if plain(word) {
        return word.to_owned();
    }
    format!(
        "\"{}\"",
        word.replace('\\', r"\\").replace('"', "\\\"").replace('%', "%%")
    )
}

/// systemd takes no quotes in the name of a program ("contains special characters"), but any argument of env(1).
fn program_for_systemd(path: &str) -> String {
    let env = if path.contains(['"', '\'', '\\']) {
        "/usr/bin/env "
    } else {
        ""
    };
    format!("{env}{}", for_systemd(path))
}

/// For sh.
#[must_use]
pub fn for_sh(word: &str) -> String {
    if plain(word) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::install::templates;
    use oc_core::proc::Cmd;
    use proptest::prelude::*;

    fn words(home: &str) -> Words {
        Words {
            label: "ai.openclaw.x".into(),
            service: "x.service".into(),
            watchdog: "w.service".into(),
            instance: "default".into(),
            guardian: format!("{home}/bin/oc-guardian"),
            heal: format!("{home}/bin/oc-heal"),
            command: vec!["node".into(), home.into()],
            logs: format!("{home}/logs"),
            interval: 30,
            environment: vec![
                ("HOME".into(), home.into()),
                ("PATH".into(), format!("{home}/bin:/bin")),
            ],
        }
    }

    /// As systemd reads a word: quotes and escapes of C, then specifiers.
    fn read_by_systemd(word: &str) -> String {
        let mut out = String::new();
        let mut chars = word
            .strip_prefix('"')
            .map_or(word, |w| w.strip_suffix('"').unwrap())
            .chars();
        while let Some(c) = chars.next() {
            out.push(match c {
                '\\' => chars.next().unwrap(),
                '%' => {
                    assert_eq!(chars.next(), Some('%'));
                    '%'
                }
                c => c,
            });
        }
        out
    }

    #[test]
    fn no_placeholder_is_left_in_any_template() {
        let words = words("/home/Jörg O'Neil & \"Söhne\" 100% $HOME <x>");
        for template in templates::PLISTS {
            let text = String::from_utf8(plist(template, &words).unwrap()).unwrap();
            assert!(!text.contains('@'), "{text}");
            assert!(text.contains("<integer>"));
        }
        for template in templates::UNITS {
            let text = String::from_utf8(unit(template, &words).unwrap()).unwrap();
            assert!(!text.contains('@'), "{text}");
        }
        for template in templates::CRON {
            let line = cron(template, &words).unwrap();
            assert!(
                !line.contains('@') && line.ends_with('\n') && line.lines().count() == 1,
                "{line}"
            );
        }
    }

    #[test]
    fn what_cannot_be_carried_is_refused_with_its_name() {
        let fault = unit(templates::UNITS[0], &words("/home/a\nb")).unwrap_err();
        assert!(fault.what.contains("oc-guardian"), "{}", fault.what);
        assert!(
            cron(templates::CRON[0], &words(&"/x".repeat(500)))
                .unwrap_err()
                .what
                .contains("long")
        );
        assert!(
            cron(templates::CRON[0], &words("/home/a\\%b"))
                .unwrap_err()
                .what
                .contains("backslash")
        );
    }

    proptest! {
        #[test]
        fn every_word_survives_its_quoting(word in "[^\\pC]{0,30}") {
            prop_assert_eq!(&read_by_systemd(&for_systemd(&word)), &word);
            let bytes = plist(templates::PLISTS[0], &words(&word)).unwrap();
            let value = Value::from_reader(Cursor::new(bytes)).unwrap();
            let home = value.as_dictionary().unwrap()["EnvironmentVariables"].as_dictionary().unwrap()["HOME"].as_string();
            prop_assert_eq!(home, Some(word.as_str()));
        }
    }

    proptest! {
        // Each case is a real shell.
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn sh_reads_what_was_meant(word in "[^\\pC\\\\]{1,30}") {
            let line = cron("* * * * * printf %s @LOGS@\n", &Words { logs: word.clone(), ..words("/h") }).unwrap();
            let command = line.trim_end_matches('\n').strip_prefix("* * * * * ").unwrap().replace(r"\%", "%");
            let out = Cmd::new("/bin/sh").args(["-c", &command]).run().unwrap();
            prop_assert_eq!(out.stdout_text(), word);
        }
    }
}
