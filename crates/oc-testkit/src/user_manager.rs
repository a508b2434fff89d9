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

/// The same with a whole systemd as PID 1, which starts `$1` and nothing else: OpenClaw's installer asks the machine's manager too.
const BOOT: &str = r#"set -eu
mount -t tmpfs -o mode=755 tmpfs /run
umount /sys/fs/cgroup/unified 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
if [ -d /var/spool/cron/crontabs ]; then mount -t tmpfs -o mode=1730,gid="$(stat -c %g /var/spool/cron/crontabs)" tmpfs /var/spool/cron/crontabs; fi
mkdir -p /run/systemd/system /run/lock /run/user
cat >/run/systemd/system/oc.target <<X
[Unit]
DefaultDependencies=no
Wants=oc.service
X
cat >/run/systemd/system/oc.service <<X
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh $1
Delegate=yes
X
exec env -i container=docker PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=oc.target --log-target=null
"#;

/// A control group to boot in, where the kernel's second version of them is mounted.
const GROUP: &str = r#"for root in /sys/fs/cgroup/unified /sys/fs/cgroup; do
    if [ -e $root/cgroup.procs ]; then mkdir -p $root/$0; echo 0 >$root/$0/cgroup.procs; break; fi
done
exec "$@""#;

/// Whether this process runs in such namespaces.
#[must_use]
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// A command that runs these words in namespaces of their own.
#[must_use]
pub fn enclosed(words: &[String]) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(NAMESPACES)
        .args(["/bin/sh", "-c", SCRIPT, "sh"])
        .args(words)
        .env(INSIDE, "1");
    command
}

/// Runs the rest of the calling test in namespaces of its own: `if !user_manager::inside() { return }` is its first line. The
/// outer call runs the inner one and fails as it does.
///
/// # Panics
/// When the inner test fails, or systemd, root or namespaces are missing: such a test is asked for by name.
#[must_use]
pub fn inside() -> bool {
    if is_inside() {
        return true;
    }
    assert!(
        rustix::process::getuid().is_root(),
        "a user manager in namespaces needs root"
    );
    let name = test_name();
    let status = enclosed(&test_words(&name))
        .status()
        .expect("unshare(1), from util-linux");
    assert!(status.success(), "{name}, inside its namespaces: {status}");
    false
}

/// As [`inside`], with systemd as PID 1 there. Takes a second longer.
///
/// # Panics
/// As [`inside`], and when the inner test takes longer than `patience`.
#[must_use]
pub fn inside_booted(patience: Duration) -> bool {
    if is_inside() {
        return true;
    }
    assert!(rustix::process::getuid().is_root(), "to boot a systemd needs root");
    let name = test_name();
    let machine = Machine::boot(&test_words(&name));
    let ended = crate::wait::try_wait_for(patience, || machine.ended());
    let said = machine.said();
    drop(machine);
    // Nobody to tell when it cannot be told.
    _ = std::io::Write::write_all(&mut std::io::stdout(), said.as_bytes());
    assert_eq!(ended, Some(0), "{name}, inside its namespaces");
    false
}

/// A command in namespaces of its own, with systemd as PID 1. Dropping it ends everything in there, and removes what the
/// command left in its TMPDIR.
#[derive(Debug)]
pub struct Machine {
    process: std::process::Child,
    dir: tempfile::TempDir,
    group: String,
}

impl Machine {
    /// Boots it.
    ///
    /// # Panics
    /// When root or unshare(1) is missing.
    #[must_use]
    pub fn boot(words: &[String]) -> Self {
        static BOOTED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let dir = tempfile::tempdir().expect("a directory");
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let mut script = format!(
            "export {INSIDE}=1 TMPDIR={}\n",
            quoted(&dir.path().display().to_string())
        );
        for (name, value) in std::env::vars().filter(|(name, _)| name.starts_with("OC_") || name == "PATH") {
            script.push_str(&format!("export {name}={}\n", quoted(&value)));
        }
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let words = words.join(" ");
        script.push_str(&format!(
            "cd \"$TMPDIR\"; {words} >said 2>&1; echo $? >code.new; mv code.new code\n"
        ));
        let file = dir.path().join("script");
        std::fs::write(&file, script).expect("a script");
        let nth = BOOTED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let group = format!("oc-test-{}-{nth}", std::process::id());
        let process = Command::new("/bin/sh")
            .args(["-c", GROUP, &group, "unshare", "--cgroup"])
            .args(NAMESPACES)
            .args(["/bin/sh", "-c", BOOT, "sh"])
            .arg(&file)
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("unshare(1), from util-linux");
        Self { process, dir, group }
    }

    /// The command's exit code, once it is over.
    #[must_use]
    pub fn ended(&self) -> Option<i32> {
        let code = std::fs::read_to_string(self.dir.path().join("code")).ok()?;
        code.trim().parse().ok()
    }

    /// What the command has said so far.
    #[must_use]
    pub fn said(&self) -> String {
        let said = std::fs::read(self.dir.path().join("said")).unwrap_or_default();
        String::from_utf8_lossy(&said).into_owned()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
        for root in ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"] {
            wait_until_gone(&Path::new(root).join(&self.group));
        }
    }
}

const NAMESPACES: [&str; 7] = [
    "--mount",
    "--pid",
    "--fork",
    "--kill-child=SIGKILL",
    "--mount-proc",
    "--propagation",
    "private",
];

fn test_name() -> String {
    std::thread::current().name().expect("the name of the test").to_owned()
}

fn test_words(name: &str) -> Vec<String> {
    let exe = std::env::current_exe()
        .expect("the test's own path")
        .display()
        .to_string();
    let flags = ["--exact", name, "--include-ignored", "--nocapture", "--test-threads=1"];
    std::iter::once(exe).chain(flags.map(str::to_owned)).collect()
}

/// Has the passwd entry of root name this HOME, as OpenClaw's installer wants it. Inside namespaces only.
///
/// # Panics
/// When it cannot be mounted.
pub fn live_in(env: &TestEnv) {
    assert!(is_inside(), "not on the real machine");
    let text = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let home = env.home().display();
    let lines = text.lines().map(|line| match line.split(':').collect::<Vec<_>>()[..] {
        ["root", x, uid, gid, gecos, _, shell] => format!("root:{x}:{uid}:{gid}:{gecos}:{home}:{shell}\n"),
        _ => format!("{line}\n"),
    });
    let own = env.write("passwd", lines.collect::<String>());
    let status = Command::new("mount").arg("--bind").arg(own).arg("/etc/passwd").status();
    assert!(status.is_ok_and(|status| status.success()), "mount(8)");
}

/// A gateway's unit as `openclaw gateway install` writes it, with this program in place of node.
#[must_use]
pub fn gateway_unit(env: &TestEnv, program: &Path, port: u16) -> String {
    format!(
        "[Unit]\nDescription=OpenClaw Gateway\nStartLimitBurst=10\nStartLimitIntervalSec=300\n\n\
         [Service]\nExecStart={} gateway run --port {port}\nRestart=always\nRestartSec=5\nRestartPreventExitStatus=78\n\
         TimeoutStopSec=330\nTimeoutStartSec=30\nSuccessExitStatus=0 143\nOOMPolicy=continue\nKillMode=mixed\n\
         Environment=HOME={} OPENCLAW_SYSTEMD_UNIT=openclaw-gateway.service\n\n[Install]\nWantedBy=default.target\n",
        program.display(),
        env.home().display(),
    )
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
            wait_until("the end of the user manager", Duration::from_secs(60), || {
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
        wait_until_gone(&self.group);
    }
}

/// Empty control groups would stay in the kernel for ever.
fn wait_until_gone(group: &Path) {
    _ = crate::wait::try_wait_for(Duration::from_secs(2), || {
        remove_groups(group);
        (!group.exists()).then_some(())
    });
}

fn remove_groups(group: &Path) {
    for entry in std::fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_groups(&entry.path());
        }
    }
    drop(std::fs::remove_dir(group));
}
