//! N2.

use crate::case::{Case, Class, HUNG};
use crate::needs::Need;
use oc_testkit::Signal;
use serde_json::json;

pub(crate) const N2: Case = Case {
    id: "N2",
    class: Class::Network,
    fault: "there is no 127.0.0.1, only ::1, and the gateway is frozen",
    needs: &[Need::NetNamespace],
    namespace: Some("ip link set lo up && ip addr del 127.0.0.1/8 dev lo"),
    prepare: |arena| {
        let url = format!("http://[::1]:{}", arena.service.port);
        arena.env().configure(&json!({"probe": {"url": url}}));
        Ok(())
    },
    inject: |arena| arena.signal(Signal::STOP),
    ..HUNG
};
