//! The rows of the table of broken states that are a person's decision, with the stand-in.

use crate::persons::{self, LastGood};
use crate::stage::Stage;
use oc_testkit::{at_once, merged};

fn stage() -> Stage {
    let stage = Stage::bare();
    stage.env.oc_config(&merged(at_once(), &persons::settings(&stage)));
    stage
}

#[test]
fn o_a_newer_configuration_ends_in_one_alert() {
    for copy in LastGood::ALL {
        persons::a_newer_configuration(&mut stage(), copy);
    }
}

#[test]
fn p_a_damaged_state_database_ends_in_one_alert() {
    for copy in LastGood::ALL {
        persons::a_damaged_database(&mut stage(), copy);
    }
}
