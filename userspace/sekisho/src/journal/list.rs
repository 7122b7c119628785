//! The segments of a journal: from when to when, how much, and whether all of it can be read.

use std::{fmt, fs, path::Path, sync::Arc};

use sekisho_journal::{Directory, Failure, Item, Kind, Position, ReadError, Reader, Start};

use super::{
    export::ExportError,
    frozen::{Frozen, file_of},
    when::Shown,
};

/// One segment. Displayed it is a row below [`HEAD`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The name of its file.
    pub file: String,
    /// When the earliest and the latest of its records were received, nanoseconds since 1970.
    pub received: Option<(u64, u64)>,
    /// Its records.
    pub records: u64,
    /// The size of its file. The one that is written has all its room from the beginning.
    pub octets: u64,
    /// Those of its records that were to wait for a home server. Which have been delivered since, its writer knows.
    pub waiting: u64,
    /// Places that cannot be read.
    pub damaged: u64,
    /// Octets of all those.
    pub damaged_octets: u64,
}

/// What stands above the rows.
pub const HEAD: &str = "SEGMENT                       FIRST RECEIVED            LAST RECEIVED                RECORDS       OCTETS    WAITING  DAMAGE";

/// Reads the journal in `directory` and gives each of the segments that it has now to `take`, as soon as it is read.
///
/// # Errors
///
/// [`ExportError`], or what `take` says.
pub fn list(directory: &Path, mut take: impl FnMut(&Segment) -> Result<(), ExportError>) -> Result<(), ExportError> {
    let frozen = Frozen::new(Directory::new(directory)).map_err(|error| {
        ReadError::Failed(Failure { path: directory.into(), action: "listed", source: Arc::new(error) })
    })?;
    let mut coming = frozen.segments().to_vec().into_iter().peekable();
    let mut reader = Reader::new(frozen, Start::After(Position::START));
    let Some(mut segment) = coming.next().map(|first| Segment::new(directory, first)) else { return Ok(()) };
    while let Some(item) = reader.read()? {
        let within = match &item {
            Item::Record(entry) => entry.position.0,
            Item::Damaged(place) => place.segment,
        };
        while let Some(next) = coming.next_if(|next| *next <= within) {
            take(&segment)?;
            segment = Segment::new(directory, next);
        }
        segment.count(&item);
    }
    take(&segment)?;
    coming.try_for_each(|first| take(&Segment::new(directory, first)))
}

impl Segment {
    fn new(directory: &Path, first: u64) -> Segment {
        let file = file_of(first);
        // Whoever writes may have removed it meanwhile: then there is nothing in it.
        let octets = fs::metadata(directory.join(&file)).map_or(0, |found| found.len());
        Segment { file, received: None, records: 0, octets, waiting: 0, damaged: 0, damaged_octets: 0 }
    }

    fn count(&mut self, item: &Item<'_>) {
        match item {
            Item::Record(entry) => {
                let at = entry.record.received;
                let (first, last) = self.received.unwrap_or((at, at));
                self.received = Some((first.min(at), last.max(at)));
                self.records += 1;
                self.waiting += u64::from(entry.record.kind == Kind::Waiting);
            }
            Item::Damaged(place) => {
                self.damaged += 1;
                self.damaged_octets += place.octets;
            }
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Segment { file, records, octets, waiting, .. } = self;
        let [first, last] = match self.received {
            Some((first, last)) => [first, last].map(|at| Shown(at).to_string()),
            None => ["-", "-"].map(str::to_owned),
        };
        write!(f, "{file:28}  {first:24}  {last:24}  {records:>10}  {octets:>11}  {waiting:>9}  ")?;
        match (self.damaged, self.damaged_octets) {
            (0, _) => f.write_str("-"),
            (1, octets) => write!(f, "{octets} octets in 1 place"),
            (places, octets) => write!(f, "{octets} octets in {places} places"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_stands_above_its_columns() {
        let received = Some((1_700_000_000_000_000_000, 1_700_000_001_500_000_000));
        let file = file_of(1);
        let segment = Segment {
            file,
            received,
            records: 4_000_000,
            octets: 67_108_864,
            waiting: 7,
            damaged: 2,
            damaged_octets: 812,
        };
        let row = segment.to_string();
        for (head, cell) in [("SEGMENT", "00000000000000000001.journal"), ("FIRST", "2023-11-14T22:13:20.000Z")] {
            assert_eq!(HEAD.find(head), row.find(cell), "{row}");
        }
        for (head, cell) in [("RECORDS", "4000000"), ("OCTETS", "67108864"), ("WAITING", "7  812")] {
            let end = HEAD.find(head).unwrap() + head.len();
            assert_eq!(row.get(..end).unwrap().split(' ').next_back(), cell.split(' ').next(), "{row}");
        }
        assert_eq!(HEAD.find("DAMAGE"), row.find("812 octets in 2 places"), "{row}");
    }
}
