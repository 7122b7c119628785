//! The table of prefixes: the one that the kernel keeps itself.

use std::collections::{BTreeSet, HashMap};

use aya::maps::{
    MapData, MapError,
    lpm_trie::{Key, LpmTrie},
};
use sekisho_abi::{AddressBytes, Entry, Prefix, PrefixKey};

use crate::{GateError, object::Raw, table};

/// The trie, and what is in it.
pub(crate) struct Prefixes {
    map: LpmTrie<MapData, Raw<PrefixKey>, Raw<Entry>>,
    present: HashMap<Prefix, Entry>,
    /// The lengths that there are, or were.
    lengths: BTreeSet<u8>,
}

impl Prefixes {
    /// The trie of this map, with what is in it.
    pub(crate) fn new(map: LpmTrie<MapData, Raw<PrefixKey>, Raw<Entry>>) -> Result<Prefixes, GateError> {
        let mut present = HashMap::new();
        for found in map.iter() {
            let (key, Raw(entry)) = found.map_err(|source| failed("read", source))?;
            present.insert(prefix(&key), entry);
        }
        let lengths = present.keys().map(|prefix| prefix.length).collect();
        Ok(Prefixes { map, present, lengths })
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.present.is_empty()
    }

    /// Those that are there.
    pub(crate) fn present(&self) -> &HashMap<Prefix, Entry> {
        &self.present
    }

    /// The entry that an address without one of its own has.
    pub(crate) fn around(&self, domain: u32, address: &AddressBytes) -> Option<&Entry> {
        let around = |length: &u8| {
            let beyond = u128::MAX.checked_shr(u32::from(*length)).unwrap_or(0);
            let address = (u128::from_be_bytes(*address) & !beyond).to_be_bytes();
            self.present.get(&Prefix { domain, address, length: *length })
        };
        self.lengths.iter().rev().find_map(around)
    }

    /// Adds a prefix or changes its entry.
    pub(crate) fn put(&mut self, prefix: Prefix, entry: Entry) -> Result<(), GateError> {
        self.map.insert(&key(&prefix), Raw(entry), 0).map_err(|source| failed("changed", source))?;
        self.lengths.insert(prefix.length);
        self.present.insert(prefix, entry);
        Ok(())
    }

    /// Takes a prefix out.
    pub(crate) fn take_out(&mut self, prefix: &Prefix) -> Result<(), GateError> {
        match self.map.remove(&key(prefix)) {
            Ok(()) | Err(MapError::KeyNotFound | MapError::ElementNotFound) => {}
            Err(MapError::SyscallError(error)) if error.io_error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed("changed", source)),
        }
        self.present.remove(prefix);
        Ok(())
    }
}

/// Whether two prefixes share addresses.
pub(crate) fn overlap(one: &Prefix, other: &Prefix) -> bool {
    one.domain == other.domain && (one.contains(&other.address) || other.contains(&one.address))
}

fn key(prefix: &Prefix) -> Key<Raw<PrefixKey>> {
    let (length, data) = prefix.key();
    Key::new(length, Raw(data))
}

fn prefix(key: &Key<Raw<PrefixKey>>) -> Prefix {
    let Raw(PrefixKey { domain, address }) = key.data();
    let length = key.prefix_len().saturating_sub(32).min(128) as u8;
    Prefix { domain: u32::from_be_bytes(domain), address, length }
}

fn failed(action: &'static str, source: MapError) -> GateError {
    GateError::Table { table: table::PREFIXES.holds, action, source }
}
