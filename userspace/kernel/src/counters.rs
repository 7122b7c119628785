//! What the gate has counted.

use aya::maps::{MapData, PerCpuArray};
use sekisho_abi::{Outcome, Reason, capacity::PROCESSOR_WORDS};

use crate::GateError;

const SLOTS: usize = Outcome::SLOTS as usize;

/// Packets by where they ended, summed over CPUs, since the program was loaded.
///
/// They are read while packets come in, `seen` first: with traffic, the others together may be a little ahead of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    slots: [u64; SLOTS],
}

impl Counters {
    /// Packets that ended so.
    pub fn get(&self, outcome: Outcome) -> u64 {
        self.slots.get(outcome.slot() as usize).copied().unwrap_or(0)
    }

    /// Packets dropped, by reason, in the order of [`Reason::ALL`]; zeros too.
    pub fn dropped(&self) -> impl Iterator<Item = (Reason, u64)> + '_ {
        Reason::ALL.iter().map(|reason| (*reason, self.get(Outcome::Dropped(*reason))))
    }

    /// Packets with an end: equal to those seen, once all is quiet.
    pub fn ended(&self) -> u64 {
        let seen = Outcome::Seen.slot() as usize;
        self.slots.iter().enumerate().filter(|(slot, _)| *slot != seen).map(|(_, count)| count).sum()
    }

    pub(crate) fn zero() -> Counters {
        Counters { slots: [0; SLOTS] }
    }

    pub(crate) fn read(map: &PerCpuArray<MapData, Processor>) -> Result<Counters, GateError> {
        let mut counters = Counters::zero();
        let each = map.get(&0, 0);
        let each = each.map_err(|source| GateError::Table { table: "counters", action: "read", source })?;
        for processor in each.iter() {
            for (sum, count) in counters.slots.iter_mut().zip(processor) {
                *sum += count;
            }
        }
        Ok(counters)
    }
}

/// What a processor has of its own, the counters first.
pub(crate) type Processor = [u64; PROCESSOR_WORDS];
