//! The table on disk, so that a restart does not forget who is on which LNS.
//!
//! A file ([`framed`](crate::framed)) has records, and the names of all numbers in them: sources, customers, contracts and LNSs have
//! other numbers in another process. Times are lengths of time: a session that had a
//! minute left has what the restart left of it. The file holds subscribers' names and numbers and the secret seed of the keys: nobody but
//! its owner may read it.
//!
//! ```text
//! header   "sekisho\0sessions", version (2), seed (16), Unix seconds (8)
//! ```

mod frame;
mod read;
mod write;

pub use read::Restored;
pub use write::Written;

const MAGIC: [u8; 16] = *b"sekisho\0sessions";
const VERSION: u16 = 1;

/// What has a number in one process, and a name in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// An access network, or an LNS that accounts.
    Source = 0,
    /// A customer.
    Customer = 1,
    /// A contract; its name must say whose.
    Contract = 2,
    /// An LNS; likewise.
    Lns = 3,
}

impl Kind {
    fn of(number: u8) -> Option<Kind> {
        [Kind::Source, Kind::Customer, Kind::Contract, Kind::Lns].into_iter().find(|kind| *kind as u8 == number)
    }
}

/// The names of what has a number. What has lost its name since is not kept.
pub trait Naming {
    /// The name of a number.
    fn name(&self, kind: Kind, number: u32) -> Option<String>;

    /// The number of a name.
    fn number(&self, kind: Kind, name: &str) -> Option<u32>;
}
