//! The jobs of the bash system that this one replaces. Two healers would fight over one service.

use super::jobs::Host;
use super::manager;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::paths::Paths;
use oc_core::report::ManagerKind;
use std::fmt;
use std::path::{Path, PathBuf};

/// Its healers, by the names of their scripts: what else a person runs out of that directory is none of our business.
const SCRIPTS: [&str; 6] = [
    "gateway-watchdog",
    "gateway-healthcheck",
    "emergency-recovery",
    "launchd-guardian",
    "config-watch.sh",
    "openclaw-self-healing",
];
const CAP: u64 = 1 << 20;

/// Something of the predecessor that is scheduled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A job with its definition.
    Job {
        /// Who runs it.
        manager: ManagerKind,
        /// launchd label or unit.
        name: String,
        /// Its definition.
        file: PathBuf,
    },
    /// A line of the crontab.
    Line(Vec<u8>),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job { name, file, .. } => write!(f, "{name} ({})", file.display()),
            Self::Line(line) => write!(f, "crontab line `{}`", String::from_utf8_lossy(line).trim()),
        }
    }
}

/// Whatever of it would still start.
#[must_use]
pub(super) fn search(host: &Host, crontab: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    for (manager, dir) in [
        (ManagerKind::Launchd, host.agents()),
        (ManagerKind::Systemd, host.units().to_owned()),
    ] {
        let entries = std::fs::read_dir(&dir).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        // What starts the service itself stays, whoever wrote it.
        files.retain(|file| *file != host.gateway_path() && is_definition(file) && speaks_of_it(file));
        found.extend(files.into_iter().filter_map(|file| {
            let name = match manager {
                ManagerKind::Launchd => file.file_stem(),
                _ => file.file_name(),
            };
            Some(Found::Job {
                manager,
                name: name?.to_str()?.to_owned(),
                file,
            })
        }));
    }
    let lines = crontab.split_inclusive(|byte| *byte == b'\n');
    let theirs = lines.filter(|line| !line.trim_ascii_start().starts_with(b"#") && mentions(line));
    found.extend(theirs.map(|line| Found::Line(line.to_owned())));
    found
}

/// Puts it out of action; its file, or line, is kept with the way back. Says that way.
///
/// # Errors
/// 74 or 77 with the path, or what the manager said.
pub(super) fn take_over(found: &Found, paths: &Paths) -> Result<String> {
    let dir = paths.taken_over();
    fsx::private_dir(&dir)?;
    let undo = match found {
        Found::Job { manager, name, file } => {
            match manager::unregister(*manager, name) {
                // Where there is no such manager nothing runs it.
                Err(fault) if fault.exit == Exit::Unavailable => {}
                done => done?,
            }
            let kept = keep(&dir, file)?;
            if manager::reload(*manager).is_err() {
                oc_core::out::talk("systemd does not read its units anew; it will at the next login");
            }
            let back = super::render::for_sh;
            let moved = format!("mv {} {}", back(&kept.to_string_lossy()), back(&file.to_string_lossy()));
            match manager {
                ManagerKind::Launchd => {
                    format!(
                        "{moved} && launchctl bootstrap gui/$(id -u) {}",
                        back(&file.to_string_lossy())
                    )
                }
                _ if name.ends_with(".timer") => format!("{moved} && systemctl --user enable --now {name}"),
                _ => moved,
            }
        }
        // The line itself goes with all others, in one change of the crontab.
        Found::Line(line) => format!("crontab -e, and add: {}", String::from_utf8_lossy(line).trim_end()),
    };
    let list = dir.join("undo");
    let mut text = fsx::read_capped(&list, CAP)?.unwrap_or_default();
    text.extend_from_slice(undo.as_bytes());
    text.push(b'\n');
    fsx::replace(&list, &text)?;
    Ok(undo)
}

/// The crontab without these lines.
#[must_use]
pub(super) fn without_lines(text: &[u8], found: &[Found]) -> Vec<u8> {
    let gone = |line: &[u8]| {
        found
            .iter()
            .any(|found| matches!(found, Found::Line(theirs) if theirs == line))
    };
    text.split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !gone(line))
        .flatten()
        .copied()
        .collect()
}

fn keep(dir: &Path, file: &Path) -> Result<PathBuf> {
    let bytes = fsx::read_capped(file, CAP)?.unwrap_or_default();
    let name = file
        .file_name()
        .ok_or_else(|| Fault::internal("a job without a file"))?;
    let mut kept = dir.join(name);
    if kept.exists() {
        fsx::put_aside(&kept, "earlier")?;
        kept = dir.join(name);
    }
    fsx::replace(&kept, &bytes)?;
    std::fs::remove_file(file).map_err(|e| Fault::io("remove", file, e))?;
    Ok(kept)
}

fn is_definition(file: &Path) -> bool {
    let ext = file.extension().and_then(|ext| ext.to_str());
    matches!(ext, Some("plist" | "service" | "timer"))
}

/// By its name or by what it starts. A label of ours can be an old one of theirs.
fn speaks_of_it(file: &Path) -> bool {
    let text = fsx::read_capped(file, CAP).ok().flatten().unwrap_or_default();
    let ours = [
        "oc-heal",
        "oc-guardian",
        "Unit=openclaw-watchdog",
        "Unit=openclaw-guardian",
    ];
    if ours.iter().any(|name| contains(&text, name)) {
        return false;
    }
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let named = [
        "ai.openclaw.watchdog.",
        "openclaw.healthcheck.",
        "openclaw-healthcheck.",
        "openclaw-watchdog.",
    ];
    named.iter().any(|part| name.contains(part)) || mentions(name.as_bytes()) || mentions(&text)
}

fn mentions(text: &[u8]) -> bool {
    SCRIPTS.iter().any(|script| contains(text, script))
}

fn contains(text: &[u8], part: &str) -> bool {
    text.windows(part.len()).any(|window| window == part.as_bytes())
}
