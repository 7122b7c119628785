//! Attributes of a packet: where a value stands, and a walk over them that cannot leave its octets.

use std::num::NonZeroU16;

/// Octets before the attributes: code, id, length, authenticator.
pub const HEADER: usize = 20;

/// Where an attribute's value stands in its packet. Four octets, and `Option<Span>` no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    at: NonZeroU16,
    len: u8,
}

impl Span {
    /// `None` where no attribute value can begin: at 0, or beyond 65535.
    pub(crate) fn new(at: usize, len: usize) -> Option<Self> {
        Some(Self { at: NonZeroU16::new(u16::try_from(at).ok()?)?, len: u8::try_from(len).ok()? })
    }

    /// Offset of the value's first octet from the start of the packet.
    pub const fn at(self) -> usize {
        self.at.get() as usize
    }

    /// Octets in the value: 0 to 253.
    pub const fn len(self) -> usize {
        self.len as usize
    }

    /// Whether the value is empty.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The value's octets in `packet`; empty if this is not the packet that was scanned.
    pub fn of(self, packet: &[u8]) -> &[u8] {
        packet.get(self.at()..self.at() + self.len()).unwrap_or_default()
    }

    /// The value's octets in `packet`, to be changed in place; empty if this is not the packet that was scanned.
    pub fn of_mut(self, packet: &mut [u8]) -> &mut [u8] {
        packet.get_mut(self.at()..self.at() + self.len()).unwrap_or_default()
    }
}

/// One attribute of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its number, see [`attr`](crate::attr).
    pub number: u8,
    /// Offset of its first octet (the number) from the start of the packet.
    pub at: usize,
    /// Its value, without number and length octets: 0 to 253 octets.
    pub value: &'a [u8],
}

/// Iterates over the attributes of a packet; ends early where they stop being well-formed.
pub fn attributes(packet: &[u8]) -> Attributes<'_> {
    Attributes { packet, at: HEADER }
}

/// See [`attributes`].
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let rest = self.packet.get(self.at..)?;
        let [number, length, ..] = *rest else { return None };
        let value = rest.get(2..usize::from(length))?;
        let at = self.at;
        self.at += usize::from(length);
        Some(Attribute { number, at, value })
    }
}

/// The values of attribute 33 in a packet, in order.
pub fn proxy_states(packet: &[u8]) -> impl Iterator<Item = &[u8]> {
    attributes(packet).filter(|a| a.number == crate::attr::PROXY_STATE).map(|a| a.value)
}
