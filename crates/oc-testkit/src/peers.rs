//! Other supervisors of the system, set up in a HOME of their own: for measuring and judging them beside ours. Whatever they
//! start has that HOME in its environment and is ended with it.

use crate::cmd::Cmd;
use crate::env::TestEnv;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// Where a program of this name is.
///
/// # Errors
/// It is nowhere on PATH, in words.
pub fn installed(program: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| format!("{program} is not installed"))
}

/// Writes a shell script below HOME that can be executed.
///
/// # Panics
/// When it cannot be written.
pub fn script(env: &TestEnv, below: &str, text: &str) -> PathBuf {
    let path = env.write(below, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("0755");
    path
}

/// The control file of monit, below HOME.
pub const MONITRC: &str = "monitrc";

/// monit at a cycle of one second, keeping `command` alive as the service `svc`. Its tests wait `start_s` seconds for a start;
/// a stop is TERM to the group, and KILL a second later. `tests` are lines of its control file.
///
/// # Errors
/// monit is not installed.
///
/// # Panics
/// When its files cannot be written.
pub fn monit(env: &TestEnv, command: &str, start_s: u32, tests: &[String]) -> Result<Cmd, String> {
    let monit = installed("monit")?;
    let dir = env.home().display();
    // monit gives its programs an empty environment; HOME is how we find them again.
    let vars: String = env.vars().fold(String::new(), |mut text, (name, value)| {
        // Writing into a String cannot fail.
        _ = writeln!(text, "export {name}='{value}'");
        text
    });
    let start = format!("{vars}cd\nsetsid {command} </dev/null >/dev/null 2>&1 &\necho $! >{dir}/svc.pid");
    let stop = format!(
        "pid=$(cat {dir}/svc.pid)\nkill -s TERM -- -$pid\nfor _ in 1 2 3 4 5 6 7 8 9 10; do\n  \
         kill -s 0 -- -$pid 2>/dev/null || exit 0\n  sleep 0.1\ndone\nkill -s KILL -- -$pid"
    );
    let (start, stop) = (script(env, "monit-start", &start), script(env, "monit-stop", &stop));
    let tests: String = tests.iter().map(|test| format!("  {test}\n")).collect();
    let conf = env.write(
        MONITRC,
        format!(
            "set daemon 1\nset logfile {dir}/monit.log\nset pidfile {dir}/monit.pid\nset idfile {dir}/monit.id\n\
             set statefile {dir}/monit.state\nset httpd unixsocket {dir}/monit.sock\n  allow localhost\n\
             check process svc with pidfile {dir}/svc.pid\n  start program = \"{}\" with timeout {start_s} seconds\n  \
             stop program = \"{}\" with timeout 4 seconds\n{tests}",
            start.display(),
            stop.display()
        ),
    );
    std::fs::set_permissions(&conf, std::fs::Permissions::from_mode(0o600)).expect("0600");
    Ok(env.foreign(monit).arg("-I").arg("-c").arg(conf))
}

/// The configuration of supervisord, below HOME.
pub const SUPERVISORD_CONF: &str = "supervisord.conf";

/// supervisord, keeping `command` alive as the program `svc`. `settings` are more lines about it, and more sections.
///
/// # Errors
/// supervisord is not installed.
///
/// # Panics
/// When its configuration cannot be written.
pub fn supervisord(env: &TestEnv, command: &str, settings: &[String]) -> Result<Cmd, String> {
    let supervisord = installed("supervisord")?;
    let dir = env.home().display();
    let conf = env.write(
        SUPERVISORD_CONF,
        format!(
            "[supervisord]\nnodaemon=true\nlogfile={dir}/s.log\npidfile={dir}/s.pid\nchildlogdir={dir}/tmp\n\
             [unix_http_server]\nfile={dir}/s.sock\n[supervisorctl]\nserverurl=unix://{dir}/s.sock\n\
             [rpcinterface:supervisor]\n\
             supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n\
             [program:svc]\ncommand={command}\nautorestart=true\n{}\n",
            settings.join("\n")
        ),
    );
    Ok(env.foreign(supervisord).arg("-c").arg(conf))
}
