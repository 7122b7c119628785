//! What stands in a frame before the RADIUS packet.

use crate::{
    address::Address,
    frame::Link,
    ip::{Packet, UDP_LEN},
    odd::{Oddity, Place},
    scratch::Kept,
};

/// What the headers say.
#[repr(C)]
pub struct Headers {
    source: [Kept; 2],
    destination: [Kept; 2],
    ingress: Kept,
    network: Kept,
    payload: Kept,
    end: Kept,
    udp: Kept,
    flags: Kept,
}

const V6: u64 = 1;
const TRUNCATED: u64 = 2;
const OPTIONS: u64 = 4;
const FRAGMENT: u64 = 8;

impl Headers {
    /// Forgets those of the packet before, as far as they are told.
    #[inline(always)]
    pub fn forget(&self) {
        self.source[0].set(0);
        self.source[1].set(0);
        self.ingress.set(0);
    }

    /// Writes it down.
    #[inline(always)]
    pub fn set(&self, link: &Link, packet: &Packet, place: Option<Place>) {
        let (oddity, udp) = match place {
            Some(Place { oddity, udp }) => (oddity, udp.unwrap_or(0)),
            None => (Oddity::Options, 0),
        };
        let oddity = match oddity {
            Oddity::None => 0,
            Oddity::Options => OPTIONS,
            Oddity::Fragment => FRAGMENT,
        };
        let flags = oddity | if packet.v6 { V6 } else { 0 } | if place.is_none() { TRUNCATED } else { 0 };
        self.flags.set(flags);
        for (kept, words) in [(&self.source, packet.source.words()), (&self.destination, packet.destination.words())] {
            kept[0].set(words[0]);
            kept[1].set(words[1]);
        }
        self.ingress.set(link.ingress.words()[0]);
        self.network.set(link.offset as u64);
        self.payload.set(packet.payload as u64);
        self.end.set(packet.end as u64);
        self.udp.set(udp as u64);
    }

    /// The frame turned out to end before its UDP header.
    #[inline(always)]
    pub fn truncate(&self) {
        self.flags.set(self.flags.get() | TRUNCATED);
    }

    /// Source address.
    #[inline(always)]
    pub fn source(&self) -> Address {
        Address::new([self.source[0].get(), self.source[1].get()])
    }

    /// Destination address.
    #[inline(always)]
    pub fn destination(&self) -> Address {
        Address::new([self.destination[0].get(), self.destination[1].get()])
    }

    /// Interface and VLAN tags ([`sekisho_abi::IngressKey::words`]).
    #[inline(always)]
    pub fn ingress(&self) -> u64 {
        self.ingress.get()
    }

    /// Where the network layer's header begins: behind 14 octets of Ethernet and 8 of tags at most.
    #[inline(always)]
    pub fn network(&self) -> usize {
        self.network.get() as usize & 31
    }

    /// Where its payload begins: behind 60 octets of IPv4 at most.
    #[inline(always)]
    pub fn payload(&self) -> usize {
        self.payload.get() as usize & 127
    }

    /// Where the RADIUS packet begins that stands right behind plain headers.
    #[inline(always)]
    pub fn packet(&self) -> usize {
        self.payload() + UDP_LEN
    }

    /// Where the payload ends by its own account: 16 bits of length behind 62 octets at most.
    #[inline(always)]
    pub fn end(&self) -> usize {
        self.end.get() as usize & 0x1_ffff
    }

    /// Where the UDP header begins, behind five extension headers of 2048 octets at most; zero where there is none.
    #[inline(always)]
    pub fn udp(&self) -> usize {
        self.udp.get() as usize & 0x3fff
    }

    /// Whether the packet is IPv6.
    #[inline(always)]
    pub fn is_v6(&self) -> bool {
        self.flags.get() & V6 != 0
    }

    /// Whether the frame ends before its UDP header.
    #[inline(always)]
    pub fn is_truncated(&self) -> bool {
        self.flags.get() & TRUNCATED != 0
    }

    /// Whether something stands between the network layer's header and a whole datagram, or it is not whole.
    #[inline(always)]
    pub fn is_odd(&self) -> bool {
        self.flags.get() & (OPTIONS | FRAGMENT) != 0
    }

    /// Whether it is a part of a datagram.
    #[inline(always)]
    pub fn is_fragment(&self) -> bool {
        self.flags.get() & FRAGMENT != 0
    }
}
