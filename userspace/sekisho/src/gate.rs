//! The gate in the kernel, as the program keeps it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use sekisho_abi::{Outcome, Roles, SourceKey, gate::GateTable};
use sekisho_config::{Xdp, XdpMode};
use sekisho_kernel::{GateError, GateOptions, Mode, UpstreamPorts};

use crate::report;

/// The gate, with the home servers that have gone from its table but may still answer.
pub struct Gate {
    requested: Mode,
    kernel: Mutex<sekisho_kernel::Gate>,
    retiring: Mutex<HashMap<SourceKey, Instant>>,
}

impl Gate {
    /// Loads and attaches it as the document says; a gate that is off does nothing.
    ///
    /// # Errors
    ///
    /// See [`sekisho_kernel::Gate::open`].
    pub fn open(xdp: &Xdp, table: &GateTable) -> Result<Gate, GateError> {
        let requested = match xdp.mode {
            XdpMode::Auto => Mode::Auto,
            XdpMode::Native => Mode::Native,
            XdpMode::Generic => Mode::Generic,
            XdpMode::Off => Mode::Off,
        };
        let options = GateOptions {
            interfaces: xdp.interfaces.clone(),
            mode: requested,
            max_sources: xdp.max_sources,
            ..GateOptions::default()
        };
        let kernel = Mutex::new(sekisho_kernel::Gate::open(&options, table)?);
        Ok(Gate { requested, kernel, retiring: Mutex::default() })
    }

    /// For workers that open ports toward home servers.
    pub fn ports(&self) -> UpstreamPorts {
        self.kernel().ports()
    }

    /// First half of a reload: from now on both tables hold.
    ///
    /// # Errors
    ///
    /// What the kernel says; then `old` alone holds, as before.
    pub fn add(&self, old: &GateTable, new: &GateTable) -> Result<(), GateError> {
        let mut kernel = self.kernel();
        let Err(error) = kernel.add(new) else { return Ok(()) };
        if let Err(error) = kernel.add(old).and_then(|_| kernel.remove(&HashSet::new())) {
            tracing::error!(%error, "the gate could not be brought back to what it was; restart to be sure of it");
        }
        Err(error)
    }

    /// Second half of a reload: what only `old` had goes, but home servers keep their role until `until`.
    pub fn settle(&self, old: &GateTable, new: &GateTable, until: Instant) {
        self.retiring().extend(answering(old, new).map(|key| (key, until)));
        self.retire(Instant::now());
    }

    /// Removes what is to go and waits for no answer any more.
    pub fn retire(&self, now: Instant) {
        let mut retiring = self.retiring();
        retiring.retain(|_, until| *until > now);
        let keys: HashSet<SourceKey> = retiring.keys().copied().collect();
        if let Err(error) = self.kernel().remove(&keys) {
            tracing::error!(%error, "the gate still admits what has gone from the documents; reload again to retry");
        }
    }

    /// What it does and counted.
    pub fn report(&self) -> report::Gate {
        let kernel = self.kernel();
        let interfaces = kernel.attached().iter().map(|found| report::Interface {
            name: found.interface.clone(),
            mode: found.attached.to_string(),
            reason: found.reason.clone(),
        });
        let mut gate = report::Gate {
            requested: self.requested.to_string(),
            interfaces: interfaces.collect(),
            packets: Vec::new(),
            dropped: Vec::new(),
        };
        if gate.interfaces.iter().all(|interface| interface.mode == "off") {
            return gate;
        }
        match kernel.counters() {
            Ok(counters) => {
                let packets = [
                    ("seen", Outcome::Seen),
                    ("not_ours", Outcome::NotOurs),
                    ("passed", Outcome::Passed),
                    ("redirected", Outcome::Redirected),
                    ("replied", Outcome::Replied),
                ];
                gate.packets = packets.map(|(name, outcome)| report::Count::new(name, counters.get(outcome))).into();
                gate.dropped =
                    counters.dropped().map(|(reason, count)| report::Count::new(reason.name(), count)).collect();
            }
            Err(error) => tracing::warn!(%error, "the gate's counters cannot be read"),
        }
        gate
    }

    fn kernel(&self) -> MutexGuard<'_, sekisho_kernel::Gate> {
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn retiring(&self) -> MutexGuard<'_, HashMap<SourceKey, Instant>> {
        self.retiring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sources that were home servers and are none any more.
fn answering<'a>(old: &'a GateTable, new: &'a GateTable) -> impl Iterator<Item = SourceKey> + 'a {
    let is_home = |table: &GateTable, key: &SourceKey| {
        table.sources.get(key).is_some_and(|source| source.roles.meets(Roles::HOME_SERVER))
    };
    old.sources.keys().filter(move |key| is_home(old, key) && !is_home(new, key)).copied()
}
