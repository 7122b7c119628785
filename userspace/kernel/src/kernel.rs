//! The loaded program and its tables.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    path::Path,
    sync::PoisonError,
};

use aya::{
    Ebpf, EbpfError, EbpfLoader,
    programs::{ProgramError, Xdp},
};
use sekisho_abi::{SourceKey, capacity, gate::GateTable};

use crate::{
    Diff, GateError, GateOptions, diagnostics,
    image::Image,
    layout::Sizes,
    maps::{Maps, address_words},
    object::{OBJECT, PROGRAM},
    pins::Pins,
    quiet::Quiet,
    table::{self, Table},
};

/// Where the maps come from.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'p> {
    /// They are made, and go with the program.
    New,
    /// They are made, and pinned beside those that are there.
    Staged(&'p Pins),
    /// An earlier process left them there.
    Left(&'p Path),
}

/// The loaded program and its tables.
pub(crate) struct Kernel {
    /// Holds the program, and links that are not pinned: dropping it detaches those.
    pub(crate) ebpf: Ebpf,
    pub(crate) maps: Maps,
    pub(crate) sizes: Sizes,
    /// What should be in the tables, from the last [`Kernel::add`].
    wanted: Image,
}

impl Kernel {
    /// Loads the program. New maps are empty.
    pub(crate) fn load(options: &GateOptions, origin: Origin<'_>) -> Result<Kernel, GateError> {
        let explained = |error| diagnostics::loading(error, options.verifier_log.as_deref());
        let sizes = Sizes::of(options);
        let injected_clock = u32::from(options.injects_clock());
        let mut loader = EbpfLoader::new();
        loader.override_global("SOURCE_SETS", &sizes.source_sets, true);
        loader.override_global("SESSION_SETS", &sizes.session_sets, true);
        loader.override_global("REPLY_SETS", &sizes.reply_sets, true);
        loader.override_global("INJECTED_CLOCK", &injected_clock, true);
        for map in sizes.maps() {
            if map.is_sized() {
                loader.map_max_entries(map.name, map.entries);
            }
            if let Origin::Left(directory) = origin {
                loader.map_pin_path(map.name, directory.join(map.name));
            }
        }
        let mut ebpf = loader.load(OBJECT).map_err(explained)?;
        let quiet = Quiet::begin().map_err(|error| explained(ProgramError::IOError(error).into()))?;
        program_of(&mut ebpf)?.load().map_err(|error| explained(EbpfError::from(error)))?;
        drop(quiet);
        if let Origin::Staged(pins) = origin {
            pins.stage(&ebpf, sizes)?;
        }
        Ok(Kernel { maps: Maps::take(&mut ebpf, sizes)?, ebpf, sizes, wanted: Image::default() })
    }

    pub(crate) fn program(&mut self) -> Result<&mut Xdp, GateError> {
        program_of(&mut self.ebpf)
    }

    /// First step of a change: everything of both tables holds.
    pub(crate) fn add(&mut self, table: &GateTable) -> Result<Diff, GateError> {
        let new = Image::from(table);
        let Maps { sources, services, ingresses, present, .. } = &mut self.maps;
        room(table::SERVICES, &present.services, &new.services, capacity::SERVICES)?;
        room(table::ADDRESSES, &present.addresses, &new.addresses, capacity::ADDRESSES)?;
        room(table::INGRESSES, &present.ingresses, &new.ingresses, capacity::INGRESSES)?;

        let mut diff = Diff::default();
        sources.add(table, &mut diff)?;
        for (key, ingress) in &new.ingresses {
            put(ingresses, &mut present.ingresses, *key, key.words(), *ingress, ingress.words(), &mut diff)?;
        }
        let mut services = services.lock().unwrap_or_else(PoisonError::into_inner);
        for (address, flags) in &new.addresses {
            let (key, value) = (address_words(*address), [u64::from(flags.0)]);
            put(&mut services.table, &mut present.addresses, *address, key, *flags, value, &mut diff)?;
        }
        for (key, service) in &new.services {
            put(&mut services.table, &mut present.services, *key, key.words(), *service, service.words(), &mut diff)?;
        }
        drop(services);
        self.wanted = new;
        Ok(diff)
    }

    /// Second step: what the new table does not have goes.
    pub(crate) fn remove(&mut self, retiring: &HashSet<SourceKey>) -> Result<Diff, GateError> {
        let Kernel { maps: Maps { sources, services, ingresses, present, .. }, wanted, .. } = self;
        let mut diff = Diff::default();
        let mut services = services.lock().unwrap_or_else(PoisonError::into_inner);
        clear(&mut services.table, &mut present.services, &wanted.services, |key| key.words(), &mut diff);
        clear(&mut services.table, &mut present.addresses, &wanted.addresses, |key| address_words(*key), &mut diff);
        drop(services);
        clear(ingresses, &mut present.ingresses, &wanted.ingresses, |key| key.words(), &mut diff);
        sources.remove(retiring, &mut diff)?;
        Ok(diff)
    }
}

/// The program in the object, loaded or not.
fn program_of(ebpf: &mut Ebpf) -> Result<&mut Xdp, GateError> {
    let program = ebpf.program_mut(PROGRAM).ok_or(ProgramError::UnexpectedProgramType);
    let program = program.and_then(TryInto::try_into);
    program.map_err(|error: ProgramError| GateError::Load { source: Box::new(EbpfError::from(error)) })
}

/// Refuses a table that could not be loaded into new maps of these sizes.
pub(crate) fn fits(table: &GateTable, max_sources: u32) -> Result<(), GateError> {
    let image = Image::from(table);
    table::fits(table::SOURCES, table.sources.len(), max_sources)?;
    table::fits(table::PREFIXES, table.prefixes.iter().count(), capacity::PREFIXES)?;
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

fn put<K: Eq + Hash, V: Eq, const N: usize, const A: usize, const B: usize>(
    table: &mut Table<N>,
    present: &mut HashMap<K, V>,
    key: K,
    key_words: [u64; A],
    value: V,
    value_words: [u64; B],
    diff: &mut Diff,
) -> Result<(), GateError> {
    let old = present.get(&key);
    if old == Some(&value) {
        return Ok(());
    }
    table.put(&key_words, &value_words)?;
    match old {
        Some(_) => diff.changed += 1,
        None => diff.added += 1,
    }
    present.insert(key, value);
    Ok(())
}

fn clear<K: Eq + Hash + Copy, V, const N: usize, const A: usize>(
    table: &mut Table<N>,
    present: &mut HashMap<K, V>,
    wanted: &HashMap<K, V>,
    words: impl Fn(&K) -> [u64; A],
    diff: &mut Diff,
) {
    present.retain(|key, _| {
        let stays = wanted.contains_key(key);
        if !stays {
            table.take_out(&words(key));
            diff.removed += 1;
        }
        stays
    });
}
