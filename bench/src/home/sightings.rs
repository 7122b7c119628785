//! Which requests were seen before.

use std::collections::HashMap;
use std::net::SocketAddr;

/// The last Request Authenticator of each source and id.
///
/// A home server behind a proxy sees few sources (the proxy's ports); beyond a bound further ones are not
/// remembered and count as always new.
#[derive(Default)]
pub(super) struct Sightings(HashMap<SocketAddr, Box<[Option<[u8; 16]>; 256]>>);

/// Four kilobytes each.
const MAX_SOURCES: usize = 16_384;

impl Sightings {
    /// Notes a request; whether it is the same as the last one of its source and id.
    pub(super) fn is_repeated(&mut self, source: SocketAddr, id: u8, authenticator: [u8; 16]) -> bool {
        if self.0.len() >= MAX_SOURCES && !self.0.contains_key(&source) {
            return false;
        }
        let last = self.0.entry(source).or_insert_with(|| Box::new([None; 256]));
        // An id is an u8, the array has 256 places.
        let repeated = last[usize::from(id)] == Some(authenticator);
        last[usize::from(id)] = Some(authenticator);
        repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_source_id_and_authenticator_is_a_repetition() {
        let mut seen = Sightings::default();
        let (a, b) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
        assert!(!seen.is_repeated(a, 7, [1; 16]));
        assert!(seen.is_repeated(a, 7, [1; 16]));
        assert!(!seen.is_repeated(b, 7, [1; 16]));
        assert!(!seen.is_repeated(a, 8, [1; 16]));
        assert!(!seen.is_repeated(a, 7, [2; 16]), "the id is used again");
        assert!(!seen.is_repeated(a, 7, [1; 16]), "and again");
    }
}
