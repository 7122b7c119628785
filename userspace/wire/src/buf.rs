//! One packet's memory: fixed, on the heap, with room before and behind.
//!
//! A datagram is received [`HEADROOM`] octets into the storage. A Message-Authenticator that has to come first is
//! made room for by moving the twenty octets of the header forward, never the attributes behind it; a
//! CHAP-Challenge and our Proxy-State go to the tail. So a packet is forwarded without moving its body and without
//! allocating.

use std::fmt;

/// Octets kept free before a received packet: three Message-Authenticators' worth.
pub const HEADROOM: usize = 64;
/// The longest RADIUS packet, RFC 2865 §3.
pub const MAX_PACKET: usize = 4096;
/// Octets kept free behind the longest packet: a Proxy-State (255) and a CHAP-Challenge (18), rounded up.
pub const TAILROOM: usize = 320;

const CAPACITY: usize = HEADROOM + MAX_PACKET + TAILROOM;

/// The packet does not fit: RADIUS packets have at most 4096 octets (RFC 2865 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the packet would be longer than 4096 octets")]
pub struct TooLong;

/// Storage for one packet.
pub struct Buf {
    data: Box<[u8; CAPACITY]>,
    /// Where the packet begins; `start + len <= CAPACITY` always.
    start: usize,
    len: usize,
}

impl Buf {
    /// An empty buffer: the only allocation it will ever make.
    pub fn new() -> Self {
        Self { data: Box::new([0; CAPACITY]), start: HEADROOM, len: 0 }
    }

    /// Where to receive a datagram: [`MAX_PACKET`] octets. What was in the buffer is forgotten.
    pub fn receive_space(&mut self) -> &mut [u8] {
        self.start = HEADROOM;
        self.len = 0;
        &mut self.data[HEADROOM..HEADROOM + MAX_PACKET]
    }

    /// Says how many octets were received into [`receive_space`](Self::receive_space).
    pub fn set_received(&mut self, len: usize) {
        self.start = HEADROOM;
        self.len = len.min(MAX_PACKET);
    }

    /// Copies a stored packet in; what was in the buffer is forgotten.
    pub fn load(&mut self, packet: &[u8]) -> Result<(), TooLong> {
        self.receive_space().get_mut(..packet.len()).ok_or(TooLong)?.copy_from_slice(packet);
        self.set_received(packet.len());
        Ok(())
    }

    /// The packet.
    pub fn bytes(&self) -> &[u8] {
        &self.data[self.start..self.start + self.len]
    }

    /// The packet, to be changed in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.data[self.start..self.start + self.len]
    }

    /// Octets in the packet.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was received or loaded.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets what lies behind the first `len` octets: padding after the packet's Length, RFC 2865 §3.
    pub fn trim(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Grows the packet by `n` octets at its front; the new octets hold whatever was there.
    pub fn prepend_gap(&mut self, n: usize) -> Result<(), TooLong> {
        if self.len + n > MAX_PACKET {
            return Err(TooLong);
        }
        if n > self.start {
            self.recentre(HEADROOM + n);
        }
        self.start -= n;
        self.len += n;
        Ok(())
    }

    /// Appends `octets` to the packet.
    pub fn append(&mut self, octets: &[u8]) -> Result<(), TooLong> {
        if self.len + octets.len() > MAX_PACKET {
            return Err(TooLong);
        }
        if self.start + self.len + octets.len() > CAPACITY {
            self.recentre(HEADROOM);
        }
        let end = self.start + self.len;
        let room = self.data.get_mut(end..end + octets.len()).ok_or(TooLong)?;
        room.copy_from_slice(octets);
        self.len += octets.len();
        Ok(())
    }

    /// Appends one attribute; a value of more than 253 octets is [`TooLong`] as well.
    pub fn append_attribute(&mut self, number: u8, value: &[u8]) -> Result<(), TooLong> {
        let length = u8::try_from(value.len() + 2).map_err(|_| TooLong)?;
        if self.len + usize::from(length) > MAX_PACKET {
            return Err(TooLong);
        }
        self.append(&[number, length])?;
        self.append(value)
    }

    /// Makes room for `new` octets in the place of the `old` ones at `at`: what lies behind moves, and the octets there
    /// hold whatever was there.
    pub(crate) fn splice(&mut self, at: usize, old: usize, new: usize) -> Result<(), TooLong> {
        let tail = at.saturating_add(old).min(self.len)..self.len;
        let len = at.min(self.len) + new + tail.len();
        if len > MAX_PACKET {
            return Err(TooLong);
        }
        if self.start + len > CAPACITY {
            self.recentre(HEADROOM);
        }
        let to = self.start + len - tail.len();
        self.data.copy_within(self.start + tail.start..self.start + tail.end, to);
        self.len = len;
        Ok(())
    }

    /// Moves the packet to `start`: only for one that was edited many times and has run out of room on one side.
    fn recentre(&mut self, start: usize) {
        self.data.copy_within(self.start..self.start + self.len, start);
        self.start = start;
    }
}

impl Default for Buf {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Buf {
    /// Only the size: a packet holds passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buf").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loaded_packet_reads_back_and_a_longer_one_is_refused() {
        let mut buf = Buf::new();
        buf.load(&[7; MAX_PACKET]).unwrap();
        assert_eq!(buf.bytes(), &[7; MAX_PACKET]);
        assert_eq!(buf.load(&[7; MAX_PACKET + 1]), Err(TooLong));
    }

    #[test]
    fn room_at_the_front_outlasts_any_number_of_edits() {
        let mut buf = Buf::new();
        buf.load(b"packet").unwrap();
        for _ in 0..20 {
            buf.prepend_gap(18).unwrap();
            let end = buf.len() - 6;
            assert_eq!(&buf.bytes()[end..], b"packet");
        }
    }

    #[test]
    fn a_piece_is_exchanged_for_a_longer_or_shorter_one() {
        for (new, expected) in [(0, &b"headtail"[..]), (2, b"head__tail"), (3, b"head___tail"), (5, b"head_____tail")] {
            let mut buf = Buf::new();
            buf.load(b"headoldtail").unwrap();
            buf.splice(4, 3, new).unwrap();
            buf.bytes_mut()[4..4 + new].fill(b'_');
            assert_eq!(buf.bytes(), expected);
        }
    }

    #[test]
    fn pieces_grow_until_the_packet_is_full_wherever_it_lies() {
        let mut buf = Buf::new();
        buf.load(&[1; 100]).unwrap();
        (0..20).for_each(|_| buf.append(&[2; 100]).unwrap());
        buf.splice(50, 0, MAX_PACKET - 2100).unwrap();
        assert_eq!(
            (buf.len(), &buf.bytes()[..50], &buf.bytes()[MAX_PACKET - 2000..]),
            (MAX_PACKET, &[1; 50][..], &[2; 2000][..])
        );
        assert_eq!(buf.splice(0, 0, 1), Err(TooLong));
        buf.splice(usize::MAX, usize::MAX, 0).unwrap();
        assert_eq!(buf.len(), MAX_PACKET);
    }

    #[test]
    fn a_full_packet_takes_nothing_more() {
        let mut buf = Buf::new();
        buf.load(&[1; MAX_PACKET]).unwrap();
        assert_eq!(buf.prepend_gap(1), Err(TooLong));
        assert_eq!(buf.append(&[1]), Err(TooLong));
        assert_eq!(buf.len(), MAX_PACKET);
    }
}
