//! The gate: opened, changed, read, dropped.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, atomic::Ordering::Release},
};

use sekisho_abi::{SourceKey, gate::GateTable};

use crate::{
    Attachment, ClientCounts, Counters, Detached, DropReader, GateError, GateOptions, Mode, Publisher, UpstreamPorts,
    attach, clients, diagnostics,
    kernel::{self, Kernel},
    open,
    pins::{self, Pins},
};

/// The XDP gate of this process. Dropping it detaches the program and frees its tables, but for what is pinned
/// ([`GateOptions::pins`]): that stays, and the next process goes on with it.
pub struct Gate {
    /// `None` where the gate is off on every interface.
    kernel: Option<Kernel>,
    attached: Vec<Attachment>,
    /// Where it is pinned, or why it is not.
    pins: Result<Pins, String>,
    publisher: Option<Publisher>,
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

impl Gate {
    /// Loads the program, fills its tables, then attaches it to the interfaces: it never judges by half a table.
    ///
    /// Where an earlier process left its tables pinned, they are taken over with their buckets and counters, the new table is
    /// added to what is in them, and the program takes the place of the old one, without a moment between: [`Gate::remove`]
    /// then takes away what was the old process's alone. Tables that do not fit this version or these options are made anew.
    ///
    /// # Errors
    ///
    /// With [`Mode::Auto`], only a missing interface, a table that is too small and another process with the same pins are
    /// errors: all else is told by [`Gate::attached`] and [`Gate::pinned`]. Should one of several interfaces fail, none stays
    /// attached that was not before.
    pub fn open(options: &GateOptions, table: &GateTable) -> Result<Gate, GateError> {
        if options.mode == Mode::Off {
            open::leave(options)?;
            return Ok(Gate::off(options, None));
        }
        for interface in &options.interfaces {
            diagnostics::interface_index(interface)?;
        }
        kernel::fits(table, options.max_sources)?;
        let is_auto = options.mode == Mode::Auto;
        match diagnostics::preconditions() {
            Err(error) if is_auto => return Ok(Gate::off(options, Some(error.to_string()))),
            checked => checked?,
        }
        let pins = open::pins(options)?;
        let (mut kernel, adopted) = match open::load(options, table, pins.as_ref().ok()) {
            Ok(loaded) => loaded,
            Err(error @ GateError::TableFull { .. }) => return Err(error),
            Err(error) if is_auto => {
                // What an earlier process left would go on judging by its own tables.
                if let Ok(pins) = &pins {
                    attach::release(pins, &[]);
                }
                return Ok(Gate::off(options, Some(error.to_string())));
            }
            Err(error) => return Err(error),
        };
        let attached = open::attach(&mut kernel, options, pins.as_ref().ok(), adopted)?;
        let publisher = open::publisher(&kernel, options, &attached);
        Ok(Gate { kernel: Some(kernel), attached, pins, publisher })
    }

    fn off(options: &GateOptions, reason: Option<String>) -> Gate {
        let attached = options.interfaces.iter().map(|interface| attach::off(interface, reason.clone()));
        Gate { attached: attached.collect(), kernel: None, pins: Err("the gate is off".to_owned()), publisher: None }
    }

    /// Each interface and how the gate is attached to it.
    pub fn attached(&self) -> &[Attachment] {
        &self.attached
    }

    /// Where the gate is pinned.
    ///
    /// # Errors
    ///
    /// Why it is not: it goes with this process then.
    pub fn pinned(&self) -> Result<&Path, &str> {
        self.pins.as_ref().map(Pins::directory).map_err(String::as_str)
    }

    /// Removes a gate that is pinned there, whether or not a process has it: links, maps and directory.
    ///
    /// A process that has it loses it, and does the whole job from then on without knowing: restart it.
    ///
    /// # Errors
    ///
    /// [`GateError::NothingPinned`], or [`GateError::Pins`] with what the kernel says. Calling again goes on where it stopped.
    pub fn detach(directory: &Path) -> Result<Detached, GateError> {
        pins::detach(directory)
    }

    /// First step of a reload: adds and changes entries so that old and new configuration both hold.
    ///
    /// A source that is in both keeps what the old one allowed until [`Gate::remove`]. Limits are the new ones at once, and
    /// buckets go on. Sources come before the services that they use. Where it fails for lack of room nothing is changed.
    ///
    /// # Errors
    ///
    /// [`GateError::TableFull`] where old and new entries together do not fit, or what the kernel says.
    pub fn add(&mut self, new: &GateTable) -> Result<Diff, GateError> {
        match &mut self.kernel {
            Some(kernel) => kernel.add(new),
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
            Some(kernel) => UpstreamPorts::new(Arc::clone(&kernel.maps.services)),
            None => UpstreamPorts::default(),
        }
    }

    /// A handle for workers that publish requests. `None` where the kernel answers none: an interface is not attached natively, or
    /// [`GateOptions::max_replies`] is zero.
    pub fn publisher(&self) -> Option<Publisher> {
        self.publisher.clone()
    }

    /// The reader of sampled drops, once. `None` where the gate is off, or it has been taken.
    pub fn drops(&mut self) -> Option<DropReader> {
        self.kernel.as_mut().and_then(|kernel| kernel.maps.drops.take()).map(DropReader::new)
    }

    /// What the gate has counted; zeros where it is off.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    pub fn counters(&self) -> Result<Counters, GateError> {
        match &self.kernel {
            Some(kernel) => Counters::read(&kernel.maps.counters),
            None => Ok(Counters::zero()),
        }
    }

    /// What the gate has counted for each owner ([`sekisho_abi::Source::owner`]), and for 0: sources without a contract, and
    /// contracts that are gone.
    pub fn clients(&self) -> Vec<(u64, ClientCounts)> {
        self.kernel.as_ref().map(|kernel| clients::counts(&kernel.maps.slots)).unwrap_or_default()
    }

    /// What of accounting is shed from now on (`sekisho_abi::shed`).
    pub fn set_shed(&self, level: u64) {
        if let Some(settings) = self.kernel.as_ref().and_then(|kernel| kernel.maps.settings.first()) {
            settings.shed.store(level, Release);
        }
    }

    /// The key of the kernel's hashes; it lives as long as the tables. `None` where the gate is off.
    pub fn seed(&self) -> Option<[u64; 2]> {
        let settings = self.kernel.as_ref()?.maps.settings.first()?;
        Some(settings.seed.each_ref().map(|word| word.load(std::sync::atomic::Ordering::Acquire)))
    }

    /// Octets that each map takes; those for counters on every processor. Nothing where the gate is off.
    pub fn memory(&self) -> Vec<(&'static str, u64)> {
        let maps = self.kernel.iter().flat_map(|kernel| kernel.sizes.maps());
        maps.map(|map| (map.name, map.octets())).collect()
    }

    #[cfg(feature = "testing")]
    pub(crate) fn kernel(&self) -> Option<&Kernel> {
        self.kernel.as_ref()
    }
}
