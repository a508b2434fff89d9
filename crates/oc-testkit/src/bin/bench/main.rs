//! `bench FILE`: measures the release binaries beside other programs that do the same, prints one table and writes the figures
//! to FILE as JSON. Run by scripts/bench. Ratios of one run are what counts: the machine is part of every figure.

mod check;
mod cost;
mod figures;
mod pass;
mod peers;
mod policy;
mod recovery;
mod sheet;
mod supervisors;

use sheet::Sheet;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(file) = std::env::args_os().nth(1) else {
        drop(writeln!(std::io::stderr(), "usage: bench FILE"));
        return ExitCode::from(64);
    };
    let mut sheet = Sheet::new();
    pass::healthy_pass(&mut sheet);
    peers::one_probe(&mut sheet);
    check::configuration(&mut sheet);
    recovery::crash(&mut sheet);
    recovery::hang(&mut sheet);
    policy::year_and_status(&mut sheet);
    policy::binaries(&mut sheet);
    sheet.end();
    match sheet.save(std::path::Path::new(&file)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(
                std::io::stderr(),
                "bench: cannot write {}: {error}",
                file.display()
            ));
            ExitCode::from(74)
        }
    }
}
