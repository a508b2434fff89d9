//! R5.

use crate::case::{Case, Class, HUNG};
use crate::needs::Need;
use std::net::{Ipv4Addr, TcpStream};

pub(crate) const R5: Case = Case {
    id: "R5",
    class: Class::Resource,
    fault: "out of file descriptors: connections wait and are never accepted",
    needs: &[Need::Program("prlimit")],
    inject: |arena| {
        let pid = arena.pid()?.to_string();
        arena
            .env()
            .foreign("prlimit")
            .args(["--nofile=6:6", "--pid", &pid])
            .run();
        // It can take no more of them; what waits in the queue is silent.
        let open = |_| TcpStream::connect((Ipv4Addr::LOCALHOST, arena.service.port)).ok();
        arena
            .kept
            .push(Box::new((0..4).filter_map(open).collect::<Vec<TcpStream>>()));
        Ok(())
    },
    ..HUNG
};
