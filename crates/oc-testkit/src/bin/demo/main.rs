//! `demo`: a gateway under `oc-guardian supervise` in a throw-away HOME is killed, hung, broken and stopped, and the viewer
//! sees what was seen, decided and done about it. With REAL=1 it is the `openclaw` on PATH.
//!
//! Exit: 0 everything healed as promised, 1 something did not, 130 interrupted. Whatever happens, nothing is left running.

mod acts;
mod gateway;
mod ladder;
mod screen;
mod stage;
mod timeline;

use gateway::Gateway;
use oc_testkit::trial::{Stop, watch_signals};
use screen::Screen;
use stage::Stage;
use std::process::ExitCode;
use timeline::Timeline;

fn main() -> ExitCode {
    let screen = Screen::new();
    let interrupted = match watch_signals() {
        Ok(interrupted) => interrupted,
        Err(error) => {
            screen.bad(&format!("cannot watch for signals: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let gateway = match Gateway::chosen() {
        Ok(gateway) => gateway,
        Err(why) => {
            screen.bad(&why);
            return ExitCode::FAILURE;
        }
    };
    let mut timeline = Timeline::default();
    let mut stage = Stage::new(screen, gateway, interrupted);
    let ended = acts::all(&mut stage, &mut timeline);
    timeline.show(&screen);
    let code = match ended {
        Ok(()) => {
            screen.good(&format!(
                "\nall healed as promised, in {:.0} s",
                stage.elapsed().as_secs_f64()
            ));
            ExitCode::SUCCESS
        }
        Err(Stop::Interrupted) => {
            screen.plain("\ninterrupted");
            ExitCode::from(130)
        }
        Err(Stop::Broken(why)) => {
            screen.bad(&format!("\nnot as promised: {why}"));
            stage.show_evidence();
            ExitCode::FAILURE
        }
    };
    // Ends every process that was started in the throw-away HOME, by pid, and removes it.
    drop(stage);
    code
}
