//! F5.

use crate::case::{Case, Class, HUNG};
use oc_testkit::Signal;

pub(crate) const F5: Case = Case {
    id: "F5",
    class: Class::Filesystem,
    fault: "a gateway log of 10 GB (sparse) is rotated, and the gateway is frozen",
    inject: |arena| {
        let script = "mkdir -p .openclaw/logs; cd .openclaw/logs
            truncate -s 10G gateway.log; mv gateway.log gateway.log.1; truncate -s 10G gateway.log gateway.err.log";
        arena.env().foreign("sh").args(["-c", script]).run();
        arena.signal(Signal::STOP)
    },
    ..HUNG
};
