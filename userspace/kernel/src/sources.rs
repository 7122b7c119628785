//! Sources and prefixes: changed in two steps, between which everything of the old and the new table holds.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::AcqRel},
    },
};

use sekisho_abi::{
    Entry, Prefix, SourceKey, capacity,
    gate::GateTable,
    settings::{HAS_PREFIXES, Settings},
};

use crate::{
    Diff, GateError,
    clients::Clients,
    image::{settled, widened},
    memory::Shared,
    prefixes::{self, Prefixes},
    table::{self, Table},
};

/// The tables, and what the second step still has to do in them.
///
/// What is in the table of sources is not remembered besides: the table is at hand.
pub(crate) struct Sources {
    table: Table<6>,
    prefixes: Prefixes,
    clients: Clients,
    settings: Arc<Shared<Settings<AtomicU64>>>,
    /// Sources in the table.
    held: usize,
    max_sources: u32,
    /// Sources whose entry is not yet what it should be, and what that is.
    unsettled: HashMap<SourceKey, Option<Entry>>,
    unsettled_prefixes: HashMap<Prefix, Option<Entry>>,
}

impl Sources {
    /// The tables in these maps, with what is in them.
    pub(crate) fn new(
        table: Table<6>,
        prefixes: Prefixes,
        mut clients: Clients,
        settings: Arc<Shared<Settings<AtomicU64>>>,
        max_sources: u32,
    ) -> Sources {
        let mut held = 0;
        for (_, entry) in table.entries::<3, 3>() {
            held += 1;
            clients.used(Entry::from_words(entry).slot);
        }
        for entry in prefixes.present().values() {
            clients.used(entry.slot);
        }
        let (unsettled, unsettled_prefixes) = Default::default();
        Sources { table, prefixes, clients, settings, held, max_sources, unsettled, unsettled_prefixes }
    }

    /// First step: adds what is new, and widens what changes.
    ///
    /// # Errors
    ///
    /// [`GateError::TableFull`]; where old and new do not fit together, nothing is changed.
    pub(crate) fn add(&mut self, new: &GateTable, diff: &mut Diff) -> Result<(), GateError> {
        self.has_room(new)?;
        self.unsettled = HashMap::new();
        self.unsettled_prefixes = HashMap::new();
        for (key, source) in &new.sources {
            let slot = self.clients.slot(source)?;
            let wanted = source.entry(slot);
            let present = self.find(key);
            // An address of its own goes before the prefix that it was admitted by until now.
            let old = present.or_else(|| self.prefixes.around(key.domain, &key.address).copied());
            let entry = old.map_or(wanted, |old| widened(old, wanted));
            if present != Some(entry) {
                self.put(key, present, entry, diff)?;
            }
            if entry != wanted {
                self.unsettled.insert(*key, Some(wanted));
            }
        }
        self.add_prefixes(new, diff)?;
        self.keep_the_old(new, diff)
    }

    /// Second step: narrows and removes. `retiring` sources keep the role of a home server.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub(crate) fn remove(&mut self, retiring: &HashSet<SourceKey>, diff: &mut Diff) -> Result<(), GateError> {
        for (key, wanted) in std::mem::take(&mut self.unsettled) {
            let Some(old) = self.find(&key) else { continue };
            let entry = settled(old, wanted, retiring.contains(&key));
            match entry {
                Some(entry) if entry != old => self.put(&key, Some(old), entry, diff)?,
                Some(_) => {}
                None => {
                    self.table.take_out(&key.words());
                    self.clients.left(old.slot);
                    self.held = self.held.saturating_sub(1);
                    diff.removed += 1;
                }
            }
            if entry != wanted {
                self.unsettled.insert(key, wanted);
            }
        }
        self.remove_prefixes(diff)?;
        self.clients.free_idle();
        Ok(())
    }

    fn find(&self, key: &SourceKey) -> Option<Entry> {
        self.table.find(&key.words()).map(Entry::from_words)
    }

    fn put(&mut self, key: &SourceKey, present: Option<Entry>, entry: Entry, diff: &mut Diff) -> Result<(), GateError> {
        self.table.put(&key.words(), &entry.words())?;
        self.counted(present, entry, diff);
        self.held += usize::from(present.is_none());
        Ok(())
    }

    fn put_prefix(&mut self, prefix: Prefix, entry: Entry, diff: &mut Diff) -> Result<(), GateError> {
        let present = self.prefixes.present().get(&prefix).copied();
        if present != Some(entry) {
            self.prefixes.put(prefix, entry)?;
            self.counted(present, entry, diff);
        }
        Ok(())
    }

    /// An entry has come, or has changed.
    fn counted(&mut self, present: Option<Entry>, entry: Entry, diff: &mut Diff) {
        match present {
            Some(_) => diff.changed += 1,
            None => diff.added += 1,
        }
        if present.is_none_or(|present| present.slot != entry.slot) {
            self.clients.used(entry.slot);
            if let Some(present) = present {
                self.clients.left(present.slot);
            }
        }
    }

    fn add_prefixes(&mut self, new: &GateTable, diff: &mut Diff) -> Result<(), GateError> {
        if let (Some(settings), false) = (self.settings.first(), new.prefixes.is_empty()) {
            settings.flags.fetch_or(HAS_PREFIXES, AcqRel);
        }
        let named: HashSet<Prefix> = new.prefixes.iter().map(|(prefix, _)| prefix).collect();
        let gone = self.prefixes.present().keys().filter(|prefix| !named.contains(prefix));
        self.unsettled_prefixes.extend(gone.map(|prefix| (*prefix, None)));
        for (prefix, source) in new.prefixes.iter() {
            let wanted = source.entry(self.clients.slot(&source)?);
            if self.prefixes.present().get(&prefix) == Some(&wanted) {
                continue;
            }
            let overlapping = self.prefixes.present().iter().filter(|(other, _)| prefixes::overlap(&prefix, other));
            let overlapping: Vec<(Prefix, Entry)> = overlapping.map(|(other, entry)| (*other, *entry)).collect();
            let entry = overlapping.iter().fold(wanted, |entry, (_, old)| widened(*old, entry));
            self.put_prefix(prefix, entry, diff)?;
            if entry != wanted {
                self.unsettled_prefixes.insert(prefix, Some(wanted));
            }
            // What lies within it, or around it, still goes first for some addresses.
            for (other, old) in overlapping.into_iter().filter(|(other, _)| *other != prefix) {
                self.put_prefix(other, widened(wanted, old), diff)?;
                self.unsettled_prefixes.entry(other).or_insert(None);
            }
        }
        Ok(())
    }

    fn remove_prefixes(&mut self, diff: &mut Diff) -> Result<(), GateError> {
        let unsettled: Vec<_> = self.unsettled_prefixes.iter().map(|(prefix, wanted)| (*prefix, *wanted)).collect();
        for (prefix, wanted) in unsettled {
            match wanted {
                Some(wanted) => self.put_prefix(prefix, wanted, diff)?,
                None => {
                    if let Some(old) = self.prefixes.present().get(&prefix).copied() {
                        self.prefixes.take_out(&prefix)?;
                        self.clients.left(old.slot);
                        diff.removed += 1;
                    }
                }
            }
            self.unsettled_prefixes.remove(&prefix);
        }
        if let (Some(settings), true) = (self.settings.first(), self.prefixes.is_empty()) {
            settings.flags.fetch_and(!HAS_PREFIXES, AcqRel);
        }
        Ok(())
    }

    /// Notes the sources that the new table has no more, and lets them do what a new prefix around them allows.
    fn keep_the_old(&mut self, new: &GateTable, diff: &mut Diff) -> Result<(), GateError> {
        if self.held == new.sources.len() {
            return Ok(());
        }
        let entries = self.table.entries::<3, 3>();
        let old = entries.map(|(key, entry)| (SourceKey::from_words(key), Entry::from_words(entry)));
        let gone: Vec<_> = old.filter(|(key, _)| !new.sources.contains_key(key)).collect();
        for (key, old) in gone {
            self.unsettled.insert(key, None);
            if let Some(source) = new.prefixes.find(key.domain, &key.address) {
                let entry = widened(source.entry(old.slot), old);
                if entry != old {
                    self.put(&key, Some(old), entry, diff)?;
                }
            }
        }
        Ok(())
    }

    /// Whether old and new together fit.
    fn has_room(&self, new: &GateTable) -> Result<(), GateError> {
        if self.held + new.sources.len() > self.max_sources as usize {
            let added = new.sources.keys().filter(|key| self.find(key).is_none()).count();
            table::fits(table::SOURCES, self.held + added, self.max_sources)?;
        }
        let present = self.prefixes.present();
        let added = new.prefixes.iter().filter(|(prefix, _)| !present.contains_key(prefix)).count();
        table::fits(table::PREFIXES, present.len() + added, capacity::PREFIXES)?;
        let identities = new.sources.values().map(|source| source.identity);
        let identities = identities.chain(new.prefixes.iter().map(|(_, source)| source.identity));
        self.clients.has_room_for(&identities.collect())?;
        let (slots, given) = self.clients.room();
        if given + new.sources.len() + present.len() + added > slots {
            let sources = new.sources.values().copied().chain(new.prefixes.iter().map(|(_, source)| source));
            let owners = sources.map(|source| source.owner).filter(|owner| self.clients.find(*owner).is_none());
            let added = owners.collect::<HashSet<u64>>().len();
            table::fits(table::CLIENTS, given + added, slots as u32)?;
        }
        Ok(())
    }
}
