//! The gate: opened, changed, read, dropped.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use aya::{
    Ebpf, EbpfError, EbpfLoader,
    maps::{MapData, MapError, PerCpuArray},
    programs::{ProgramError, Xdp},
};
use sekisho_abi::{AddressBytes, Entry, Ingress, IngressKey, Service, ServiceKey, Source, SourceKey, capacity};
use sekisho_abi::{gate::GateTable, service::AddressFlags};

use crate::{
    Attachment, Counters, GateError, GateOptions, Mode, UpstreamPorts, attach, diagnostics,
    image::{self, Image},
    object::{OBJECT, PROGRAM, Plain},
    table::{self, Table},
};

/// The XDP gate of this process. Dropping it detaches the program and frees its tables.
///
/// Nothing is pinned yet: that a new process adopts the links and maps of an old one has its place in
/// [`Gate::open`], between loading and attaching.
pub struct Gate {
    /// `None` where the gate is off on every interface.
    kernel: Option<Kernel>,
    attached: Vec<Attachment>,
}

/// What a step of a reload did, entries of all tables together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Entries that were not there before.
    pub added: usize,
    /// Entries whose value changed in place.
    pub changed: usize,
    /// Entries that are gone.
    pub removed: usize,
}

/// The loaded program and its tables.
pub(crate) struct Kernel {
    /// Holds program and links: dropping it detaches.
    pub(crate) ebpf: Ebpf,
    sources: Table<SourceKey, Entry>,
    services: Arc<Mutex<Table<ServiceKey, Service>>>,
    addresses: Table<AddressBytes, AddressFlags>,
    ingresses: Table<IngressKey, Ingress>,
    counters: PerCpuArray<MapData, u64>,
    max_sources: u32,
    /// What is in the tables now.
    present: Image,
    /// What should be there, from the last [`Gate::add`].
    wanted: Image,
}

impl Gate {
    /// Loads the program, fills its tables, then attaches it to the interfaces: it never judges by half a table.
    ///
    /// # Errors
    ///
    /// With [`Mode::Auto`], only a missing interface and a table that is too small are errors: all else is told by
    /// [`Gate::attached`]. Should one of several interfaces fail, none stays attached.
    pub fn open(options: &GateOptions, table: &GateTable) -> Result<Gate, GateError> {
        let off = |reason: Option<String>| {
            let attached = options.interfaces.iter().map(|interface| attach::off(interface, reason.clone()));
            Gate { kernel: None, attached: attached.collect() }
        };
        if options.mode == Mode::Off {
            return Ok(off(None));
        }
        for interface in &options.interfaces {
            diagnostics::interface_index(interface)?;
        }
        let image = Image::from(table);
        fits(&image, options.max_sources)?;
        let mut kernel = match Kernel::load(options, image) {
            Ok(kernel) => kernel,
            Err(error) if options.mode == Mode::Auto => return Ok(off(Some(error.to_string()))),
            Err(error) => return Err(error),
        };
        let mut attached: Vec<Attachment> = Vec::with_capacity(options.interfaces.len());
        for interface in &options.interfaces {
            if attached.iter().all(|earlier| earlier.interface != *interface) {
                attached.push(attach::attach(kernel.program()?, interface, options.mode)?);
            }
        }
        Ok(Gate { kernel: Some(kernel), attached })
    }

    /// Each interface and how the gate is attached to it.
    pub fn attached(&self) -> &[Attachment] {
        &self.attached
    }

    /// First step of a reload: adds and changes entries so that old and new configuration both hold.
    ///
    /// A source that is in both keeps what the old one allowed until [`Gate::remove`]. Sources come before the services
    /// that they use. Where it fails for lack of room nothing is changed.
    ///
    /// # Errors
    ///
    /// [`GateError::TableFull`] where old and new entries together do not fit, or what the kernel says.
    pub fn add(&mut self, new: &GateTable) -> Result<Diff, GateError> {
        match &mut self.kernel {
            Some(kernel) => kernel.add(Image::from(new)),
            None => Ok(Diff::default()),
        }
    }

    /// Second step of a reload: removes what the table of the last [`Gate::add`] no longer has.
    ///
    /// The sources in `retiring` keep the role of a home server if they had it, so that replies that are still awaited
    /// come in; another call without them removes that too.
    ///
    /// # Errors
    ///
    /// What the kernel says. Calling again goes on where it stopped.
    pub fn remove(&mut self, retiring: &HashSet<SourceKey>) -> Result<Diff, GateError> {
        match &mut self.kernel {
            Some(kernel) => kernel.remove(retiring),
            None => Ok(Diff::default()),
        }
    }

    /// A handle for workers that open ports toward home servers. Where the gate is off it does nothing.
    pub fn ports(&self) -> UpstreamPorts {
        match &self.kernel {
            Some(kernel) => UpstreamPorts::new(Arc::clone(&kernel.services)),
            None => UpstreamPorts::default(),
        }
    }

    /// What the gate has counted; zeros where it is off.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn counters(&self) -> Result<Counters, GateError> {
        match &self.kernel {
            Some(kernel) => Counters::read(&kernel.counters),
            None => Ok(Counters::zero()),
        }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn kernel(&self) -> Option<&Kernel> {
        self.kernel.as_ref()
    }
}

impl Kernel {
    fn load(options: &GateOptions, image: Image) -> Result<Kernel, GateError> {
        diagnostics::preconditions()?;
        let explained = |error| diagnostics::loading(error, options.verifier_log.as_deref());
        let mut loader = EbpfLoader::new();
        loader.map_max_entries(table::SOURCES.map, options.max_sources.max(1));
        let mut ebpf = loader.load(OBJECT).map_err(explained)?;
        program_of(&mut ebpf)?.load().map_err(|error| explained(EbpfError::from(error)))?;
        let counters = ebpf.take_map("COUNTERS").ok_or(MapError::InvalidName { name: "COUNTERS".to_owned() });
        let counters = counters.and_then(PerCpuArray::try_from);
        let mut kernel = Kernel {
            sources: Table::take(&mut ebpf, table::SOURCES)?,
            services: Arc::new(Mutex::new(Table::take(&mut ebpf, table::SERVICES)?)),
            addresses: Table::take(&mut ebpf, table::ADDRESSES)?,
            ingresses: Table::take(&mut ebpf, table::INGRESSES)?,
            counters: counters.map_err(|error| explained(EbpfError::from(error)))?,
            ebpf,
            max_sources: options.max_sources,
            present: Image::default(),
            wanted: Image::default(),
        };
        kernel.add(image)?;
        Ok(kernel)
    }

    fn program(&mut self) -> Result<&mut Xdp, GateError> {
        program_of(&mut self.ebpf)
    }

    fn add(&mut self, new: Image) -> Result<Diff, GateError> {
        let Kernel { present, .. } = self;
        room(table::SOURCES, &present.sources, &new.sources, self.max_sources)?;
        room(table::SERVICES, &present.services, &new.services, capacity::SERVICES)?;
        room(table::ADDRESSES, &present.addresses, &new.addresses, capacity::ADDRESSES)?;
        room(table::INGRESSES, &present.ingresses, &new.ingresses, capacity::INGRESSES)?;

        let mut diff = Diff::default();
        for (key, source) in &new.sources {
            let source = present.sources.get(key).map_or(*source, |old| image::widened(*old, *source));
            put_as(&mut self.sources, &mut present.sources, *key, source, source.entry(0), &mut diff)?;
        }
        for (key, ingress) in &new.ingresses {
            put(&mut self.ingresses, &mut present.ingresses, *key, *ingress, &mut diff)?;
        }
        for (key, flags) in &new.addresses {
            put(&mut self.addresses, &mut present.addresses, *key, *flags, &mut diff)?;
        }
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, service) in &new.services {
            put(&mut services, &mut present.services, *key, *service, &mut diff)?;
        }
        drop(services);
        self.wanted = new;
        Ok(diff)
    }

    fn remove(&mut self, retiring: &HashSet<SourceKey>) -> Result<Diff, GateError> {
        let Kernel { present, wanted, .. } = self;
        let mut diff = Diff::default();
        let mut services = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        clear(&mut services, &mut present.services, &wanted.services, &mut diff)?;
        drop(services);
        clear(&mut self.addresses, &mut present.addresses, &wanted.addresses, &mut diff)?;
        clear(&mut self.ingresses, &mut present.ingresses, &wanted.ingresses, &mut diff)?;
        let keys: Vec<(SourceKey, Source)> = present.sources.iter().map(|(key, source)| (*key, *source)).collect();
        for (key, old) in keys {
            match image::settled(old, wanted.sources.get(&key).copied(), retiring.contains(&key)) {
                Some(source) => {
                    put_as(&mut self.sources, &mut present.sources, key, source, source.entry(0), &mut diff)?
                }
                None => take_out(&mut self.sources, &mut present.sources, key, &mut diff)?,
            }
        }
        Ok(diff)
    }
}

/// The program in the object, loaded or not.
pub(crate) fn program_of(ebpf: &mut Ebpf) -> Result<&mut Xdp, GateError> {
    let program = ebpf.program_mut(PROGRAM).ok_or(ProgramError::UnexpectedProgramType);
    let program = program.and_then(TryInto::try_into);
    program.map_err(|error: ProgramError| GateError::Load { source: Box::new(EbpfError::from(error)) })
}

fn fits(image: &Image, max_sources: u32) -> Result<(), GateError> {
    table::fits(table::SOURCES, image.sources.len(), max_sources)?;
    table::fits(table::SERVICES, image.services.len(), capacity::SERVICES)?;
    table::fits(table::ADDRESSES, image.addresses.len(), capacity::ADDRESSES)?;
    table::fits(table::INGRESSES, image.ingresses.len(), capacity::INGRESSES)
}

/// Whether old and new entries together fit.
fn room<K: Eq + Hash, V>(
    name: table::Name,
    old: &HashMap<K, V>,
    new: &HashMap<K, V>,
    capacity: u32,
) -> Result<(), GateError> {
    let added = new.keys().filter(|key| !old.contains_key(key)).count();
    table::fits(name, old.len() + added, capacity)
}

fn put<K: Plain + Eq + Hash, V: Plain + Eq>(
    table: &mut Table<K, V>,
    present: &mut HashMap<K, V>,
    key: K,
    value: V,
    diff: &mut Diff,
) -> Result<(), GateError> {
    put_as(table, present, key, value, value, diff)
}

/// As [`put`], for a value that the kernel has in another form.
fn put_as<K: Plain + Eq + Hash, V: Copy + Eq, S: Plain>(
    table: &mut Table<K, S>,
    present: &mut HashMap<K, V>,
    key: K,
    value: V,
    stored: S,
    diff: &mut Diff,
) -> Result<(), GateError> {
    let old = present.get(&key);
    if old == Some(&value) {
        return Ok(());
    }
    table.put(key, stored)?;
    match old {
        Some(_) => diff.changed += 1,
        None => diff.added += 1,
    }
    present.insert(key, value);
    Ok(())
}

fn take_out<K: Plain + Eq + Hash, V, S: Plain>(
    table: &mut Table<K, S>,
    present: &mut HashMap<K, V>,
    key: K,
    diff: &mut Diff,
) -> Result<(), GateError> {
    table.take_out(key)?;
    present.remove(&key);
    diff.removed += 1;
    Ok(())
}

fn clear<K: Plain + Eq + Hash, V: Plain>(
    table: &mut Table<K, V>,
    present: &mut HashMap<K, V>,
    wanted: &HashMap<K, V>,
    diff: &mut Diff,
) -> Result<(), GateError> {
    let gone: Vec<K> = present.keys().filter(|key| !wanted.contains_key(key)).copied().collect();
    for key in gone {
        take_out(table, present, key, diff)?;
    }
    Ok(())
}
