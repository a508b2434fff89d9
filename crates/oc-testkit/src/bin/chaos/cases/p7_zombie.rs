//! P7.

use super::p9_worker_dead::{P9, launcher};
use crate::case::Case;

pub(crate) const P7: Case = Case {
    id: "P7",
    fault: "zombie: the worker is dead and its parent never waits for it",
    // The shell that knows of its child is replaced by a program that does not.
    prepare: |arena| launcher(arena, "\"$gateway\" \"$@\" & exec sleep 600"),
    ..P9
};
