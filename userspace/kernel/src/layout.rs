//! The maps: what each is called, of what kind and how large it is. What is mapped, adopted or told of comes from here.

use aya::maps::{MapInfo, MapType};
use sekisho_abi::{
    Entry, PrefixKey, cached, capacity, client, sessions,
    settings::Settings,
    table::{self, Tags, WAYS},
};

use crate::GateOptions;

/// `BPF_F_MMAPABLE`: userspace may map it.
pub(crate) const SHARED: u32 = 1 << 10;
/// `BPF_F_NO_PREALLOC`, which a trie wants.
const UNALLOCATED: u32 = 1;

/// Numbers of sets, which the operator's settings decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Sources, and contracts besides nobody.
    pub(crate) sources: u32,
    pub(crate) source_sets: u32,
    pub(crate) session_sets: u32,
    pub(crate) reply_sets: u32,
}

/// One map.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Map {
    /// Its name in the object, and where it is pinned.
    pub(crate) name: &'static str,
    kind: MapType,
    key: usize,
    value: usize,
    pub(crate) entries: u32,
    flags: u32,
}

impl Sizes {
    pub(crate) fn of(options: &GateOptions) -> Sizes {
        // A table that nobody asked for keeps one set: the kernel has no empty maps.
        Sizes {
            sources: options.max_sources.max(1),
            source_sets: table::sets(options.max_sources.max(1)),
            session_sets: sessions::sets(options.max_sessions.max(1)),
            reply_sets: cached::sets(options.max_replies.max(1)),
        }
    }

    /// All maps that outlive the program.
    pub(crate) fn maps(&self) -> [Map; 15] {
        let Sizes { sources, source_sets, session_sets, reply_sets } = *self;
        let (service_sets, ingress_sets) = (table::sets(capacity::SERVICES), table::sets(capacity::INGRESSES));
        let tags = size_of::<Tags<u64>>();
        let ways = WAYS as u32;
        [
            shared("SETTINGS", size_of::<Settings<u64>>(), 1),
            shared("SOURCE_TAGS", tags, source_sets),
            shared("SOURCES", 6 * 8, source_sets * ways),
            Map {
                name: "PREFIXES",
                kind: MapType::LpmTrie,
                key: 4 + size_of::<PrefixKey>(),
                value: size_of::<Entry>(),
                entries: capacity::PREFIXES,
                flags: UNALLOCATED,
            },
            shared("SERVICE_TAGS", tags, service_sets),
            shared("SERVICES", 4 * 8, service_sets * ways),
            shared("INGRESS_TAGS", tags, ingress_sets),
            shared("INGRESSES", 2 * 8, ingress_sets * ways),
            shared("CLIENTS", size_of::<client::Slot<u64>>(), sources.saturating_add(1)),
            shared("PROFILES", 256, client::PROFILES),
            shared("SESSIONS", size_of::<sessions::Set<u64>>(), session_sets),
            shared("REPLY_TAGS", size_of::<cached::Tags<u64>>(), reply_sets),
            shared("REPLIES", size_of::<cached::Slot<u64>>(), reply_sets * cached::WAYS as u32),
            Map {
                name: "COUNTERS",
                kind: MapType::PerCpuArray,
                key: 4,
                value: capacity::PROCESSOR_WORDS * 8,
                entries: 1,
                flags: 0,
            },
            Map { name: "DROPS", kind: MapType::RingBuf, key: 0, value: 0, entries: capacity::DROPS, flags: 0 },
        ]
    }
}

fn shared(name: &'static str, value: usize, entries: u32) -> Map {
    Map { name, kind: MapType::Array, key: 4, value, entries, flags: SHARED }
}

impl Map {
    /// Whether a map of the kernel is like this one.
    pub(crate) fn is(&self, info: &MapInfo) -> bool {
        info.map_type().is_ok_and(|kind| kind == self.kind)
            && info.key_size() as usize == self.key
            && info.value_size() as usize == self.value
            && info.max_entries() == self.entries
            && info.map_flags() == self.flags
    }

    /// Octets that its elements take. A prefix takes its node besides, and only while it is there; counters take as much on every
    /// processor.
    pub(crate) fn octets(&self) -> u64 {
        let element = if self.kind == MapType::RingBuf { 1 } else { self.value.next_multiple_of(8) as u64 };
        element * u64::from(self.entries)
    }

    /// Whether it is an array whose size the operator's settings decide.
    pub(crate) fn is_sized(&self) -> bool {
        self.kind == MapType::Array
    }
}
