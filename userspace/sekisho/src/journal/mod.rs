//! Accounting that ends here, on its way to the disk and back: workers hand records over in blocks, one thread writes them, and each
//! block comes back to its worker with what became of it.
//!
//! The journal itself is `sekisho-journal`. Nothing waits here without bound: a worker has only so many requests that are not
//! recorded yet (`journal.queue`).

mod attributes;
pub mod export;
mod frozen;
mod jsonl;
pub mod list;
mod stats;
mod table;
#[cfg(test)]
mod testing;
mod text;
mod value;
pub mod when;
mod writer;

use std::{ops::Range, sync::mpsc};

use sekisho_config::Node;
use sekisho_engine::{
    Engine, Time,
    recording::{self, Token},
    snapshot::{ClientRole, RoutingSnapshot},
};
use sekisho_journal::{Kind, Options, Record, TooLong};

pub use self::{
    attributes::Names,
    stats::JournalStats,
    writer::{JournalError, Writer},
};
use crate::clock::wall_nanos;

/// The writer that a node's document describes. Where somebody's accounting ends here, the journal is opened at once: a node that
/// could not record it does not start.
///
/// # Errors
///
/// [`JournalError::Open`].
pub fn writer(node: &Node, snapshot: &RoutingSnapshot) -> Result<Writer, JournalError> {
    let from = &node.journal;
    let options = Options {
        segment: from.segment_size,
        rotate_after: from.segment_age,
        retention: from.retention,
        max_octets: from.max_size,
        reserve: from.reserve,
        // A segment has room for a whole batch.
        batch: usize::try_from(from.segment_size / 4).unwrap_or(usize::MAX).min(Options::default().batch),
        ..Options::default()
    };
    let ends_here = |role| matches!(role, ClientRole::AccessNetwork(_) | ClientRole::Lns(_));
    let is_needed = snapshot.clients.iter().flatten().any(|client| ends_here(client.role))
        || snapshot.groups.iter().flatten().next().is_some();
    Writer::new(from.directory.clone(), options, is_needed)
}

/// Records of one worker, and what became of them.
#[derive(Debug, Default)]
pub struct Block {
    worker: usize,
    /// Records as the journal has them, one after the other.
    octets: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    token: Token,
    identity: u128,
    place: Range<usize>,
    is_kept: bool,
}

impl Block {
    fn push(&mut self, received: u64, from: &recording::Record<'_>) {
        let recording::Record { token, identity, source, peer, customer, contract, realm, packet } = *from;
        let kind = Kind::Ended;
        let record = Record { received, kind, source, from: peer, customer, contract, realm, packet };
        let start = self.octets.len();
        // Names are of the configuration, which has none that are too long: an entry without octets will not be kept.
        if let Err(TooLong { .. }) = record.encode(&mut self.octets) {
            self.octets.truncate(start);
        }
        self.entries.push(Entry { token, identity, place: start..self.octets.len(), is_kept: false });
    }

    /// Tells the engine what became of each record, and empties the block.
    pub fn settle(&mut self, now: Time, engine: &mut Engine) {
        for entry in self.entries.drain(..) {
            engine.handle_recorded(now, entry.token, entry.is_kept);
        }
        self.octets.clear();
    }
}

/// Where one worker hands records over.
#[derive(Debug)]
pub struct Inlet {
    worker: usize,
    blocks: mpsc::Sender<Block>,
    /// A block that has come back.
    spare: Option<Block>,
    /// That nobody writes any more has been said.
    told: bool,
}

impl Inlet {
    /// Hands over what the engine has. Where nobody writes any more, the engine is told so.
    pub fn collect(&mut self, now: Time, engine: &mut Engine) {
        let mut block: Option<Block> = None;
        let (worker, spare) = (self.worker, &mut self.spare);
        let mut received = 0;
        loop {
            let taken = engine.poll_record(|record| {
                let block = block.get_or_insert_with(|| {
                    received = wall_nanos();
                    Block { worker, ..spare.take().unwrap_or_default() }
                });
                block.push(received, record);
            });
            if taken.is_none() {
                break;
            }
        }
        let Some(block) = block else { return };
        if let Err(mpsc::SendError(mut block)) = self.blocks.send(block) {
            if !std::mem::replace(&mut self.told, true) {
                tracing::error!("the journal's writer has ended: accounting is not acknowledged; restart this node");
            }
            block.settle(now, engine);
        }
    }

    /// Takes a block back that has been settled.
    pub fn give_back(&mut self, block: Block) {
        self.spare = Some(block);
    }
}
