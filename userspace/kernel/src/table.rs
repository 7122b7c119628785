//! One hash table that the kernel's program looks up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Release},
    },
    thread,
};

use sekisho_abi::{
    settings::Settings,
    table::{Memory, REST, Tags, Writer},
};

use crate::{GateError, memory::Shared};

/// Which table it is, for the kernel and for the operator.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    /// Names of its two maps in the object.
    pub(crate) maps: [&'static str; 2],
    /// What it holds, in the operator's words.
    pub(crate) holds: &'static str,
    /// What to do when it is too small.
    pub(crate) remedy: &'static str,
}

const FEWER_ADDRESSES: &str = "listen on fewer addresses";
const FEWER_PREFIXES: &str = "name fewer prefixes of access networks, or wider ones";

pub(crate) const SOURCES: Name =
    Name { maps: ["SOURCE_TAGS", "SOURCES"], holds: "sources", remedy: "raise xdp.max_sources and restart" };
pub(crate) const CLIENTS: Name =
    Name { maps: ["CLIENTS"; 2], holds: "contracts", remedy: "raise xdp.max_sources and restart" };
pub(crate) const PREFIXES: Name = Name { maps: ["PREFIXES"; 2], holds: "prefixes", remedy: FEWER_PREFIXES };
pub(crate) const PROFILES: Name = Name {
    maps: ["PROFILES"; 2],
    holds: "session identities",
    remedy: "let more contracts share the same session_identity",
};
pub(crate) const SERVICES: Name = Name {
    maps: ["SERVICE_TAGS", "SERVICES"],
    holds: "ports",
    remedy: "listen on fewer ports, or lower upstream.max_ports",
};
pub(crate) const ADDRESSES: Name =
    Name { maps: ["SERVICE_TAGS", "SERVICES"], holds: "service addresses", remedy: FEWER_ADDRESSES };
pub(crate) const INGRESSES: Name =
    Name { maps: ["INGRESS_TAGS", "INGRESSES"], holds: "ingresses", remedy: "name fewer interfaces and VLANs" };

/// A table of entries of `N` words.
pub(crate) struct Table<const N: usize> {
    name: Name,
    writer: Writer<Pair<N>, N>,
    /// Told of every change.
    settings: Option<Arc<Shared<Settings<AtomicU64>>>>,
}

/// Its two maps.
pub(crate) struct Pair<const N: usize> {
    pub(crate) tags: Arc<Shared<Tags<AtomicU64>>>,
    pub(crate) entries: Arc<Shared<[AtomicU64; N]>>,
}

impl<const N: usize> Memory<AtomicU64, N> for Pair<N> {
    fn set(&self, index: u32) -> Option<&Tags<AtomicU64>> {
        self.tags.get(index as usize)
    }

    fn entry(&self, index: u32) -> Option<&[AtomicU64; N]> {
        self.entries.get(index as usize)
    }
}

impl<const N: usize> Table<N> {
    /// The table in these maps, with what is in it.
    pub(crate) fn new(name: Name, memory: Pair<N>) -> Table<N> {
        let sets = memory.tags.len() as u32;
        Table { name, writer: Writer::new(memory, sets), settings: None }
    }

    /// The same, for the table of services: processors remember what they found in it until they are told of a change.
    pub(crate) fn told(self, settings: Arc<Shared<Settings<AtomicU64>>>) -> Table<N> {
        Table { settings: Some(settings), ..self }
    }

    /// Adds an entry, or changes one in place: a packet finds the old value or the new, never none.
    ///
    /// Where places rest that are needed, it waits for them.
    ///
    /// # Errors
    ///
    /// [`GateError::TableFull`].
    pub(crate) fn put<const K: usize, const V: usize>(
        &mut self,
        key: &[u64; K],
        value: &[u64; V],
    ) -> Result<(), GateError> {
        loop {
            if self.writer.put(key, value).is_ok() {
                self.tell();
                return Ok(());
            }
            if !self.writer.rests() {
                let Name { holds, remedy, .. } = self.name;
                let held = self.writer.entries::<K, V>().count();
                return Err(GateError::TableFull { table: holds, capacity: held, needed: held + 1, remedy });
            }
            thread::sleep(REST);
        }
    }

    /// Takes an entry out; whether it was there.
    pub(crate) fn take_out<const K: usize>(&mut self, key: &[u64; K]) -> bool {
        let was_there = self.writer.remove(key);
        self.tell();
        was_there
    }

    fn tell(&self) {
        if let Some(settings) = self.settings.as_ref().and_then(|settings| settings.first()) {
            settings.services.fetch_add(1, Release);
        }
    }

    /// The value of an entry.
    pub(crate) fn find<const K: usize, const V: usize>(&self, key: &[u64; K]) -> Option<[u64; V]> {
        self.writer.get(key)
    }

    /// Every entry.
    pub(crate) fn entries<const K: usize, const V: usize>(&self) -> impl Iterator<Item = ([u64; K], [u64; V])> + '_ {
        self.writer.entries()
    }
}

/// Refuses what would not fit.
pub(crate) fn fits(name: Name, needed: usize, capacity: u32) -> Result<(), GateError> {
    let capacity = capacity as usize;
    if needed > capacity {
        return Err(GateError::TableFull { table: name.holds, capacity, needed, remedy: name.remedy });
    }
    Ok(())
}
