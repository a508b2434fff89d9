//! Where everything of one instance lies. Every file name of the suite is here and nowhere else.

use crate::exit::Exit;
use crate::fault::{Fault, Result};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The name of the instance that is meant when none is named.
pub const DEFAULT_INSTANCE: &str = "default";

/// What the person (or the job that install wrote) said about places. Flags win over the environment.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// `--instance` / `OC_INSTANCE`; `None` and "default" mean the same.
    pub instance: Option<String>,
    /// `--state-dir` / `OC_STATE_DIR`: the watchdog directory itself.
    pub state_dir: Option<PathBuf>,
    /// The OpenClaw directory, when config.json names one for the instance.
    pub openclaw_dir: Option<PathBuf>,
    /// OpenClaw's profile, when it is not called like the instance.
    pub profile: Option<String>,
    /// Found by going through all instances: the environment speaks about another one, so `OPENCLAW_STATE_DIR`,
    /// `OPENCLAW_CONFIG_PATH` and `OC_STATE_DIR` do not apply.
    pub enumerated: bool,
}

/// The places of one instance. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    instance: String,
    profile: Option<String>,
    openclaw: PathBuf,
    service_config: PathBuf,
    watchdog: PathBuf,
}

impl Paths {
    /// Resolves the places from flags and the environment; `get` reads a variable (`std::env::var_os` outside tests).
    /// Touches no file.
    ///
    /// OpenClaw directory: `OPENCLAW_STATE_DIR`, else `.openclaw` (profile: `.openclaw-NAME`) in `OPENCLAW_HOME`, else in
    /// `HOME`. Watchdog directory: `--state-dir`, `OC_STATE_DIR`, else `watchdog` in the OpenClaw directory.
    ///
    /// # Errors
    /// 78 when neither `HOME` nor the other variables say where, or one of them is no absolute path (cron, launchd and a
    /// shell start in different directories and must mean the same instance); 64 for a bad instance name.
    pub fn resolve(places: &Places, get: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        let instance = places.instance.clone().unwrap_or_else(|| DEFAULT_INSTANCE.to_owned());
        check_name(&instance)?;
        let profile = match &places.profile {
            Some(profile) => {
                check_name(profile)?;
                Some(profile.clone())
            }
            None if instance == DEFAULT_INSTANCE => None,
            None => Some(instance.clone()),
        };
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        // About one instance only, hence not for one of many.
        let own = |name: &str| if places.enumerated { None } else { get(name) };
        let home = get("HOME").map(PathBuf::from);
        let absolute = |name: &str, value: OsString| -> Result<PathBuf> {
            let path = expand(PathBuf::from(value), home.as_deref());
            if path.is_absolute() {
                return Ok(path);
            }
            Err(
                Fault::config(format_args!("{name} is not an absolute path: {}", path.display())).hint(format_args!(
                    "write it in full; a relative {name} means another place for cron than for your shell"
                )),
            )
        };
        let openclaw = if let Some(dir) = &places.openclaw_dir {
            absolute("openclaw_dir of the instance", dir.clone().into_os_string())?
        } else if let Some(dir) = own("OPENCLAW_STATE_DIR") {
            absolute("OPENCLAW_STATE_DIR", dir)?
        } else {
            let base = match (get("OPENCLAW_HOME"), get("HOME")) {
                (Some(base), _) => absolute("OPENCLAW_HOME", base)?,
                (None, Some(base)) => absolute("HOME", base)?,
                (None, None) => return Err(homeless()),
            };
            base.join(match &profile {
                Some(profile) => format!(".openclaw-{profile}"),
                None => ".openclaw".to_owned(),
            })
        };
        let service_config = match own("OPENCLAW_CONFIG_PATH") {
            Some(path) => absolute("OPENCLAW_CONFIG_PATH", path)?,
            None => openclaw.join("openclaw.json"),
        };
        let watchdog = if let Some(dir) = &places.state_dir {
            let dir = expand(dir.clone(), home.as_deref());
            std::path::absolute(&dir).map_err(|e| Fault::io("resolve", &dir, e))?
        } else if let Some(dir) = own("OC_STATE_DIR") {
            absolute("OC_STATE_DIR", dir)?
        } else {
            openclaw.join("watchdog")
        };
        Ok(Self {
            instance,
            profile,
            openclaw,
            service_config,
            watchdog,
        })
    }

    /// [`Paths::resolve`] from the process's own environment.
    ///
    /// # Errors
    /// As [`Paths::resolve`].
    pub fn from_env(places: &Places) -> Result<Self> {
        Self::resolve(places, |name| std::env::var_os(name))
    }

    /// "default", or the name given by `--instance`.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// OpenClaw's profile; `None` for the default one.
    #[must_use]
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// OpenClaw's directory, `~/.openclaw`.
    #[must_use]
    pub fn openclaw(&self) -> &Path {
        &self.openclaw
    }

    /// The service's configuration, `~/.openclaw/openclaw.json`.
    #[must_use]
    pub fn service_config(&self) -> &Path {
        &self.service_config
    }

    /// The same instance with the service's configuration elsewhere (`service.config_file`).
    #[must_use]
    pub fn with_service_config(mut self, path: PathBuf) -> Self {
        self.service_config = path;
        self
    }

    /// `~/.openclaw/.env`: KEY=VALUE, parsed, never executed.
    #[must_use]
    pub fn dotenv(&self) -> PathBuf {
        self.openclaw.join(".env")
    }

    /// `~/.openclaw/logs/watchdog.log`.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.openclaw.join("logs/watchdog.log")
    }

    /// The watchdog directory, 0700: all state of ours.
    #[must_use]
    pub fn watchdog(&self) -> &Path {
        &self.watchdog
    }

    /// Directory of the locks.
    #[must_use]
    pub fn locks(&self) -> PathBuf {
        self.watchdog.join("locks")
    }

    /// `incidents/ID/`: everything about one incident.
    #[must_use]
    pub fn incident(&self, id: &str) -> PathBuf {
        self.incidents().join(id)
    }
}

impl Paths {
    /// Whether an entry of the watchdog directory is ours: one of our names, with whatever is put behind it (a rotated journal,
    /// a file put aside), or a temporary file of ours.
    #[must_use]
    pub fn is_ours(name: &OsStr) -> bool {
        let name = name.to_string_lossy();
        let stem = |name: &str| name.split(['.', '/']).next().unwrap_or_default().to_owned();
        name.starts_with(".oc-") || IN_WATCHDOG.iter().any(|ours| stem(ours) == stem(&name))
    }
}

/// One accessor for each name in the watchdog directory.
macro_rules! in_watchdog {
    ($($(#[doc = $doc:literal])+ $method:ident => $name:literal;)+) => {
        const IN_WATCHDOG: &[&str] = &[$($name),+];

        impl Paths {
            $($(#[doc = $doc])+
            #[must_use]
            pub fn $method(&self) -> PathBuf {
                self.watchdog.join($name)
            })+
        }
    };
}

in_watchdog! {
    /// Our configuration.
    config => "config.json";
    /// Stamps of configuration files that were found valid, so that they are not validated at every start.
    config_cache => "config.cache.json";
    /// oc-escalate's history.
    state => "state.json";
    /// What one pass hands to the next; may be lost.
    carry => "carry.json";
    /// Append-only events.
    journal => "journal.jsonl";
    /// A person's will: stopped, maintenance.
    intent => "intent.json";
    /// Held by the one healing.
    healing_lock => "locks/healing.lock";
    /// Held for the moment of a change of state.json or intent.json.
    state_lock => "locks/state.lock";
    /// Held for the moment of a rotation of the jobs' logs.
    logs_lock => "locks/logs.lock";
    /// The current pass.
    run => "run";
    /// Incidents, one directory each.
    incidents => "incidents";
    /// The embedded supervisor: lock, control FIFO, status, recipe.
    supervise => "supervise";
    /// Locked as long as an embedded supervisor lives.
    supervise_lock => "supervise/lock";
    /// FIFO through which the embedded supervisor takes commands.
    supervise_control => "supervise/control";
    /// What the embedded supervisor says about the service.
    supervise_status => "supervise/status.json";
    /// How the embedded supervisor was started, so that `ensure` can start it again.
    supervise_recipe => "supervise/recipe.json";
    /// How the starts through `oc-guardian exec` went.
    starts => "starts.json";
    /// What `oc-guardian install` registered where.
    registration => "registration.json";
    /// Its time says when the watchdog last had the guardian look after its own entry.
    upkeep => "upkeep";
    /// What the guardian put back when.
    ensure => "ensure.json";
    /// The predecessor's jobs that `--takeover` put out of action, and how they come back.
    taken_over => "taken-over";
    /// Snapshots of the service's configuration by content hash, and their index.
    generations => "generations";
    /// The repair that is neither kept nor taken back yet.
    transaction => "transaction.json";
    /// JSON Schema of the service's configuration, as the installed version printed it.
    service_schema => "service-schema.json";
    /// Notifications that wait for delivery.
    outbox => "outbox";
    /// The AI session that runs, so that one whose master was killed can be ended.
    agent_session => "agent-session.json";
    /// Plans that healed.
    playbook => "playbook";
    /// Prometheus text file.
    metrics => "metrics.prom";
}

/// `~` and `~/x` as a shell would have expanded them; OpenClaw does the same with its variables.
pub(crate) fn expand(path: PathBuf, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path,
    }
}

fn homeless() -> Fault {
    Fault::config("cannot tell where OpenClaw lives: HOME is not set")
        .hint("set HOME, or OPENCLAW_STATE_DIR to the OpenClaw directory")
}

/// An instance name becomes part of file names, labels and metrics.
fn check_name(name: &str) -> Result<()> {
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && !name.starts_with('-');
    if fits {
        return Ok(());
    }
    Err(Fault::new(Exit::Usage, format_args!("{name:?} is no instance name"))
        .hint("use letters, digits, - and _, at most 64"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(places: &Places, env: &[(&str, &str)]) -> Result<Paths> {
        Paths::resolve(places, |name| {
            env.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, value)| OsString::from(value))
        })
    }

    fn named(instance: &str) -> Places {
        Places {
            instance: Some(instance.to_owned()),
            ..Places::default()
        }
    }

    #[test]
    fn the_default_places() {
        let paths = resolve(&Places::default(), &[("HOME", "/home/u")]).unwrap();
        assert_eq!(paths.openclaw(), Path::new("/home/u/.openclaw"));
        assert_eq!(paths.service_config(), Path::new("/home/u/.openclaw/openclaw.json"));
        assert_eq!(paths.config(), Path::new("/home/u/.openclaw/watchdog/config.json"));
        assert_eq!(paths.log(), Path::new("/home/u/.openclaw/logs/watchdog.log"));
        assert_eq!(paths.healing_lock(), paths.locks().join("healing.lock"));
        assert_eq!((paths.instance(), paths.profile()), ("default", None));
        assert_eq!(resolve(&named("default"), &[("HOME", "/home/u")]).unwrap(), paths);
    }

    #[test]
    fn our_files_are_known_by_name_and_others_are_not() {
        for name in [
            "state.json",
            "journal.jsonl.2",
            "journal.lock",
            "config.json.unreadable.1",
            "locks",
            ".oc-x.new",
        ] {
            assert!(Paths::is_ours(OsStr::new(name)), "{name}");
        }
        for name in ["crash-counter", "statement.pdf", "", ".env", ".ssh"] {
            assert!(!Paths::is_ours(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn openclaws_own_variables_win_in_its_order() {
        let env = [
            ("HOME", "/home/u"),
            ("OPENCLAW_HOME", "/srv/oc"),
            ("OPENCLAW_STATE_DIR", "~/state"),
        ];
        let paths = resolve(&Places::default(), &env).unwrap();
        assert_eq!(paths.openclaw(), Path::new("/home/u/state"));
        let paths = resolve(&Places::default(), &env[..2]).unwrap();
        assert_eq!(paths.openclaw(), Path::new("/srv/oc/.openclaw"));
        let env = [("HOME", "/home/u"), ("OPENCLAW_CONFIG_PATH", "/etc/oc.json")];
        let paths = resolve(&Places::default(), &env).unwrap();
        assert_eq!(paths.service_config(), Path::new("/etc/oc.json"));
        assert_eq!(paths.openclaw(), Path::new("/home/u/.openclaw"));
    }

    #[test]
    fn a_profile_has_its_own_directory_and_one_of_many_ignores_the_environment_of_another() {
        let env = [
            ("HOME", "/home/u"),
            ("OPENCLAW_STATE_DIR", "/pinned"),
            ("OC_STATE_DIR", "/w"),
        ];
        let pinned = resolve(&named("work"), &env).unwrap();
        assert_eq!(pinned.openclaw(), Path::new("/pinned"));
        assert_eq!(pinned.watchdog(), Path::new("/w"));
        let one_of_many = Places {
            enumerated: true,
            ..named("work")
        };
        let paths = resolve(&one_of_many, &env).unwrap();
        assert_eq!(paths.openclaw(), Path::new("/home/u/.openclaw-work"));
        assert_eq!(paths.watchdog(), Path::new("/home/u/.openclaw-work/watchdog"));
        assert_eq!(paths.profile(), Some("work"));
    }

    #[test]
    fn the_state_dir_flag_beats_its_variable_and_may_be_relative() {
        let places = Places {
            state_dir: Some("w".into()),
            ..Places::default()
        };
        let paths = resolve(&places, &[("HOME", "/home/u"), ("OC_STATE_DIR", "/other")]).unwrap();
        assert_eq!(paths.watchdog(), std::env::current_dir().unwrap().join("w"));
    }

    #[test]
    fn without_home_there_is_one_clear_error_unless_the_others_say_where() {
        let error = resolve(&Places::default(), &[]).unwrap_err();
        assert_eq!(error.exit, Exit::Config);
        assert!(error.what.contains("HOME") && error.hint.unwrap().contains("OPENCLAW_STATE_DIR"));
        assert!(resolve(&Places::default(), &[("HOME", "")]).is_err());
        assert!(resolve(&Places::default(), &[("OPENCLAW_STATE_DIR", "/srv/oc")]).is_ok());
    }

    #[test]
    fn a_relative_variable_and_a_hostile_instance_name_are_refused() {
        for env in [
            [("HOME", "home"), ("X", "")],
            [("HOME", "/home/u"), ("OPENCLAW_STATE_DIR", "state")],
            [("HOME", "/home/u"), ("OPENCLAW_CONFIG_PATH", "./openclaw.json")],
        ] {
            assert_eq!(resolve(&Places::default(), &env).unwrap_err().exit, Exit::Config);
        }
        for name in ["", "../x", "a/b", "-n", "a b", "ä"] {
            let error = resolve(&named(name), &[("HOME", "/home/u")]).unwrap_err();
            assert_eq!(error.exit, Exit::Usage, "{name}");
        }
    }
}
