//! What stands where the configuration should be: nothing, a directory, something unreadable, nothing in it.

use crate::disk::Content;
use crate::finding::Finding;
use crate::scene::Scene;

/// config.missing, config.directory, config.special, config.unreadable, config.too_large, config.permissions
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let file = &scene.file;
    let path = file.path.display().to_string();
    let me = rustix::process::geteuid().as_raw();
    match &file.content {
        Content::Missing if file.path != file.target => findings.push(Finding::error(
            "config.missing",
            &path,
            format!("{path} is a link to {}, which is missing", file.target.display()),
        )),
        Content::Missing => findings.push(Finding::error("config.missing", &path, format!("{path} is missing"))),
        Content::Directory => findings.push(Finding::error(
            "config.directory",
            &path,
            format!("{path} is a directory, not a file"),
        )),
        Content::Special => findings.push(Finding::error(
            "config.special",
            &path,
            format!("{path} is neither file nor directory"),
        )),
        Content::TooLarge(bytes) => findings.push(Finding::error(
            "config.too_large",
            &path,
            format!("{path} has {bytes} bytes; no configuration is that large"),
        )),
        Content::Unreadable(why) => {
            let foreign = file.owner.filter(|(uid, _)| *uid != me);
            let mut finding = Finding::error("config.unreadable", &path, format!("{path} cannot be read: {why}"));
            if let Some((uid, _)) = foreign {
                finding.message = format!("{path} cannot be read: {why}; it belongs to uid {uid}, not to you");
                finding = finding.command(format!("sudo chown {me} {}", quoted(&path)));
            } else {
                finding = finding.command(format!("chmod 600 {}", quoted(&path)));
            }
            findings.push(finding);
        }
        Content::Bytes(_) => {
            if let Some((uid, _)) = file.owner.filter(|(uid, _)| *uid != me && me != 0) {
                findings.push(
                    Finding::warning(
                        "config.owner",
                        &path,
                        format!("{path} belongs to uid {uid}, not to you: it can be read but not repaired"),
                    )
                    .command(format!("sudo chown {me} {}", quoted(&path))),
                );
            }
            if file.mode.is_some_and(|mode| mode & 0o077 != 0) {
                findings.push(
                    Finding::warning(
                        "config.permissions",
                        &path,
                        format!(
                            "others may read {path} (mode {:o}), which may hold secrets",
                            file.mode.unwrap_or(0)
                        ),
                    )
                    .command(format!("chmod 600 {}", quoted(&path))),
                );
            }
        }
    }
}

/// A word for a shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
