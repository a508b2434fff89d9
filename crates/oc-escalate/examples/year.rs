//! A year of passes through the policy: `cargo run --release -p oc-escalate --example year [sick]`. `make bench` measures
//! it. Exits 0 when the healthy year had no action and no hold, or the sick one a try in each half hour.

use oc_escalate::simulate::{Line, Setup, run};

fn main() -> std::process::ExitCode {
    let sick = std::env::args().nth(1).as_deref() == Some("sick");
    let year = Line {
        class: sick.then_some(oc_core::class::Class::CrashLoop),
        pid: Some(100),
        repeat: Some(1_051_200),
        every_s: Some(30),
        uptime_s: Some(60),
        ..Line::default()
    };
    let summary = run(&Setup::default(), [&year], |_| ());
    let right = if sick {
        summary.actions() > 17_000
    } else {
        summary.actions() + summary.holds == 0
    };
    std::process::ExitCode::from(u8::from(!right))
}
