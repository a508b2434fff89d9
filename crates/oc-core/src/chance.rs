//! The one source of chance: for jitter, and for names that two processes must not both choose. Not for secrets.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Sixteen bits that differ from process to process. The system seeds them as it does every `HashMap`, on all platforms;
/// getrandom(2) has no binding for macOS among our dependencies.
#[must_use]
pub fn bits() -> u16 {
    let [.., high, low] = RandomState::new().build_hasher().finish().to_be_bytes();
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_not_always_the_same() {
        let first = bits();
        assert!((0..100).any(|_| bits() != first));
    }
}
