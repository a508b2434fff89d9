//! A real systemd user manager and a real cron for one test, in private namespaces: nothing of this machine's is seen or
//! touched. Needs root, and systemd's programs; PID 1 need not be systemd.

use crate::cmd::Running;
use crate::env::TestEnv;
use crate::wait::wait_until;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Set inside the namespaces.
const INSIDE: &str = "OC_TEST_INSIDE_NAMESPACES";

/// Own /run with what `sd_booted` looks for, own control groups, own crontabs; then the test again.
const SCRIPT: &str = r#"set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/user
mount -t cgroup2 cgroup2 /sys/fs/cgroup
if [ -d /var/spool/cron/crontabs ]; then mount -t tmpfs -o mode=1730,gid="$(stat -c %g /var/spool/cron/crontabs)" tmpfs /var/spool/cron/crontabs; fi
code=0
"$@" || code=$?
exit $code
"#;

/// Runs the rest of the calling test in namespaces of its own: `if !user_manager::inside() { return }` is its first line. The
/// outer call runs the inner one and fails as it does.
///
/// # Panics
/// When the inner test fails, or systemd, root or namespaces are missing: such a test is asked for by name.
#[must_use]
pub fn inside() -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    assert!(
        rustix::process::getuid().is_root(),
        "a user manager in namespaces needs root"
    );
    let thread = std::thread::current();
    let name = thread.name().expect("the name of the test");
    let exe = std::env::current_exe().expect("the test's own path");
    let status = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"])
        .args(["--propagation", "private", "/bin/sh", "-c", SCRIPT, "sh"])
        .arg(exe)
        .args(["--exact", name, "--include-ignored", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .status()
        .expect("unshare(1), from util-linux");
    assert!(status.success(), "{name}, inside its namespaces: {status}");
    false
}

/// The manager of one environment's user.
#[derive(Debug)]
pub struct UserManager {
    runtime: PathBuf,
    group: PathBuf,
    running: Option<Running>,
}

impl UserManager {
    /// Starts it and waits until it answers. Commands of `env` find it without being told, as from cron.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(env: &mut TestEnv) -> Self {
        let uid = rustix::process::getuid().as_raw();
        let runtime = PathBuf::from(format!("/run/user/{uid}"));
        let group =
            Path::new("/sys/fs/cgroup").join(format!("oc-test-{}", env.home().file_name().expect("a name").display()));
        std::fs::create_dir_all(&group).expect("a control group");
        env.set("OC_SERVICE_MANAGER", "systemd");
        env.unset("XDG_RUNTIME_DIR");
        let mut manager = Self {
            runtime,
            group,
            running: None,
        };
        manager.boot(env);
        manager
    }

    /// As at a login, or at boot for who lingers.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn boot(&mut self, env: &TestEnv) {
        use std::os::unix::fs::DirBuilderExt as _;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.runtime)
            .expect("a runtime directory");
        let join = "echo 0 >\"$0/cgroup.procs\" && exec /lib/systemd/systemd --user --unit=default.target";
        let running = env
            .foreign("/bin/sh")
            .args(["-c", join])
            .arg(&self.group)
            .env("XDG_RUNTIME_DIR", self.runtime.display())
            .env("SYSTEMD_LOG_TARGET", "console")
            .spawn();
        self.running = Some(running);
        wait_until("a user manager", Duration::from_secs(20), || {
            let out = self.systemctl(env, &["is-system-running"]);
            matches!(out.trim(), "running" | "degraded")
        });
    }

    /// As when the machine goes down: every unit with it.
    pub fn shut_down(&mut self, env: &TestEnv) {
        self.systemctl(env, &["exit"]);
        if let Some(mut running) = self.running.take() {
            wait_until("the end of the user manager", Duration::from_secs(20), || {
                running.try_wait().is_some()
            });
        }
        // What /run/user/UID held is gone after a boot.
        drop(std::fs::remove_dir_all(&self.runtime));
    }

    /// What `systemctl --user ARGS` prints; whatever its exit code.
    #[must_use]
    pub fn ask(&self, env: &TestEnv, args: &[&str]) -> String {
        self.systemctl(env, args)
    }

    /// `systemctl --user ARGS`.
    pub fn tell(&self, env: &TestEnv, args: &[&str]) {
        drop(self.systemctl(env, args));
    }

    fn systemctl(&self, env: &TestEnv, args: &[&str]) -> String {
        let out = env
            .foreign("systemctl")
            .arg("--user")
            .args(args)
            .env("XDG_RUNTIME_DIR", self.runtime.display())
            .run();
        out.stdout
    }
}

impl Drop for UserManager {
    fn drop(&mut self) {
        // The namespaces end everything; only the empty control groups would stay.
        if let Some(mut running) = self.running.take() {
            running.signal(crate::Signal::KILL);
            let _collected = running.try_wait();
        }
        drop(std::fs::write(self.group.join("cgroup.kill"), "1"));
        for _ in 0..50 {
            remove_groups(&self.group);
            if !self.group.exists() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn remove_groups(group: &Path) {
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&entry.path());
        }
    }
    drop(std::fs::remove_dir(group));
}
