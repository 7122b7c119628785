//! The records of a journal, for billing and for looking things up, beside a running node or without one.
//!
//! A record at a time goes from the reader to the output, so that memory is the same however many there are.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use sekisho_journal::{Damaged, Directory, Item, Position, ReadError, Reader, Record, Start};

use super::{attributes::Names, jsonl, table::Table};

/// Which records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Received at this time or later: nanoseconds since 1970.
    pub from: Option<u64>,
    /// Received before this time.
    pub to: Option<u64>,
    /// Of this customer; empty: of none.
    pub customer: Option<String>,
    /// Sent by this access network, or by the client of this contract.
    pub network: Option<String>,
    /// For this contract; empty: for none.
    pub contract: Option<String>,
}

/// How they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table with the columns that billing needs
    #[default]
    Csv,
    /// An object a line, with every attribute
    Jsonl,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Records that were written.
    pub records: u64,
    /// Places that cannot be read.
    pub damaged: u64,
}

/// Why it ended before the journal did.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// There is no directory.
    #[error(
        "there is no journal in {}: nothing has been recorded there yet, or it is the wrong place (--config, --directory)", .0.display()
    )]
    Missing(PathBuf),
    /// It may not be read.
    #[error("{} may not be read: accounting is its owner's, so do this as that user or as root (sudo -u sekisho sekisho journal …)", .0.display())]
    Forbidden(PathBuf),
    /// Any other trouble with the disk, or a format of a later version.
    #[error("{0}")]
    Read(#[source] ReadError),
    /// Whoever takes the output has had enough (`| head`): no failure.
    #[error("nobody reads the output any more")]
    Enough,
    /// The output was not taken.
    #[error("the output could not be written ({0}): look at where it goes, and at the space there")]
    Write(#[source] io::Error),
}

impl From<ReadError> for ExportError {
    fn from(error: ReadError) -> ExportError {
        match &error {
            ReadError::Failed(failure) => match failure.source.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ExportError::Missing(failure.path.clone()),
                io::ErrorKind::PermissionDenied => ExportError::Forbidden(failure.path.clone()),
                _ => ExportError::Read(error),
            },
            _ => ExportError::Read(error),
        }
    }
}

impl From<io::Error> for ExportError {
    /// Of the output.
    fn from(error: io::Error) -> ExportError {
        match error.kind() {
            io::ErrorKind::BrokenPipe => ExportError::Enough,
            _ => ExportError::Write(error),
        }
    }
}

/// Writes the records of the journal in `directory` to `out`, in their order, and tells of each place that cannot be read.
///
/// # Errors
///
/// [`ExportError`]; what was read before has been written.
pub fn export(
    directory: &Path,
    selection: &Selection,
    names: &Names,
    format: Format,
    out: impl Write,
    mut damaged: impl FnMut(&Damaged),
) -> Result<Found, ExportError> {
    let start = selection.from.map_or(Start::After(Position::START), Start::Received);
    let mut reader = Reader::new(Directory::new(directory), start);
    let mut sink = Sink::new(format, out)?;
    let mut found = Found::default();
    let ended = loop {
        match reader.read() {
            Ok(Some(Item::Record(entry))) if selection.wants(&entry.record) => {
                match &mut sink {
                    Sink::Csv(table) => table.write(names, &entry)?,
                    Sink::Jsonl(out) => jsonl::write(out, names, &entry)?,
                }
                found.records += 1;
            }
            Ok(Some(Item::Record(_))) => {}
            Ok(Some(Item::Damaged(place))) => {
                found.damaged += 1;
                damaged(&place);
            }
            Ok(None) => break Ok(found),
            Err(error) => break Err(error.into()),
        }
    };
    sink.flush()?;
    ended
}

/// Where records go.
enum Sink<W: Write> {
    Csv(Box<Table<W>>),
    Jsonl(io::BufWriter<W>),
}

impl<W: Write> Sink<W> {
    fn new(format: Format, out: W) -> io::Result<Sink<W>> {
        Ok(match format {
            Format::Csv => Sink::Csv(Box::new(Table::new(out)?)),
            Format::Jsonl => Sink::Jsonl(io::BufWriter::new(out)),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::Csv(table) => table.flush(),
            Sink::Jsonl(out) => out.flush(),
        }
    }
}

impl Selection {
    /// Whether a record is one of these.
    pub fn wants(&self, record: &Record<'_>) -> bool {
        let is = |wanted: &Option<String>, name: &str| wanted.as_ref().is_none_or(|wanted| wanted == name);
        self.from.is_none_or(|from| record.received >= from)
            && self.to.is_none_or(|to| record.received < to)
            && is(&self.customer, record.customer)
            && is(&self.network, record.source)
            && is(&self.contract, record.contract)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sekisho_journal::{Failure, Journal, Options};

    use super::*;
    use crate::journal::testing::{entry, names, packet};

    #[test]
    fn a_record_is_selected_by_its_time_and_its_names() {
        let packet = packet(&[]);
        let record = entry(&packet).record;
        let at = record.received;
        let name = |name: &str| Some(name.to_owned());
        for (selection, wanted) in [
            (Selection::default(), true),
            (Selection { from: Some(at), to: Some(at + 1), ..Selection::default() }, true),
            (Selection { from: Some(at + 1), ..Selection::default() }, false),
            (Selection { to: Some(at), ..Selection::default() }, false),
            (Selection { customer: name("acme"), network: name("mobile"), ..Selection::default() }, true),
            (Selection { customer: name("acme"), network: name("fixed"), ..Selection::default() }, false),
            (Selection { customer: name("Acme"), ..Selection::default() }, false),
            (Selection { contract: name(""), ..Selection::default() }, false),
        ] {
            assert_eq!(selection.wants(&record), wanted, "{selection:?}");
        }
        let nobodys = Record { customer: "", contract: "", ..record };
        assert!(Selection { customer: name(""), contract: name(""), ..Selection::default() }.wants(&nobodys));
    }

    /// Takes so many octets, then says what it is told.
    struct Takes(usize, io::ErrorKind);

    impl Write for Takes {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let taken = octets.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(self.1.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_had_enough_is_told_from_a_full_disk() {
        let at = tempfile::tempdir().unwrap();
        let options = Options { segment: 1 << 20, batch: 256 << 10, reserve: 0, ..Options::default() };
        let (mut journal, _) = Journal::open(Directory::new(at.path()), options, 0).unwrap();
        let packet = packet(&[(1, &[b'x'; 200])]);
        for identity in 0..200 {
            journal.append(0, identity, &entry(&packet).record).unwrap();
        }
        journal.commit().unwrap();
        let names = names();
        for format in [Format::Csv, Format::Jsonl] {
            let into = |out| export(at.path(), &Selection::default(), &names, format, out, |_| {});
            for octets in [9, 20_000] {
                assert!(matches!(into(Takes(octets, io::ErrorKind::BrokenPipe)), Err(ExportError::Enough)));
                assert!(matches!(into(Takes(octets, io::ErrorKind::StorageFull)), Err(ExportError::Write(_))));
            }
            let all = into(Takes(1_000_000, io::ErrorKind::StorageFull)).unwrap();
            assert_eq!(all, Found { records: 200, damaged: 0 });
        }
    }

    #[test]
    fn what_the_kernel_says_is_said_with_a_remedy() {
        let told = |kind: io::ErrorKind| {
            let failure = Failure { path: "/j/1.journal".into(), action: "opened", source: Arc::new(kind.into()) };
            ExportError::from(ReadError::Failed(failure)).to_string()
        };
        assert!(told(io::ErrorKind::PermissionDenied).contains("sudo -u sekisho"));
        assert!(told(io::ErrorKind::NotFound).contains("--directory"));
        assert!(told(io::ErrorKind::NotADirectory).contains("wrong place"));
        assert!(told(io::ErrorKind::TimedOut).contains("look in the kernel's log"));
        let newer = ReadError::Newer { path: "/j/1.journal".into(), version: 9 };
        assert!(ExportError::from(newer).to_string().contains("read it with the one that wrote it"));
    }
}
