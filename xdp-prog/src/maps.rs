//! What userspace tells the gate, and what the gate keeps and counts.
//!
//! All but three are arrays that userspace sees as shared memory: a look-up in an array is a few instructions, and every call
//! of a helper costs more than all else that is done for a packet. How keys are found in them stands in `sekisho_abi::table`.
//! The sizes here are those of the defaults; userspace sets them at load, and the numbers of sets below with them.

use aya_ebpf::{
    macros::map,
    maps::{Array, LpmTrie, PerCpuArray, RingBuf, lpm_trie::Key},
};
use sekisho_abi::{
    Entry, PrefixKey, cached, capacity, client,
    service::{ANY_PORT, AddressFlags},
    sessions,
    settings::Settings,
    table::{self, Memory, Tags, WAYS},
};

use crate::{address::Address, cell::Word, scratch::Scratch};

/// `BPF_F_MMAPABLE`: userspace may map it.
const SHARED: u32 = 1 << 10;
/// `BPF_F_NO_PREALLOC`, which a trie wants.
const UNALLOCATED: u32 = 1;

const SOURCE_SETS_BY_DEFAULT: u32 = table::sets(capacity::SOURCES);
const SERVICE_SETS: u32 = table::sets(capacity::SERVICES);
const INGRESS_SETS: u32 = table::sets(capacity::INGRESSES);

/// Sets of the table of sources, a power of two; set at load.
#[unsafe(no_mangle)]
pub static SOURCE_SETS: u32 = SOURCE_SETS_BY_DEFAULT;
/// Sets of session buckets, a power of two; set at load.
#[unsafe(no_mangle)]
pub static SESSION_SETS: u32 = sessions::sets(capacity::SESSIONS);
/// Sets of published requests, a power of two; set at load.
#[unsafe(no_mangle)]
pub static REPLY_SETS: u32 = cached::sets(capacity::REPLIES);
/// Not zero in tests that tell the time themselves; set at load.
#[unsafe(no_mangle)]
pub static INJECTED_CLOCK: u32 = 0;

/// Flags, seed, level of shedding.
#[map]
static SETTINGS: Array<Settings<Word>> = Array::with_max_entries(1, SHARED);

/// Who may send, by domain and address.
#[map]
static SOURCE_TAGS: Array<Tags<Word>> = Array::with_max_entries(SOURCE_SETS_BY_DEFAULT, SHARED);
#[map]
static SOURCES: Array<[Word; 6]> = Array::with_max_entries(SOURCE_SETS_BY_DEFAULT * WAYS as u32, SHARED);

/// Who may send beside those, by prefix.
#[map]
static PREFIXES: LpmTrie<PrefixKey, Entry> = LpmTrie::with_max_entries(capacity::PREFIXES, UNALLOCATED);

/// Our ports: those that take requests, and those of workers toward home servers; and our addresses themselves.
#[map]
static SERVICE_TAGS: Array<Tags<Word>> = Array::with_max_entries(SERVICE_SETS, SHARED);
#[map]
static SERVICES: Array<[Word; 4]> = Array::with_max_entries(SERVICE_SETS * WAYS as u32, SHARED);

/// The ways in.
#[map]
static INGRESS_TAGS: Array<Tags<Word>> = Array::with_max_entries(INGRESS_SETS, SHARED);
#[map]
static INGRESSES: Array<[Word; 2]> = Array::with_max_entries(INGRESS_SETS * WAYS as u32, SHARED);

/// Buckets, limits and counters of each contract.
#[map]
static CLIENTS: Array<client::Slot<Word>> = Array::with_max_entries(capacity::SOURCES + 1, SHARED);

/// Which attributes name a session.
#[map]
static PROFILES: Array<[u8; 256]> = Array::with_max_entries(client::PROFILES, SHARED);

/// Buckets of sessions.
#[map]
static SESSIONS: Array<sessions::Set<Word>> = Array::with_max_entries(sessions::sets(capacity::SESSIONS), SHARED);

/// Requests that userspace has published.
#[map]
static REPLY_TAGS: Array<cached::Tags<Word>> = Array::with_max_entries(cached::sets(capacity::REPLIES), SHARED);
#[map]
static REPLIES: Array<cached::Slot<Word>> =
    Array::with_max_entries(cached::sets(capacity::REPLIES) * cached::WAYS as u32, SHARED);

/// Counters, and what does not fit the stack or must not be known to the verifier: all of a processor's own in one place, so that
/// it is looked up once.
#[map]
static COUNTERS: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);

/// Sampled drops.
#[map]
pub static DROPS: RingBuf = RingBuf::with_byte_size(capacity::DROPS, 0);

/// A number that is set at load: not known to the compiler.
#[inline(always)]
pub fn number(global: &'static u32) -> u32 {
    // SAFETY: a reference is valid to read.
    unsafe { core::ptr::read_volatile(global) }
}

/// The settings.
#[inline(always)]
pub fn settings() -> Option<&'static Settings<Word>> {
    SETTINGS.get(0)
}

struct Sources;

impl Memory<Word, 6> for Sources {
    #[inline(always)]
    fn set(&self, index: u32) -> Option<&Tags<Word>> {
        SOURCE_TAGS.get(index)
    }
    #[inline(always)]
    fn entry(&self, index: u32) -> Option<&[Word; 6]> {
        SOURCES.get(index)
    }
}

struct Services;

impl Memory<Word, 4> for Services {
    #[inline(always)]
    fn set(&self, index: u32) -> Option<&Tags<Word>> {
        SERVICE_TAGS.get(index)
    }
    #[inline(always)]
    fn entry(&self, index: u32) -> Option<&[Word; 4]> {
        SERVICES.get(index)
    }
}

struct Ingresses;

impl Memory<Word, 2> for Ingresses {
    #[inline(always)]
    fn set(&self, index: u32) -> Option<&Tags<Word>> {
        INGRESS_TAGS.get(index)
    }
    #[inline(always)]
    fn entry(&self, index: u32) -> Option<&[Word; 2]> {
        INGRESSES.get(index)
    }
}

/// The domain and index of a way in, of which the key is [`sekisho_abi::IngressKey::words`], as [`sekisho_abi::Ingress::words`].
#[inline(always)]
pub fn ingress(key: u64) -> Option<u64> {
    Some(table::find(&Ingresses, INGRESS_SETS, &[key])?[1].read())
}

/// What one of our ports takes, or the flags of one of our addresses ([`ANY_PORT`]), as the table has it.
#[inline(always)]
pub fn service(address: Address, port: u64) -> Option<u64> {
    let [first, second] = address.words();
    Some(table::find(&Services, SERVICE_SETS, &[first, second, port])?[3].read())
}

/// As [`service`], of an address and a port that most packets go to.
#[inline(always)]
pub fn service_again(scratch: &Scratch, settings: &Settings<Word>, address: Address, port: u64) -> Option<u64> {
    let [first, second] = address.words();
    // With a bit that memory that was never written does not have.
    let now = settings.services.read() | 1 << 63;
    let [one, two, at, word, when] = &scratch.services[port as usize & 1];
    let differences = one.get() ^ first | two.get() ^ second | at.get() ^ port | when.get() ^ now;
    if differences != 0 {
        let found = service(address, port)?;
        one.set(first);
        two.set(second);
        at.set(port);
        word.set(found);
        // Read before the table was: a change meanwhile counts.
        when.set(now);
    }
    Some(word.get())
}

/// Whether one of our addresses carries nothing but RADIUS.
#[inline(always)]
pub fn is_dedicated(address: Address) -> bool {
    service(address, ANY_PORT as u64).is_some_and(|word| AddressFlags(word as u32) == AddressFlags::DEDICATED)
}

/// Notes the entry of the source: its own, or that of the prefix that it lies in. Whether there is one.
#[inline(always)]
pub fn source(scratch: &Scratch, has_prefixes: bool) -> bool {
    let (address, domain) = (scratch.headers.source(), scratch.domain.get());
    let [first, second] = address.words();
    let words = match table::find(&Sources, number(&SOURCE_SETS), &[first, second, domain]) {
        Some(entry) => [entry[3].read(), entry[4].read(), entry[5].read()],
        None if has_prefixes => {
            let data = PrefixKey { domain: (domain as u32).to_be_bytes(), address: address.octets() };
            match PREFIXES.get(&Key::new(160, data)) {
                Some(entry) => entry.words(),
                None => return false,
            }
        }
        None => return false,
    };
    for (kept, word) in scratch.entry.iter().zip(words) {
        kept.set(word);
    }
    true
}

/// What is kept of a contract.
#[inline(always)]
pub fn client(slot: u32) -> Option<&'static client::Slot<Word>> {
    CLIENTS.get(slot)
}

/// Ranks of attribute types.
#[inline(always)]
pub fn profile(index: u32) -> Option<&'static [u8; 256]> {
    PROFILES.get(index)
}

/// The set of buckets that a session belongs to.
#[inline(always)]
pub fn sessions(session: u64) -> Option<&'static sessions::Set<Word>> {
    SESSIONS.get(sessions::set_of(session, number(&SESSION_SETS)))
}

/// Tags of published requests, and the index of the first slot of that set.
#[inline(always)]
pub fn replies(tag: u64) -> Option<(&'static cached::Tags<Word>, u32)> {
    let set = cached::set_of(tag, number(&REPLY_SETS));
    Some((REPLY_TAGS.get(set)?, set.wrapping_mul(cached::WAYS as u32)))
}

/// A published request.
#[inline(always)]
pub fn reply(slot: u32) -> Option<&'static cached::Slot<Word>> {
    REPLIES.get(slot)
}

/// This CPU's own memory.
#[inline(always)]
pub fn scratch() -> Option<&'static Scratch> {
    COUNTERS.get(0)
}
