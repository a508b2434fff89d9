//! Bytes that cannot be understood, told apart by what became of them.

use crate::finding::Finding;
use crate::scene::Scene;
use crate::text;

/// config.empty, config.binary, config.garbage, config.truncated, config.syntax
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let (Some(Err(error)), Some(bytes)) = (&scene.parsed, scene.file.bytes()) else {
        return;
    };
    let path = scene.file.path.display();
    let subject = scene.file.path.display().to_string();
    let place = format!("line {}, column {}", error.line, error.column);
    let finding = if bytes.iter().all(u8::is_ascii_whitespace) {
        Finding::error("config.empty", subject, format!("{path} is empty"))
    } else if bytes.contains(&0) || std::str::from_utf8(bytes).is_err() {
        Finding::error("config.binary", subject, format!("{path} holds bytes that are no text"))
    } else {
        let text = String::from_utf8_lossy(bytes);
        let kind = scene.world.config.service.config_type;
        let root = text::root_within(&text, kind, &scene.world.config.service.required_keys);
        match root {
            Some(root) if root.start > 0 && root.end >= text.trim_end().len() => Finding::error(
                "config.garbage",
                subject,
                format!(
                    "{path} has {} bytes before the configuration that do not belong there",
                    root.start
                ),
            ),
            Some(root) => Finding::error(
                "config.garbage",
                subject,
                format!(
                    "{path} goes on after the end of the configuration, at byte {}",
                    root.end
                ),
            )
            .place(error),
            None if text::cut_short(&text) => Finding::error(
                "config.truncated",
                subject,
                format!("{path} ends in the middle, at {place}"),
            )
            .place(error),
            None => Finding::error("config.syntax", subject, format!("{path}: {} at {place}", error.what)).place(error),
        }
    };
    findings.push(finding);
}
