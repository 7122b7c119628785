//! The ring of sampled drops.

use aya::maps::{MapData, RingBuf};
use sekisho_abi::event::DropEvent;

/// Reads sampled drops. There is one for a gate: who reads an event has it.
pub struct DropReader {
    ring: RingBuf<MapData>,
}

impl DropReader {
    pub(crate) fn new(ring: RingBuf<MapData>) -> DropReader {
        DropReader { ring }
    }
}

/// What is in the ring now, without waiting for more.
impl Iterator for DropReader {
    type Item = DropEvent;

    fn next(&mut self) -> Option<DropEvent> {
        // One of another length would be another version's.
        while let Some(item) = self.ring.next() {
            if let Some(event) = parse(&item) {
                return Some(event);
            }
        }
        None
    }
}

fn parse(octets: &[u8]) -> Option<DropEvent> {
    let (source, rest) = octets.split_first_chunk::<16>()?;
    let (longs, rest) = rest.split_at_checked(16)?;
    let [session, weight] = longs.as_chunks::<8>().0 else { return None };
    let [domain, reason, client, ifindex, port, code] = rest.as_chunks::<4>().0 else { return None };
    let [domain, reason, client, ifindex, port, code] =
        [domain, reason, client, ifindex, port, code].map(|octets| u32::from_ne_bytes(*octets));
    Some(DropEvent {
        source: *source,
        session: u64::from_ne_bytes(*session),
        weight: u64::from_ne_bytes(*weight),
        domain,
        reason,
        client,
        ifindex,
        port,
        code,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_field_by_field_and_a_short_one_not_at_all() {
        let words: [u32; 14] = std::array::from_fn(|at| at as u32 + 1);
        let octets: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(octets.len(), size_of::<DropEvent>());
        let event = parse(&octets).unwrap();
        assert_eq!(event.source[..4], 1_u32.to_ne_bytes());
        assert_eq!((event.domain, event.reason, event.client), (9, 10, 11));
        assert_eq!((event.ifindex, event.port, event.code), (12, 13, 14));
        assert_eq!(parse(&octets[..52]), None);
    }
}
