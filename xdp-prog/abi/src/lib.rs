//! What the XDP program and userspace share.
//!
//! The gate decides twice: in the kernel, where it is cheap, and in userspace, which can do the whole job alone. Both
//! sides read the same keys and values ([`source`], [`service`], [`ingress`]), give the same [`Reason`] for the same
//! packet, and check a RADIUS header with the same function ([`header::check`]). Rate limits ([`gcra`], [`sessions`]) and what names
//! a session ([`identity`]) are one implementation too. What stands here once cannot differ.
//!
//! Every type of the tables is `#[repr(C)]` without padding, so that a value written by one side is read bit for bit by the other;
//! `tests` at the end of each file hold the sizes. Addresses are 16 octets in network order, IPv4 as IPv4-mapped IPv6:
//! one table serves both families. [`LAYOUT_VERSION`] goes up whenever a layout changes.
//!
//! Words that both sides change are a [`gcra::Cell`]: plain memory for the kernel, atomics for userspace, which sees the kernel's
//! tables as shared memory.
//!
//! Not here: maps themselves (`xdp-prog`), loading and diffs (`userspace/kernel`), or anything that needs an allocator,
//! but for [`gate::GateTable`] and [`numbers`], which exist with the feature `std` only.

#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![forbid(unsafe_code)]

pub mod cached;
pub mod capacity;
pub mod client;
pub mod event;
#[cfg(feature = "std")]
pub mod gate;
pub mod gcra;
pub mod header;
pub mod identity;
pub mod ingress;
#[cfg(feature = "std")]
pub mod numbers;
pub mod prefix;
pub mod reason;
pub mod service;
pub mod sessions;
pub mod settings;
pub mod shed;
pub mod siphash;
pub mod source;
pub mod table;
pub mod ways;

pub use client::{ClientCounter, Limits};
pub use gcra::BucketParams;
pub use header::check as check_header;
pub use identity::Identity;
pub use ingress::{Ingress, IngressKey};
pub use prefix::{Prefix, PrefixKey};
pub use reason::{Outcome, Reason};
pub use service::{PortKind, Service, ServiceKey};
pub use source::{Entry, Roles, Source, SourceKey};

/// Goes up whenever a key, a value or a counter index changes its layout.
pub const LAYOUT_VERSION: u32 = 3;

/// An IP address as the tables hold it: 16 octets in network order, IPv4 as `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2).
pub type AddressBytes = [u8; 16];

/// Maps an IPv4 address (network order) into the form of the tables.
#[inline(always)]
pub const fn mapped_v4(v4: [u8; 4]) -> AddressBytes {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, v4[0], v4[1], v4[2], v4[3]]
}

/// Whether these octets are an IPv4 address in the form of the tables. No packet carries one in an IPv6 header.
#[inline(always)]
pub const fn is_mapped(address: &AddressBytes) -> bool {
    matches!(address, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ..])
}

/// As [`mapped_v4`], for any [`core::net::IpAddr`]. An IPv4-mapped IPv6 address and its IPv4 address give the same octets.
pub const fn address_bytes(address: core::net::IpAddr) -> AddressBytes {
    match address {
        core::net::IpAddr::V4(v4) => mapped_v4(v4.octets()),
        core::net::IpAddr::V6(v6) => v6.octets(),
    }
}

/// An address as two words in the octets' order, as the tables have it.
#[inline(always)]
pub const fn halves(address: &AddressBytes) -> [u64; 2] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *address;
    [u64::from_ne_bytes([a, b, c, d, e, f, g, h]), u64::from_ne_bytes([i, j, k, l, m, n, o, p])]
}

/// What [`halves`] makes.
pub const fn whole([first, second]: [u64; 2]) -> AddressBytes {
    let [a, b, c, d, e, f, g, h] = first.to_ne_bytes();
    let [i, j, k, l, m, n, o, p] = second.to_ne_bytes();
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}
