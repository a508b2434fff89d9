//! Any command: the message comes as JSON on its standard input. Exit 0 means delivered; 64, 77, 78, 126 and 127 that it
//! will not work without a change by a person; anything else is tried again.

use super::{Answer, Built, Call, Channel, Letter, Verdict, as_json, limits};
use oc_core::config::Notify;

struct Exec {
    argv: Vec<String>,
}

pub(super) fn from(settings: &Notify) -> Built {
    if settings.exec.is_empty() {
        return None;
    }
    Some(Ok(Box::new(Exec {
        argv: settings.exec.clone(),
    })))
}

impl Channel for Exec {
    fn name(&self) -> &'static str {
        "exec"
    }

    fn calls(&self, letter: &Letter<'_>) -> Vec<Call> {
        let mut stdin = as_json(letter.message).to_string().into_bytes();
        stdin.push(b'\n');
        vec![Call::Program {
            argv: self.argv.clone(),
            stdin,
        }]
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        let said = answer.body.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = limits::cut(&oc_core::redact::clean(&said), 160, limits::Unit::Chars);
        let why = format!(
            "exit {}{}{said}",
            answer.status,
            if said.is_empty() { "" } else { ": " }
        );
        match answer.status {
            0 => Verdict::Delivered(None),
            64 | 77 | 78 | 126 | 127 => Verdict::Off(why),
            _ => Verdict::Later { after: None, why },
        }
    }

    fn for_programs(&self) -> bool {
        true
    }

    fn address(&self) -> String {
        self.argv.join("\0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_of_the_command() {
        let exec = Exec { argv: vec!["x".into()] };
        let judge = |status| {
            exec.judge(&Answer {
                status,
                body: "no\nroute".into(),
                retry_after: None,
            })
        };
        assert_eq!(judge(0), Verdict::Delivered(None));
        assert_eq!(
            judge(75),
            Verdict::Later {
                after: None,
                why: "exit 75: no route".into()
            }
        );
        assert!(matches!(judge(127), Verdict::Off(_)));
    }
}
