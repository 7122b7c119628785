//! The gate in the kernel, as the program keeps it.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use sekisho_abi::{Outcome, Reason, Roles, SourceKey, client::ClientCounter, gate::GateTable, shed::CALM};
use sekisho_config::{Node, XdpMode};
use sekisho_engine::retransmits::Retransmits;
use sekisho_kernel::{
    Attached, ClientCounts, DropReader, GateError, GateOptions, Mode, UpstreamPorts, interface_index,
};

use crate::{drops, publishing::Publishing, report};

/// The gate, with the home servers that have gone from its table but may still answer.
pub struct Gate {
    requested: Mode,
    /// Kernel indices of the interfaces that it is attached to.
    interfaces: HashSet<u32>,
    publisher: Option<Arc<Publishing>>,
    kernel: Mutex<sekisho_kernel::Gate>,
    retiring: Mutex<HashMap<SourceKey, Instant>>,
}

impl Gate {
    /// Loads and attaches it as the document says; a gate that is off does nothing. With `xdp.persist`, one that an earlier
    /// process has left is taken over. `services` are our addresses, by the places of their sockets.
    ///
    /// # Errors
    ///
    /// See [`sekisho_kernel::Gate::open`].
    pub fn open(node: &Node, services: Vec<SocketAddr>, table: &GateTable) -> Result<Gate, GateError> {
        let xdp = &node.xdp;
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
            max_sessions: node.limits.max_sessions,
            max_replies: xdp.max_replies,
            spare_veth: !xdp.replies_on_veth,
            pins: xdp.persist.then(|| pins(node)),
            ..GateOptions::default()
        };
        let kernel = sekisho_kernel::Gate::open(&options, table)?;
        // Whoever was killed while it shed has left that behind.
        kernel.set_shed(CALM);
        let attached = kernel.attached().iter().filter(|one| one.attached != Attached::Off);
        let interfaces = attached.filter_map(|one| interface_index(&one.interface).ok()).collect();
        let publisher = kernel.publisher().map(|publisher| Arc::new(Publishing::new(publisher, services)));
        Ok(Gate { requested, interfaces, publisher, kernel: Mutex::new(kernel), retiring: Mutex::default() })
    }

    /// The ingresses that it judges, as bits: what comes in there is limited and shed by it, and by nobody else.
    pub fn judges(&self, table: &GateTable) -> u64 {
        let judged = table.ingresses.iter().filter(|(key, _)| self.interfaces.contains(&key.ifindex));
        judged.fold(0, |bits, (_, ingress)| bits | 1 << (ingress.index & 63))
    }

    /// Publishes requests that are being repeated; `None` where the kernel answers none.
    pub fn publisher(&self) -> Option<Arc<dyn Retransmits>> {
        self.publisher.clone().map(|publisher| publisher as Arc<dyn Retransmits>)
    }

    /// Makes the kernel forget what has been published.
    pub fn flush(&self) {
        self.publisher.iter().for_each(|publisher| publisher.flush());
    }

    /// What it has dropped, by reason.
    pub fn dropped(&self) -> drops::Counts {
        let mut dropped = [0; Reason::COUNT];
        if let Ok(counters) = self.kernel().counters() {
            counters.dropped().zip(&mut dropped).for_each(|((_, count), into)| *into = count);
        }
        dropped
    }

    /// The reader of sampled drops, once; `None` where the gate is off.
    pub fn drops(&self) -> Option<DropReader> {
        self.kernel().drops()
    }

    /// Has it shed at this level (`sekisho_abi::shed`).
    pub fn shed(&self, level: u64) {
        self.kernel().set_shed(level);
    }

    /// Whether it stays when this process goes, and where.
    pub fn stays(&self) -> Option<PathBuf> {
        self.kernel().pinned().ok().map(Path::to_owned)
    }

    /// What it has counted by whose it is (`sekisho_abi::numbers::owner`); 0 is nobody's. Those that it has counted nothing for
    /// are left out.
    pub fn clients(&self) -> HashMap<u64, Vec<report::Count>> {
        let clients = self.kernel().clients();
        let named = clients.into_iter().map(|(owner, counts)| (owner, by_name(&counts)));
        named.filter(|(_, counts)| !counts.is_empty()).collect()
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
            pinned: None,
            goes: None,
            published: self.publisher.iter().flat_map(|publisher| publisher.counts()).map(count).collect(),
            answers: self.publisher.is_some(),
            memory: Vec::new(),
            packets: Vec::new(),
            dropped: Vec::new(),
            nobody: Vec::new(),
        };
        if gate.interfaces.iter().all(|interface| interface.mode == "off") {
            return gate;
        }
        match kernel.pinned() {
            Ok(directory) => gate.pinned = Some(directory.to_owned()),
            Err(reason) => gate.goes = Some(reason.to_owned()),
        }
        gate.memory = kernel.memory().iter().map(|(table, octets)| report::Count::new(table, *octets)).collect();
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

fn count((name, count): (&str, u64)) -> report::Count {
    report::Count::new(name, count)
}

/// Where a node's gate is pinned: each node of a host has a directory of its own.
pub fn pins(node: &Node) -> PathBuf {
    // A bpffs takes no points in names; a node's name has no colons.
    node.xdp.directory.join(node.name.replace('.', ":"))
}

/// The counters of a contract that are not zero, by the names of outcomes and reasons.
fn by_name(counts: &ClientCounts) -> Vec<report::Count> {
    let ends = [("passed", Outcome::Passed), ("replied", Outcome::Replied)].into_iter();
    let ends = ends.chain(Reason::ALL.iter().map(|reason| (reason.name(), Outcome::Dropped(*reason))));
    let counted = ends.filter_map(|(name, end)| Some((name, counts.get(ClientCounter::of(end)? as usize)?)));
    counted.filter(|(_, count)| **count > 0).map(|(name, count)| report::Count::new(name, *count)).collect()
}

/// Sources that were home servers and are none any more.
fn answering<'a>(old: &'a GateTable, new: &'a GateTable) -> impl Iterator<Item = SourceKey> + 'a {
    let is_home = |table: &GateTable, key: &SourceKey| {
        table.sources.get(key).is_some_and(|source| source.roles.meets(Roles::HOME_SERVER))
    };
    old.sources.keys().filter(move |key| is_home(old, key) && !is_home(new, key)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contracts_counters_have_the_names_of_outcomes_and_reasons_and_zeros_are_left_out() {
        let mut counts: ClientCounts = Default::default();
        counts[ClientCounter::Passed as usize] = 7;
        counts[ClientCounter::SessionRate as usize] = 3;
        counts[ClientCounter::BadAttribute as usize] = 1;
        let expected = [("passed", 7), ("bad_attribute", 1), ("session_rate", 3)];
        assert_eq!(by_name(&counts), expected.map(|(name, count)| report::Count::new(name, count)));
        assert_eq!(by_name(&ClientCounts::default()), []);
    }
}
