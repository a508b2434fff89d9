//! What earlier passes left behind for us: read, never written, and believed only where it can be verified.

use oc_core::clock::Stamp;
use oc_core::fsx;
use oc_core::identity::Identity;
use oc_core::paths::Paths;
use oc_core::service::embedded;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::path::Path;

/// The largest file of ours that is read.
const CAP: u64 = 16 << 20;

/// What is known from before.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// The process that served last.
    pub served: Option<Identity>,
    /// The process that the pass before looked at, whether it served or not.
    pub seen: Option<Identity>,
    /// What the embedded supervisor published last, true or not any more.
    pub supervisor: Option<embedded::Status>,
    /// The process that holds OpenClaw's own lock.
    pub lock: Option<Identity>,
    /// Memory of one process over time.
    pub memory: Memory,
    /// Recent answer times, in milliseconds.
    pub latencies_ms: Vec<u64>,
    /// What was found out about the service's configuration file.
    pub config_seen: Option<Value>,
}

/// Memory samples of one process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Whose.
    pub identity: Option<Identity>,
    /// Oldest first.
    pub samples: Vec<Sample>,
}

/// The smallest memory use around one time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sample {
    /// When.
    pub at: Stamp,
    /// How much.
    pub rss_bytes: u64,
}

/// The parts of oc-escalate's `state.json` that are of use here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct State {
    #[serde(deserialize_with = "lenient")]
    served: Option<Known>,
    #[serde(deserialize_with = "lenient")]
    memory: Option<Memory>,
}

#[derive(Debug, Deserialize)]
struct Known {
    identity: Option<Identity>,
}

/// The parts of `carry.json` that are of use here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Carry {
    #[serde(deserialize_with = "lenient")]
    identity: Option<Identity>,
    #[serde(deserialize_with = "lenient")]
    latencies_ms: Option<Vec<u64>>,
    config_seen: Option<Value>,
}

/// OpenClaw's `gateway.state.lock`, padded with blanks.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GatewayLock {
    pid: i32,
    start_time: u64,
}

impl Past {
    /// Reads it. What is missing, broken or of a strange type is as if it were not there: it only saves work.
    #[must_use]
    pub fn read(paths: &Paths) -> Self {
        let state: State = read(&paths.state());
        let carry: Carry = read(&paths.carry());
        Self {
            served: state.served.and_then(|known| known.identity),
            seen: carry.identity,
            supervisor: embedded::Dir::new(paths.supervise()).status(),
            lock: gateway_lock(paths),
            memory: state.memory.unwrap_or_default(),
            latencies_ms: carry.latencies_ms.unwrap_or_default(),
            config_seen: carry.config_seen,
        }
    }

    /// Every process that the records name as the service's, the best source first. They may all be dead.
    pub fn candidates(&self) -> impl Iterator<Item = &Identity> {
        let child = self.supervisor.as_ref().and_then(|status| status.child.as_ref());
        child
            .into_iter()
            .chain(&self.served)
            .chain(&self.seen)
            .chain(&self.lock)
    }
}

/// The process that OpenClaw's own lock file names.
fn gateway_lock(paths: &Paths) -> Option<Identity> {
    let uid = rustix::process::getuid().as_raw();
    let path = paths.openclaw().join(format!("tmp/openclaw-{uid}/gateway.state.lock"));
    read::<Option<GatewayLock>>(&path).map(|lock| Identity {
        pid: lock.pid,
        started: lock.start_time,
        boot: oc_core::clock::boot_id().to_owned(),
    })
}

fn read<T: DeserializeOwned + Default>(path: &Path) -> T {
    fsx::read_capped(path, CAP)
        .ok()
        .flatten()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

/// A field of a strange type is as if it were not there, and does not take the others with it.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_broken_field_does_not_take_the_others_with_it() {
        let state: State = serde_json::from_str(
            r#"{"version":1,"served":{"identity":{"pid":7,"started":1,"boot":"b"},"since":3},"memory":"gone","x":[]}"#,
        )
        .unwrap();
        assert_eq!(state.served.unwrap().identity.unwrap().pid, 7);
        assert!(state.memory.is_none());
    }

    #[test]
    fn the_gateways_lock_is_padded_with_blanks() {
        let lock: GatewayLock = serde_json::from_str("{\"pid\":42,\"startTime\":99,\"port\":1}      \n").unwrap();
        assert_eq!((lock.pid, lock.start_time), (42, 99));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("state.json");
            fsx::replace(&path, &bytes).unwrap();
            let state: State = read(&path);
            prop_assert!(state.served.is_none());
        }
    }
}
