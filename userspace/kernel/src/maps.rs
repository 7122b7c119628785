//! The loaded program's maps, each as what it is for us.

use std::sync::{
    Arc, Mutex,
    atomic::{
        AtomicU64,
        Ordering::{Relaxed, Release},
    },
};

use aya::{
    Ebpf,
    maps::{LpmTrie, Map, MapData, MapError, PerCpuArray, RingBuf},
};
use sekisho_abi::{
    AddressBytes, Ingress, IngressKey, LAYOUT_VERSION, PortKind, Service, ServiceKey, cached,
    service::{ANY_PORT, AddressFlags},
    settings::Settings,
};

use crate::{
    GateError,
    clients::{Clients, Slots},
    counters::Processor,
    image::Image,
    layout::Sizes,
    memory::{Shared, Words},
    ports::{Ports, Services},
    prefixes::Prefixes,
    profiles::Profiles,
    sources::Sources,
    table::{self, Name, Pair, Table},
};

/// One slot of a published request, as words.
pub(crate) type ReplyWords = [AtomicU64; size_of::<cached::Slot<u64>>() / 8];

/// All maps.
pub(crate) struct Maps {
    pub(crate) settings: Arc<Shared<Settings<AtomicU64>>>,
    pub(crate) sources: Sources,
    pub(crate) services: Services,
    pub(crate) ingresses: Table<2>,
    pub(crate) slots: Slots,
    pub(crate) reply_tags: Arc<Shared<cached::Tags<AtomicU64>>>,
    pub(crate) replies: Arc<Shared<ReplyWords>>,
    pub(crate) counters: PerCpuArray<MapData, Processor>,
    pub(crate) drops: Option<RingBuf<MapData>>,
    /// Ports, addresses and ways in that were found.
    pub(crate) present: Image,
}

impl Maps {
    /// Takes the maps out of the loaded object. Those of an earlier process are read; its ports toward home servers are no
    /// more.
    pub(crate) fn take(ebpf: &mut Ebpf, sizes: Sizes) -> Result<Maps, GateError> {
        let settings: Arc<Shared<Settings<AtomicU64>>> = Arc::new(shared(ebpf, "SETTINGS", "settings")?);
        seed(&settings)?;
        let slots: Slots = Arc::new(shared(ebpf, "CLIENTS", table::CLIENTS.holds)?);
        let profiles = Profiles::new(Arc::new(shared(ebpf, "PROFILES", table::PROFILES.holds)?));
        let clients = Clients::new(Arc::clone(&slots), profiles);
        let trie = taken(ebpf, "PREFIXES", table::PREFIXES.holds, LpmTrie::try_from)?;
        let prefixes = Prefixes::new(trie)?;
        let sources = Table::new(table::SOURCES, pair(ebpf, table::SOURCES)?);
        let mut services = Table::new(table::SERVICES, pair(ebpf, table::SERVICES)?).told(Arc::clone(&settings));
        let ingresses = Table::new(table::INGRESSES, pair(ebpf, table::INGRESSES)?);
        let present = found(&mut services, &ingresses);
        Ok(Maps {
            sources: Sources::new(sources, prefixes, clients, Arc::clone(&settings), sizes.sources),
            settings,
            services: Arc::new(Mutex::new(Ports { table: services, upstream: 0 })),
            ingresses,
            slots,
            reply_tags: Arc::new(shared(ebpf, "REPLY_TAGS", "replies")?),
            replies: Arc::new(shared(ebpf, "REPLIES", "replies")?),
            counters: taken(ebpf, "COUNTERS", "counters", PerCpuArray::try_from)?,
            drops: Some(taken(ebpf, "DROPS", "drops", RingBuf::try_from)?),
            present,
        })
    }
}

/// Gives new maps their seed and version; those that have one keep it.
fn seed(settings: &Shared<Settings<AtomicU64>>) -> Result<(), GateError> {
    let Some(settings) = settings.first() else { return Ok(()) };
    if settings.version.load(Relaxed) == u64::from(LAYOUT_VERSION) {
        return Ok(());
    }
    for word in &settings.seed {
        let mut octets = [0; 8];
        let filled = rustix::rand::getrandom(&mut octets, rustix::rand::GetRandomFlags::empty());
        if filled != Ok(octets.len()) {
            let source = filled.err().map_or_else(|| std::io::Error::other("too few octets"), Into::into);
            return Err(GateError::Seed { source });
        }
        word.store(u64::from_ne_bytes(octets), Release);
    }
    settings.version.store(u64::from(LAYOUT_VERSION), Release);
    Ok(())
}

/// What an earlier process left, without its ports toward home servers.
fn found(services: &mut Table<4>, ingresses: &Table<2>) -> Image {
    let mut image = Image::default();
    let mut upstream = Vec::new();
    for (key, value) in services.entries::<3, 1>() {
        let (ServiceKey { address, port }, service) = (ServiceKey::from_words(key), Service::from_words(value));
        if port == ANY_PORT {
            image.addresses.insert(address, flags(value));
        } else if service.kind == PortKind::Upstream as u32 {
            upstream.push(key);
        } else {
            image.services.insert(ServiceKey { address, port }, service);
        }
    }
    for key in upstream {
        services.take_out(&key);
    }
    let ways = ingresses.entries::<1, 1>();
    image.ingresses = ways.map(|(key, way)| (IngressKey::from_words(key), Ingress::from_words(way))).collect();
    image
}

/// Key of a service address itself.
pub(crate) fn address_words(address: AddressBytes) -> [u64; 3] {
    ServiceKey { address, port: ANY_PORT }.words()
}

fn flags([word]: [u64; 1]) -> AddressFlags {
    AddressFlags(word as u32)
}

fn pair<const N: usize>(ebpf: &mut Ebpf, name: Name) -> Result<Pair<N>, GateError> {
    let [tags, entries] = name.maps;
    Ok(Pair { tags: Arc::new(shared(ebpf, tags, name.holds)?), entries: Arc::new(shared(ebpf, entries, name.holds)?) })
}

fn shared<T: Words>(ebpf: &mut Ebpf, name: &'static str, holds: &'static str) -> Result<Shared<T>, GateError> {
    let map = ebpf.map(name).ok_or(MapError::InvalidName { name: name.to_owned() });
    let data = map.and_then(|map| match map {
        Map::Array(data) => Ok(data),
        _ => Err(MapError::InvalidName { name: name.to_owned() }),
    });
    Shared::map(data.map_err(|source| GateError::Table { table: holds, action: "read", source })?, holds)
}

fn taken<T>(
    ebpf: &mut Ebpf,
    name: &'static str,
    table: &'static str,
    into: impl Fn(Map) -> Result<T, MapError>,
) -> Result<T, GateError> {
    let map = ebpf.take_map(name).ok_or(MapError::InvalidName { name: name.to_owned() });
    map.and_then(into).map_err(|source| GateError::Table { table, action: "read", source })
}
