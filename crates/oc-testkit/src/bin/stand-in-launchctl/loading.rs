//! What changes who is loaded: bootstrap, bootout, enable, disable, and the legacy load and unload that exit with 0 whatever
//! happens.

use crate::daemon::{Launchd, split};
use crate::job::Job;
use crate::plist;
use crate::reply::Reply;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Why a bootstrap fails: the code and text that root gets; everybody else gets 5 for all of them but the first two.
#[derive(Debug, Clone, Copy)]
struct Failure(i32, &'static str);

const NO_DOMAIN: Failure = Failure(125, "Domain does not support specified action");
const MISSING: Failure = Failure(2, "No such file or directory");
const MALFORMED: Failure = Failure(109, "Invalid property list");
const PERMISSIONS: Failure = Failure(122, "Path had bad ownership/permissions");
const DISABLED: Failure = Failure(119, "Service is disabled");
const SESSION: Failure = Failure(134, "Service cannot load in requested session");
const LOADED: Failure = Failure(37, "Operation already in progress");
const DRAINING: Failure = Failure(5, "Input/output error");

pub(crate) fn bootstrap(launchd: &mut Launchd, domain: &str, path: &str) -> Reply {
    match put_in(launchd, domain, Path::new(path)) {
        Ok(()) => Reply::ok(),
        Err(Failure(code, text)) if code == NO_DOMAIN.0 || launchd.knobs.rich => {
            let detail = if code == DISABLED.0 || code == PERMISSIONS.0 {
                format!("{path}: {text}\n")
            } else {
                String::new()
            };
            Reply::error(code, format!("{detail}Bootstrap failed: {code}: {text}\n"))
        }
        Err(_) => Reply::error(
            5,
            "Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.\n",
        ),
    }
}

fn put_in(launchd: &mut Launchd, domain: &str, path: &Path) -> Result<(), Failure> {
    if !launchd.domain_is_there(domain) {
        return Err(NO_DOMAIN);
    }
    let mode = std::fs::metadata(path).map_err(|_| MISSING)?.permissions().mode();
    let definition = plist::read(path).ok_or(MALFORMED)?;
    if mode & 0o022 != 0 {
        return Err(PERMISSIONS);
    }
    if launchd.is_disabled(&definition.label) {
        return Err(DISABLED);
    }
    let wanted = if domain.starts_with("gui/") {
        "Aqua"
    } else {
        "Background"
    };
    if definition
        .session_type
        .as_ref()
        .is_some_and(|all| !all.iter().any(|one| one == wanted))
    {
        return Err(SESSION);
    }
    let target = format!("{domain}/{}", definition.label);
    match launchd.jobs.get(&target) {
        Some(job) if job.draining => Err(DRAINING),
        Some(_) => Err(LOADED),
        None => {
            launchd.jobs.insert(target, Job::loaded(definition, &launchd.knobs));
            Ok(())
        }
    }
}

pub(crate) fn bootout(launchd: &mut Launchd, target: &str) -> Reply {
    if split(target).is_none() {
        return Reply::error(3, "Boot-out failed: 3: No such process\n");
    }
    take_out(launchd, target).unwrap_or_else(|| Reply::error(3, "Boot-out failed: 3: No such process\n"))
}

pub(crate) fn bootout_path(launchd: &mut Launchd, domain: &str, path: &str) -> Reply {
    let target = target_of(launchd, domain, Path::new(path));
    target
        .and_then(|target| take_out(launchd, &target))
        .unwrap_or_else(|| Reply::error(5, "Boot-out failed: 5: Input/output error\n"))
}

/// `None` when it is not loaded.
fn take_out(launchd: &mut Launchd, target: &str) -> Option<Reply> {
    let job = launchd.jobs.get_mut(target)?;
    if job.draining {
        return Some(Reply::error(36, "Boot-out failed: 36: Operation now in progress\n"));
    }
    if job.pid().is_some() {
        job.drain(&launchd.knobs);
    } else {
        launchd.jobs.remove(target);
    }
    Some(Reply::ok())
}

fn target_of(launchd: &Launchd, domain: &str, path: &Path) -> Option<String> {
    let loaded = launchd.labels_in(domain).into_iter();
    loaded
        .map(|label| format!("{domain}/{label}"))
        .find(|target| launchd.jobs[target].definition.path == path)
}

pub(crate) fn enable(launchd: &mut Launchd, target: &str, enabled: bool) -> Reply {
    if let Some((_, label)) = split(target) {
        launchd.disabled.insert(label.to_owned(), !enabled);
        launchd.keep_disabled();
    }
    Reply::ok()
}

fn own_domain() -> String {
    format!("gui/{}", rustix::process::getuid().as_raw())
}

pub(crate) fn load(launchd: &mut Launchd, args: &[&str]) -> Reply {
    let mut text = String::new();
    for path in args.iter().filter(|arg| !arg.starts_with('-')) {
        if let Some(definition) = plist::read(Path::new(path)).filter(|_| args.contains(&"-w")) {
            launchd.disabled.insert(definition.label, false);
            launchd.keep_disabled();
        }
        if put_in(launchd, &own_domain(), Path::new(path)).is_err() {
            text.push_str(
                "Load failed: 5: Input/output error\nTry running `launchctl bootstrap` as root for richer errors.\n",
            );
        }
    }
    Reply::error(0, text)
}

pub(crate) fn unload(launchd: &mut Launchd, args: &[&str]) -> Reply {
    let mut text = String::new();
    for path in args.iter().filter(|arg| !arg.starts_with('-')) {
        if let Some(definition) = plist::read(Path::new(path)).filter(|_| args.contains(&"-w")) {
            launchd.disabled.insert(definition.label, true);
            launchd.keep_disabled();
        }
        let target = target_of(launchd, &own_domain(), Path::new(path));
        if target.and_then(|target| take_out(launchd, &target)).is_none() {
            text.push_str(
                "Unload failed: 5: Input/output error\nTry running `launchctl bootout` as root for richer errors.\n",
            );
        }
    }
    Reply::error(0, text)
}

/// Every process dies, and everything in `~/Library/LaunchAgents` that is not disabled is loaded at login.
pub(crate) fn reboot(launchd: &mut Launchd) -> Reply {
    launchd.jobs.values_mut().for_each(Job::end);
    launchd.jobs.clear();
    let home = std::env::var_os("HOME").unwrap_or_default();
    let agents = std::fs::read_dir(Path::new(&home).join("Library/LaunchAgents"));
    for entry in agents.into_iter().flatten().flatten() {
        // What cannot be loaded is not.
        _ = put_in(launchd, &own_domain(), &entry.path());
    }
    Reply::ok()
}
