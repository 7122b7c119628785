//! Control messages: the ingress interface of a received datagram, and how a sent one is cut.

use std::os::raw::c_int;

/// Octets of control data kept for each datagram: one `in6_pktinfo` with its header (40), and some to spare.
pub(crate) const ROOM: usize = 64;

/// Control data, aligned as the kernel aligns it.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct Control(pub(crate) [u8; ROOM]);

impl Control {
    pub(crate) const fn empty() -> Self {
        Self([0; ROOM])
    }

    /// The index of the interface by which the datagram came in; 0 if the kernel did not say.
    ///
    /// `length` is what the kernel left in `msg_controllen`. The messages are walked as octets (`cmsg_len`,
    /// `cmsg_level`, `cmsg_type`, data, padding to the word), so that no length in them can lead outside.
    pub(crate) fn interface(&self, length: usize) -> u32 {
        let mut rest = self.0.get(..length).unwrap_or_default();
        while let Some((header, _)) = rest.split_at_checked(HEADER) {
            let (Some(size), Some(level), Some(kind)) = (word(header), int(header, WORD), int(header, WORD + 4)) else {
                return 0;
            };
            let Some(data) = rest.get(HEADER..size) else { return 0 };
            let index = match (level, kind) {
                // struct in_pktinfo begins with the index, struct in6_pktinfo has it after the address.
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => int(data, 0),
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => int(data, 16),
                _ => None,
            };
            if let Some(index) = index {
                return u32::from_ne_bytes(index.to_ne_bytes());
            }
            rest = rest.get(size.next_multiple_of(WORD)..).unwrap_or_default();
        }
        0
    }
}

/// The control message that has a datagram cut into segments of a size in octets (UDP_SEGMENT), the last perhaps shorter.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(crate) struct SegmentSize {
    length: usize,
    level: c_int,
    kind: c_int,
    size: u16,
}

impl SegmentSize {
    pub(crate) const fn new(size: u16) -> Self {
        Self { length: HEADER + size_of::<u16>(), level: libc::SOL_UDP, kind: libc::UDP_SEGMENT, size }
    }
}

const _: () = assert!(size_of::<SegmentSize>() == HEADER + WORD && std::mem::offset_of!(SegmentSize, size) == HEADER);

const WORD: usize = size_of::<usize>();
const HEADER: usize = size_of::<libc::cmsghdr>().next_multiple_of(WORD);

fn word(octets: &[u8]) -> Option<usize> {
    octets.first_chunk().map(|word| usize::from_ne_bytes(*word))
}

fn int(octets: &[u8], at: usize) -> Option<c_int> {
    octets.get(at..)?.first_chunk().map(|int| c_int::from_ne_bytes(*int))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(size: usize, level: c_int, kind: c_int, data: &[u8]) -> Vec<u8> {
        let mut octets = size.to_ne_bytes().to_vec();
        octets.extend(level.to_ne_bytes());
        octets.extend(kind.to_ne_bytes());
        octets.resize(HEADER, 0);
        octets.extend(data);
        octets.resize(octets.len().next_multiple_of(WORD), 0);
        octets
    }

    fn interface(octets: &[u8]) -> u32 {
        let mut control = Control::empty();
        control.0[..octets.len()].copy_from_slice(octets);
        control.interface(octets.len())
    }

    #[test]
    fn the_interface_is_found_behind_other_messages() {
        let mut octets = message(HEADER + 4, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, &[9, 0, 0, 0]);
        let mut info = [0; 12];
        info[..4].copy_from_slice(&7_i32.to_ne_bytes());
        octets.extend(message(HEADER + 12, libc::IPPROTO_IP, libc::IP_PKTINFO, &info));
        assert_eq!(interface(&octets), 7);
    }

    #[test]
    fn lengths_that_lie_find_nothing() {
        for size in [0, 1, HEADER - 1, ROOM + 1, usize::MAX, usize::MAX - 7] {
            assert_eq!(interface(&message(size, libc::IPPROTO_IP, libc::IP_PKTINFO, &[1; 12])), 0, "size {size}");
        }
        assert_eq!(interface(&[]), 0);
        assert_eq!(Control::empty().interface(ROOM + 1), 0);
        assert_eq!(Control::empty().interface(ROOM), 0);
    }
}
