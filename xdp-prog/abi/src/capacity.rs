//! How many entries each of the kernel's tables holds.

/// Sources, unless the operator sets another number.
pub const SOURCES: u32 = 65_536;
/// Our ports: a few for requests, the rest for the workers' ports toward home servers.
pub const SERVICES: u32 = 65_536;
/// Service addresses. Their indexes go to 63; a dedicated address without a port of ours has none.
pub const ADDRESSES: u32 = 256;
/// Ways in. Several may share one of the 64 indexes.
pub const INGRESSES: u32 = 1024;
/// Prefixes of access networks.
pub const PREFIXES: u32 = 4096;
/// Session buckets, unless the operator sets another number.
pub const SESSIONS: u32 = 262_144;
/// Published requests, unless the operator sets another number.
pub const REPLIES: u32 = 8_192;
/// Octets of the ring of sampled drops.
pub const DROPS: u32 = 256 * 1024;
/// Words that each processor has of its own: a counter for each [`crate::Outcome::slot`], then what the program keeps of the packet at
/// hand.
pub const PROCESSOR_WORDS: usize = 176;
