//! X8.

use crate::case::{CASE, Case, Class, End, On};

pub(crate) const X8: Case = Case {
    id: "X8",
    class: Class::Control,
    fault: "a person breaks the configuration (a syntax error) beside a healthy gateway, which does not read it",
    ci: true,
    on: On::Both,
    inject: |arena| {
        arena.spoil_config(|text| text.trim_end().trim_end_matches('}').to_owned());
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
