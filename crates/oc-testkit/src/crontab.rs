//! A crontab(1) that keeps one file in HOME: nothing of a test reaches the real one.

use crate::env::TestEnv;
use std::path::PathBuf;

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crontab {
    /// As Debian's.
    Works,
    /// As one that knows no `-n`.
    WithoutCheck,
    /// Lists, and may not write: macOS without Full Disk Access.
    Refuses,
    /// Never answers: macOS while it asks for a permission that nobody is there to give.
    Hangs,
    /// Says yes and keeps nothing.
    Forgets,
}

const SCRIPT: &str = r#"
tab=$HOME/.stand-in-crontab
mode=$(cat "$HOME/.stand-in-crontab-mode")
[ "$mode" = Hangs ] && exec sleep 600
check() { # every line of stdin is empty, a comment, a variable, or has five fields and a command of a length that fits
    awk 'length($0) > 998 { exit 1 }
        /^[ \t\r]*(#|$)/ || /^[ \t]*[A-Za-z_]+[ \t]*=/ { next }
        $1 ~ /^@/ && NF > 1 { next }
        NF < 6 || $1 !~ /^[0-9*]/ { exit 1 }'
}
case $*:$mode in
-h:Works | -h:Forgets | -h:Refuses) echo 'usage: crontab [-u user] [-n] file (dry run: checks the syntax, then bails out)' >&2 ;;
-h:*) echo 'usage: crontab [-u user] file' >&2; exit 1 ;;
-l:*) if [ -f "$tab" ]; then cat "$tab"; else echo "no crontab for $(id -un)" >&2; exit 1; fi ;;
'-n -:WithoutCheck') echo 'crontab: illegal option -- n' >&2; exit 1 ;;
'-n -:'*) check || { echo 'errors in crontab file' >&2; exit 1; } ;;
-:Refuses) echo 'crontab: tmp/tmp.4711: Operation not permitted' >&2; exit 1 ;;
-:Forgets) cat >/dev/null ;;
-:*) cat >"$tab.new" && check <"$tab.new" && mv "$tab.new" "$tab" || { echo "errors in crontab file, can't install" >&2; exit 1; } ;;
*) echo "crontab: unexpected: $*" >&2; exit 1 ;;
esac
"#;

impl TestEnv {
    /// Puts a crontab(1) on PATH, or changes how the one there behaves.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn crontab(&self, how: Crontab) {
        self.write(".stand-in-crontab-mode", format!("{how:?}"));
        if !self.path("bin/crontab").exists() {
            self.stub("crontab", SCRIPT);
        }
    }

    /// The file that it keeps.
    #[must_use]
    pub fn crontab_path(&self) -> PathBuf {
        self.path(".stand-in-crontab")
    }
}
