//! What is asked: print, print-disabled, list.

use crate::daemon::{Launchd, split};
use crate::job::{End, Job};
use crate::reply::Reply;

pub(crate) fn print(launchd: &Launchd, target: &str) -> Reply {
    let Some((domain, label)) = split(target) else {
        return print_domain(launchd, target);
    };
    if let Some(reply) = absent(launchd, domain) {
        return reply;
    }
    match launchd.jobs.get(target) {
        Some(job) => Reply::text(describe(launchd, domain, job)),
        None => not_found(launchd, domain, label),
    }
}

/// 113, as `print` and `kickstart` say it.
pub(crate) fn not_found(launchd: &Launchd, domain: &str, label: &str) -> Reply {
    let head = if launchd.knobs.old { "" } else { "Bad request.\n" };
    let domain = match domain.split_once('/') {
        Some(("gui", uid)) => format!("user gui: {uid}"),
        Some((_, uid)) => format!("user: {uid}"),
        None => domain.to_owned(),
    };
    Reply::error(
        113,
        format!("{head}Could not find service \"{label}\" in domain for {domain}\n"),
    )
}

fn absent(launchd: &Launchd, domain: &str) -> Option<Reply> {
    let code = launchd.knobs.no_session.filter(|_| !launchd.domain_is_there(domain))?;
    let uid = domain.rsplit('/').next().unwrap_or_default();
    Some(Reply::error(
        code,
        match code {
            112 => format!("Could not find domain for user gui: {uid}\n"),
            _ => "Domain does not support specified action\n".to_owned(),
        },
    ))
}

fn print_domain(launchd: &Launchd, domain: &str) -> Reply {
    if let Some(reply) = absent(launchd, domain) {
        return reply;
    }
    let services: String = launchd
        .labels_in(domain)
        .iter()
        .map(|label| {
            let pid = launchd.jobs[&format!("{domain}/{label}")].pid().unwrap_or(0);
            format!("\t\t{pid:>8}      - \t{label}\n")
        })
        .collect();
    Reply::text(format!(
        "{domain} = {{\n\ttype = login\n\thandle = 100041\n\tservices = {{\n{services}\t}}\n}}\n"
    ))
}

fn describe(launchd: &Launchd, domain: &str, job: &Job) -> String {
    let definition = &job.definition;
    let head = if launchd.knobs.old {
        definition.label.clone()
    } else {
        format!("{domain}/{}", definition.label)
    };
    let mut text = format!(
        "{head} = {{\n\tactive count = {}\n\tpath = {}\n\ttype = LaunchAgent\n\tstate = {}\n\n\tprogram = {}\n\targuments = {{\n",
        u8::from(job.pid().is_some()),
        definition.path.display(),
        job.state(),
        definition.argv[0]
    );
    for word in &definition.argv {
        text.push_str(&format!("\t\t{word}\n"));
    }
    text.push_str("\t}\n\n\tenvironment = {\n");
    for (name, value) in &definition.env {
        text.push_str(&format!("\t\t{name} => {value}\n"));
    }
    text.push_str(&format!(
        "\t}}\n\n\tdomain = {domain} [100041]\n\tminimum runtime = {}\n\texit timeout = {}\n\truns = {}\n",
        definition.throttle, definition.exit_timeout, job.runs
    ));
    if let Some(pid) = job.pid() {
        text.push_str(&format!("\tpid = {pid}\n"));
    }
    text.push_str(&match job.last {
        None => "\tlast exit code = (never exited)\n".to_owned(),
        Some(End::Code(78)) => "\tlast exit code = 78: EX_CONFIG\n".to_owned(),
        Some(End::Code(code)) => format!("\tlast exit code = {code}\n"),
        Some(End::Signal(9)) => "\tlast terminating signal = Killed: 9\n".to_owned(),
        Some(End::Signal(15)) => "\tlast terminating signal = Terminated: 15\n".to_owned(),
        Some(End::Signal(n)) => format!("\tlast terminating signal = Signal: {n}\n"),
    });
    text.push_str("\n\tresource coalition = {\n\t\ttype = resource\n\t\tstate = active\n\t\tactive count = 1\n\t}\n\n");
    if let Some(seconds) = definition.interval {
        text.push_str(&format!("\trun interval = {seconds} seconds\n"));
    }
    if let Some(reason) = &job.pended {
        text.push_str(&format!("\tpended nondemand spawn = {reason}\n"));
    }
    let mut properties = Vec::new();
    if definition.keep_alive.always {
        properties.push("keepalive");
    }
    if definition.run_at_load {
        properties.push("runatload");
    }
    properties.push("inferred program");
    text.push_str(&format!("\tproperties = {}\n}}\n", properties.join(" | ")));
    text
}

pub(crate) fn print_disabled(launchd: &Launchd, domain: &str) -> Reply {
    if let Some(reply) = absent(launchd, domain) {
        return reply;
    }
    let word = |disabled: bool| match (launchd.knobs.old, disabled) {
        (false, true) => "disabled",
        (false, false) => "enabled",
        (true, true) => "true",
        (true, false) => "false",
    };
    let lines: String = launchd
        .disabled
        .iter()
        .map(|(label, disabled)| format!("\t\t\"{label}\" => {}\n", word(*disabled)))
        .collect();
    Reply::text(format!(
        "\n\tdisabled services = {{\n{lines}\t}}\n\n\tlogin item associations = {{\n\t}}\n"
    ))
}

/// Asks the caller's own domain.
pub(crate) fn list(launchd: &Launchd, label: Option<&str>) -> Reply {
    let domain = format!("gui/{}", rustix::process::getuid().as_raw());
    let Some(label) = label else {
        let lines: String = launchd
            .labels_in(&domain)
            .iter()
            .map(|label| {
                let job = &launchd.jobs[&format!("{domain}/{label}")];
                let pid = job.pid().map_or_else(|| "-".to_owned(), |pid| pid.to_string());
                let status = match job.last {
                    Some(End::Code(code)) => code,
                    Some(End::Signal(n)) => -n,
                    None => 0,
                };
                format!("{pid}\t{status}\t{label}\n")
            })
            .collect();
        return Reply::text(format!("PID\tStatus\tLabel\n{lines}"));
    };
    let Some(job) = launchd.jobs.get(&format!("{domain}/{label}")) else {
        return Reply::error(113, format!("Could not find service \"{label}\" in domain for port\n"));
    };
    let raw = match job.last {
        Some(End::Code(code)) => code << 8,
        Some(End::Signal(n)) => n,
        None => 0,
    };
    let pid = job
        .pid()
        .map_or_else(String::new, |pid| format!("\t\"PID\" = {pid};\n"));
    Reply::text(format!(
        "{{\n\t\"Label\" = \"{label}\";\n\t\"LastExitStatus\" = {raw};\n{pid}}};\n"
    ))
}
