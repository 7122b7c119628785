//! What a CPU keeps of the packet at hand, in a map.
//!
//! Every stage leaves here what the following ones need, and they read it back: of what comes from memory the verifier knows
//! nothing, so that whatever way a packet came to a stage (tagged or not, IPv4 or IPv6, found at the first try or the
//! eighth), it walks through the stage once. In registers, each of these ways would be walked to the end.

use core::cell::UnsafeCell;

use sekisho_abi::{Outcome, capacity::PROCESSOR_WORDS, client, identity::RANKS};

use crate::{address::Address, headers::Headers};

/// No contract: the packet is from no registered source.
pub const NONE: u64 = u64::MAX;

/// A number that is written and read back.
#[repr(transparent)]
pub struct Kept(UnsafeCell<u64>);

// SAFETY: it lives in memory of one CPU, where one program runs at a time.
unsafe impl Sync for Kept {}

impl Kept {
    /// Reads it.
    #[inline(always)]
    pub fn get(&self) -> u64 {
        // SAFETY: the pointer comes from a reference, and nobody else is on this CPU.
        unsafe { core::ptr::read_volatile(self.0.get()) }
    }

    /// Writes it.
    #[inline(always)]
    pub fn set(&self, value: u64) {
        // SAFETY: as above.
        unsafe { core::ptr::write_volatile(self.0.get(), value) };
    }
}

/// Reasons whose drops are told apart: all of the kernel's, and a power of two.
pub const REASONS: usize = 32;

/// One CPU's memory.
#[repr(C)]
pub struct Scratch {
    counters: [Kept; Outcome::SLOTS as usize],
    /// What stands before the packet.
    pub headers: Headers,
    /// Source port.
    pub from_port: Kept,
    /// Our port.
    pub port: Kept,
    /// The UDP header's length; from the source's entry on, octets of UDP payload.
    pub datagram: Kept,
    /// The port's key in the table of services, then what the table has.
    pub service: Kept,
    /// Whether our address carries nothing but RADIUS.
    pub is_dedicated: Kept,
    /// Domain of the source, or zero.
    pub domain: Kept,
    /// Number of the ingress.
    pub ingress: Kept,
    /// The source's entry.
    pub entry: [Kept; 3],
    /// Slot of its contract, or [`NONE`].
    pub client: Kept,
    /// First four octets of the packet, as a little-endian word.
    pub head: Kept,
    /// RADIUS Length.
    pub length: Kept,
    /// When the packet came.
    pub now: Kept,
    /// Key of the session, or zero.
    pub session: Kept,
    /// For each rank of attribute types ([`sekisho_abi::Identity::table`]) where the last one begins, from the packet's
    /// beginning; zero for none.
    pub found: [Kept; RANKS],
    /// For each reason of the kernel's ([`REASONS`]) drops since the last that was told, and when that was, in the kernel's ticks.
    pub drops: [[Kept; 2]; REASONS],
    /// When the clock was read last, in the kernel's ticks, what it said, and how often that was taken for the time since.
    pub clock: [Kept; 3],
    /// Two services that were found last, by the lowest bit of their port: address, port, what the table has, and
    /// [`sekisho_abi::settings::Settings::services`] at that time.
    pub services: [[Kept; 5]; 2],
    reserved: [u64; RESERVED],
}

/// Words that are not used.
const RESERVED: usize = PROCESSOR_WORDS - Outcome::SLOTS as usize - HEADERS - RANKS - 2 * REASONS - 28;
/// Words of [`Headers`].
const HEADERS: usize = size_of::<Headers>() / 8;

const _: () = assert!(size_of::<Scratch>() == PROCESSOR_WORDS * 8);

impl Scratch {
    /// Adds one to a counter ([`Outcome::slot`]).
    #[inline(always)]
    pub fn count(&self, slot: u32) {
        if let Some(counter) = self.counters.get(slot as usize) {
            counter.set(counter.get() + 1);
        }
    }

    /// Forgets what is told of the packet before.
    #[inline(always)]
    pub fn begin(&self) {
        self.headers.forget();
        self.client.set(NONE);
        self.session.set(0);
        self.domain.set(0);
        self.port.set(0);
        self.head.set(0);
    }

    /// The contract's slot; nobody's where there is none.
    #[inline(always)]
    pub fn slot(&self) -> u32 {
        let client = self.client.get();
        if client == NONE { client::NOBODY } else { client as u32 }
    }

    /// The packet's first octet.
    #[inline(always)]
    pub fn code(&self) -> u8 {
        self.head.get() as u8
    }

    /// Source and destination, domain and ports, as [`sekisho_abi::cached::Flow::words`] has them.
    #[inline(always)]
    pub fn flow(&self) -> [u64; 5] {
        let ([a, b], [c, d]) = (self.headers.source().words(), self.headers.destination().words());
        [a, b, c, d, self.domain.get() | self.from_port.get() << 32 | self.port.get() << 48]
    }

    /// The sum of both addresses, as a checksum takes it.
    #[inline(always)]
    pub fn addresses(&self) -> u64 {
        Address::sum(self.headers.source()) + Address::sum(self.headers.destination())
    }
}
