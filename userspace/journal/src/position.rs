//! Where a record stands in the journal.

use std::fmt;

/// A record's place in the journal: its sequence number, from 1 on. Those of later records are larger; some numbers are no record's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// Before all records.
    pub const START: Position = Position(0);
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What became of a record that was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It will be durable with the next commit.
    New(Position),
    /// There is such a record: durable, where the position is not beyond [`Journal::durable`](crate::Journal::durable), or in this batch.
    Known(Position),
}

impl Appended {
    /// Where the record is.
    pub fn position(self) -> Position {
        match self {
            Appended::New(position) | Appended::Known(position) => position,
        }
    }
}
