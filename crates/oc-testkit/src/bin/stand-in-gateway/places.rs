//! Where state and config lie, by OpenClaw's own rules.

use std::ffi::OsString;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    pub(crate) state_dir: PathBuf,
    pub(crate) config: PathBuf,
}

impl Places {
    /// `OPENCLAW_STATE_DIR`, else `.openclaw` (`.openclaw-PROFILE`) in `OPENCLAW_HOME`, else in `HOME`;
    /// `OPENCLAW_CONFIG_PATH`, else `openclaw.json` in there. `OPENCLAW_PROFILE` alone changes nothing.
    pub(crate) fn resolve(profile: Option<&str>, get: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name| get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let state_dir = path("OPENCLAW_STATE_DIR").unwrap_or_else(|| {
            let home = path("OPENCLAW_HOME")
                .or_else(|| path("HOME"))
                .unwrap_or_else(|| PathBuf::from("/"));
            home.join(profile.map_or_else(|| ".openclaw".to_owned(), |name| format!(".openclaw-{name}")))
        });
        let config = path("OPENCLAW_CONFIG_PATH").unwrap_or_else(|| state_dir.join("openclaw.json"));
        Self { state_dir, config }
    }

    /// The directory of the locks, as the real gateway names it.
    pub(crate) fn lock_dir(&self) -> PathBuf {
        let uid = rustix::process::getuid().as_raw();
        self.state_dir.join(format!("tmp/openclaw-{uid}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(profile: Option<&str>, vars: &[(&str, &str)]) -> (String, String) {
        let places = Places::resolve(profile, |name| {
            vars.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| OsString::from(value))
        });
        (
            places.state_dir.display().to_string(),
            places.config.display().to_string(),
        )
    }

    #[test]
    fn the_nearest_setting_wins() {
        let home = ("HOME", "/h");
        assert_eq!(resolve(None, &[home]).1, "/h/.openclaw/openclaw.json");
        assert_eq!(resolve(Some("foo"), &[home]).0, "/h/.openclaw-foo");
        assert_eq!(resolve(None, &[home, ("OPENCLAW_PROFILE", "foo")]).0, "/h/.openclaw");
        assert_eq!(resolve(None, &[home, ("OPENCLAW_HOME", "/o")]).0, "/o/.openclaw");
        assert_eq!(
            resolve(None, &[home, ("OPENCLAW_STATE_DIR", "/s")]).1,
            "/s/openclaw.json"
        );
        assert_eq!(resolve(None, &[home, ("OPENCLAW_CONFIG_PATH", "/c.json")]).1, "/c.json");
    }
}
