//! X9.

use crate::case::{CASE, Case, Class, End};

pub(crate) const X9: Case = Case {
    id: "X9",
    class: Class::Control,
    fault: "a person writes a word for the port beside a healthy gateway, which does not read it",
    inject: |arena| {
        let port = arena.service.port.to_string();
        arena.spoil_config(|text| text.replacen(&format!("\"port\": {port}"), "\"port\": \"x\"", 1));
        Ok(())
    },
    hurts: |_| true,
    mend: |arena| {
        let good = arena.good_config();
        arena.write_config(&good);
        Ok(())
    },
    end: End::LeftAlone(6),
    ..CASE
};
