//! Durable accounting: append, group commit, replay.
//!
//! A NAS may throw away an accounting record as soon as it has the response (RFC 2866 §4.1), so the response is a promise: the record
//! is on the disk. Records that end here, and those that a home server cannot take now, are kept in a journal: a directory of segments,
//! files that are only ever appended to. One thread writes them. It [appends](Journal::append) what the workers have,
//! [commits](Journal::commit) once for the whole batch, and only then do the workers respond.
//!
//! ```
//! use sekisho_journal::{Appended, Directory, Item, Journal, Kind, Options, Reader, Record, Start};
//!
//! # let at = tempfile::tempdir()?;
//! # let now = 1_700_000_000_000_000_000;
//! let (mut journal, found) = Journal::open(Directory::new(at.path()), Options::default(), now)?;
//! assert_eq!(found.torn_octets, 0);
//!
//! let record = Record {
//!     received: now,
//!     kind: Kind::Ended,
//!     source: "lac",
//!     from: "192.0.2.1:1646".parse()?,
//!     customer: "acme",
//!     contract: "vpdn-1",
//!     realm: "acme.example",
//!     packet: b"the Accounting-Request",
//! };
//! let new = journal.append(now, 0x1234, &record)?;
//! assert_eq!(journal.append(now, 0x1234, &record)?, Appended::Known(new.position()));
//! assert!(journal.commit()? >= new.position());
//! // Now, and not before, it may be acknowledged.
//!
//! let mut reader = Reader::new(Directory::new(at.path()), Start::Received(now));
//! assert!(matches!(reader.read()?, Some(Item::Record(entry)) if entry.record == record));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - What a commit has said to be durable is read back once, in order, after any crash.
//! - What a commit has failed for is forgotten, and never acknowledged; its octets may still be found after a crash, and are a record
//!   then like any other. A request that is repeated is recorded once in either case, as long as it is remembered.
//! - What is written is where it is looked for. Where somebody has removed or moved the files, nothing is acknowledged any more
//!   until the journal is opened anew ([`CommitError::must_reopen`]).
//! - A full disk is an error that goes away with its cause. A torn end is cut off; damage before it is read around, and told.
//!
//! # What it is not
//!
//! No database: it is written and read in one order. It knows nothing of RADIUS but that a packet has 4096 octets at most. It delivers
//! nothing: whoever does asks for [`Journal::pending`] and says when a record is [done](Journal::done). It reads no clock and starts no
//! thread.
//!
//! # Where to start
//!
//! [`Journal`] is the writer, [`Reader`] reads beside it. A [`Record`] goes into a `frame`, frames fill a `segment`; `rotation` ends one
//! and begins the next, and `retention` removes it in the end. `recovery` is what happens at the start, `scan` how frames are found past
//! damage, `known` why nothing is written twice. [`Disk`] is all that is asked of a file system; `sim`, with the feature `testing`, is the
//! one that the tests crash.
//!
//! # Memory
//!
//! What is bounded by [`Options`]: the batch (8 MiB), the remembered records (42 MiB for 1,048,576 of them, and more for a moment while
//! their table grows), the records that wait (some 30 octets each: 32 MiB). Besides, 40 octets for each segment, of which retention leaves
//! a bounded number; while the journal is opened, 300 KiB, the last batch and some 200 octets for each segment; and 256 KiB for each [`Reader`]. Appending allocates
//! nothing once these have grown.

#![forbid(unsafe_code)]

mod directory;
mod disk;
mod errors;
mod fields;
mod frame;
mod journal;
mod known;
mod options;
mod pending;
mod position;
mod reader;
mod record;
mod recovery;
mod retention;
mod rotation;
mod scan;
mod segment;
#[cfg(feature = "testing")]
pub mod sim;
mod space;
mod vanished;
mod waiting;

pub use directory::Directory;
pub use disk::{Access, Disk, DiskFile};
pub use errors::{AppendError, CommitError, Failure, Full, OpenError, ReadError, Vanished};
pub use journal::{Journal, Usage};
pub use options::Options;
pub use pending::Pending;
pub use position::{Appended, Position};
pub use reader::{Entry, Item, Reader, Start};
pub use record::{Kind, MAX_NAME, MAX_PACKET, MAX_RECORD, NoRecord, Record, TooLong};
pub use recovery::Recovery;
pub use scan::Damaged;
