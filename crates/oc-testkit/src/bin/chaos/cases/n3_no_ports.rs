//! N3.

use crate::arena::{Arena, Result};
use crate::case::{CASE, Case, Class, End};
use crate::needs::Need;
use oc_testkit::Cmd;

pub(crate) const N3: Case = Case {
    id: "N3",
    class: Class::Network,
    fault: "no ephemeral ports left: the watcher cannot even ask",
    needs: &[Need::NetNamespace, Need::Program("bash")],
    namespace: Some("ip link set lo up"),
    inject: |arena| {
        let port = arena.service.port;
        let hold = format!(
            "echo 40000 40001 >/proc/sys/net/ipv4/ip_local_port_range
            while :; do exec 3<>/dev/tcp/127.0.0.1/{port}; exec 4<>/dev/tcp/127.0.0.1/{port}; sleep 3; done"
        );
        let holder = inside(arena)?.args(["bash", "-c", &hold]).spawn();
        arena.helpers.push(holder);
        Ok(())
    },
    hurts: |arena| {
        let asked = inside(arena).map(|inside| inside.args(["oc-probe", "--json", "--tries", "1"]).run());
        asked.is_ok_and(|output| output.stdout.contains("\"inconclusive\""))
    },
    mend: |arena| {
        arena.helpers.clear();
        Ok(())
    },
    end: End::LeftAlone(3),
    ..CASE
};

/// A command in the network of the gateway.
fn inside(arena: &mut Arena) -> Result<Cmd> {
    let pid = arena.pid()?.to_string();
    Ok(arena.env().foreign("nsenter").args(["--net", "-t", &pid]))
}
