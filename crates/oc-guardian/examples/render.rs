//! Renders every file of plists/, systemd/ and cron/ with the words of a host whose HOME is hard to quote, for validators:
//! `cargo run -p oc-guardian --example render -- OUT HOME`.

use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_guardian::install::render::{self, Words};
use std::path::Path;

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.as_slice() {
        [out, home] => all(Path::new(out), home),
        _ => Err(Fault::usage("usage: render OUT HOME")),
    };
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(fault) => {
            oc_core::out::talk(&fault);
            fault.exit.into()
        }
    }
}

fn all(out: &Path, home: &str) -> Result<()> {
    let words = Words {
        watchdog: "openclaw-watchdog.service".to_owned(),
        instance: "default".to_owned(),
        guardian: format!("{home}/bin/oc-guardian"),
        heal: format!("{home}/bin/oc-heal"),
        command: vec![format!("{home}/bin/oc-heal"), "100% of $HOME".to_owned()],
        logs: format!("{home}/logs"),
        interval: 30,
        environment: vec![
            ("HOME".to_owned(), home.to_owned()),
            ("PATH".to_owned(), format!("{home}/bin:/usr/bin:/bin")),
        ],
        ..Words::default()
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for dir in ["plists", "systemd", "cron"] {
        let entries = std::fs::read_dir(root.join(dir)).map_err(|e| Fault::io("read", &root.join(dir), e))?;
        for entry in entries {
            let path = entry.map_err(|e| Fault::io("read", &root.join(dir), e))?.path();
            let template = fsx::read_capped(&path, 1 << 20)?.unwrap_or_default();
            let template = String::from_utf8_lossy(&template);
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let words = Words {
                label: stem.clone(),
                service: format!("{stem}.service"),
                ..words.clone()
            };
            let bytes = match dir {
                "plists" => render::plist(&template, &words)?,
                "systemd" => render::unit(&template, &words)?,
                _ => render::cron(&template, &words)?.into_bytes(),
            };
            // A drop-in belongs beside the unit that it is about.
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let place = match name.strip_prefix("gateway-") {
                Some(name) => out.join("gateway.service.d").join(name),
                None => out.join(name),
            };
            fsx::private_dir(place.parent().unwrap_or(out))?;
            fsx::replace(&place, &bytes)?;
        }
    }
    Ok(())
}
