//! One hash table of the kernel.

use aya::{
    Ebpf,
    maps::{HashMap, MapData, MapError},
};

use crate::{
    GateError,
    object::{Plain, Raw},
};

/// Which table it is, for the kernel and for the operator.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    /// Name of the map in the object.
    pub(crate) map: &'static str,
    /// What it holds, in the operator's words.
    pub(crate) holds: &'static str,
    /// What to do when it is too small.
    pub(crate) remedy: &'static str,
}

pub(crate) const SOURCES: Name = Name { map: "SOURCES", holds: "sources", remedy: "raise xdp.max_sources and restart" };
pub(crate) const SERVICES: Name =
    Name { map: "SERVICES", holds: "ports", remedy: "listen on fewer ports, or lower upstream.max_ports" };
pub(crate) const ADDRESSES: Name =
    Name { map: "ADDRESSES", holds: "service addresses", remedy: "listen on fewer addresses" };
pub(crate) const INGRESSES: Name =
    Name { map: "INGRESSES", holds: "ingresses", remedy: "name fewer interfaces and VLANs" };

/// A hash table of the kernel.
pub(crate) struct Table<K: Plain, V: Plain> {
    name: Name,
    map: HashMap<MapData, Raw<K>, Raw<V>>,
}

impl<K: Plain, V: Plain> Table<K, V> {
    /// Takes the map out of the loaded object.
    pub(crate) fn take(ebpf: &mut Ebpf, name: Name) -> Result<Table<K, V>, GateError> {
        let missing = || MapError::InvalidName { name: name.map.to_owned() };
        let map = ebpf.take_map(name.map).ok_or_else(missing).and_then(HashMap::try_from);
        match map {
            Ok(map) => Ok(Table { name, map }),
            Err(source) => Err(GateError::Table { table: name.holds, action: "read", source }),
        }
    }

    /// Adds an entry or changes one in place: a packet finds the old value or the new, never none.
    pub(crate) fn put(&mut self, key: K, value: V) -> Result<(), GateError> {
        self.map.insert(Raw(key), Raw(value), 0).map_err(|source| self.changing(source))
    }

    /// Removes an entry, if it is there.
    pub(crate) fn take_out(&mut self, key: K) -> Result<(), GateError> {
        match self.map.remove(&Raw(key)) {
            Ok(()) | Err(MapError::KeyNotFound | MapError::ElementNotFound) => Ok(()),
            Err(MapError::SyscallError(error)) if is_absent(&error.io_error) => Ok(()),
            Err(source) => Err(self.changing(source)),
        }
    }

    /// The value of an entry.
    pub(crate) fn find(&self, key: K) -> Result<Option<V>, GateError> {
        match self.map.get(&Raw(key), 0) {
            Ok(Raw(value)) => Ok(Some(value)),
            Err(MapError::KeyNotFound | MapError::ElementNotFound) => Ok(None),
            Err(source) => Err(GateError::Table { table: self.name.holds, action: "read", source }),
        }
    }

    fn changing(&self, source: MapError) -> GateError {
        GateError::Table { table: self.name.holds, action: "changed", source }
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

fn is_absent(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}
