//! What userspace tells the gate, and what the gate counts.
//!
//! Hash tables are preallocated: no packet waits for an allocation, and a full table refuses a new entry instead of
//! evicting an old one, which would un-register a customer. The sizes here are those that userspace sets at load.
//!
//! A preallocated element may be used again as soon as it is removed, so a value that is removed at this very moment can
//! be seen as another one's. One packet may then be judged by the wrong entry; userspace judges it again.

use aya_ebpf::{
    macros::map,
    maps::{HashMap, PerCpuArray},
};
use sekisho_abi::{
    AddressBytes, Entry, Ingress, IngressKey, Outcome, Service, ServiceKey, SourceKey, capacity, service::AddressFlags,
};

use crate::address::Address;

/// Who may send, by domain and address.
#[map]
pub static SOURCES: HashMap<SourceKey, Entry> = HashMap::with_max_entries(capacity::SOURCES, 0);

/// Our ports: those that take requests, and those of workers toward home servers.
#[map]
pub static SERVICES: HashMap<ServiceKey, Service> = HashMap::with_max_entries(capacity::SERVICES, 0);

/// Our service addresses alone, for packets that carry no port.
#[map]
pub static ADDRESSES: HashMap<AddressBytes, AddressFlags> = HashMap::with_max_entries(capacity::ADDRESSES, 0);

/// The ways in.
#[map]
pub static INGRESSES: HashMap<IngressKey, Ingress> = HashMap::with_max_entries(capacity::INGRESSES, 0);

/// One counter for each [`Outcome::slot`].
#[map]
pub static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(Outcome::SLOTS, 0);

/// A key on the stack, aligned so that it is written by whole words.
#[repr(C, align(8))]
struct Aligned<K>(K);

/// The domain and index of a way in.
#[inline(always)]
pub fn ingress(key: &IngressKey) -> Option<Ingress> {
    let key = Aligned(*key);
    // SAFETY: a copy is taken at once; see above for a value that is removed meanwhile.
    unsafe { INGRESSES.get(&key.0) }.copied()
}

/// What one of our ports takes.
#[inline(always)]
pub fn service(address: Address, port: u16) -> Option<Service> {
    let key = Aligned(ServiceKey { address: address.octets(), port: port as u32 });
    // SAFETY: a copy is taken at once; see above for a value that is removed meanwhile.
    unsafe { SERVICES.get(&key.0) }.copied()
}

/// The entry of a source.
#[inline(always)]
pub fn source(domain: u32, address: Address) -> Option<&'static Entry> {
    let key = Aligned(SourceKey { address: address.octets(), domain });
    // SAFETY: the entry stays readable while the program runs (RCU); see above for one that is removed meanwhile.
    unsafe { SOURCES.get(&key.0) }
}

/// The flags of one of our service addresses.
#[inline(always)]
pub fn address(address: Address) -> Option<AddressFlags> {
    let key = Aligned(address.octets());
    // SAFETY: a copy is taken at once; see above for a value that is removed meanwhile.
    unsafe { ADDRESSES.get(&key.0) }.copied()
}
