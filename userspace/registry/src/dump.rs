//! The form of backups and mirrors: lines of JSON, of which each vouches for all before it.
//!
//! ```text
//! {"sum":"92b1…","head":{"form":"sekisho registry backup","version":1,"registry":"5f0c…","revision":41,"taken":"2026-11-27T12:00:00Z"}}
//! {"sum":"07aa…","entry":{"number":1,"at":"…","who":"…","why":"…","event":{…}}}
//! {"sum":"e1f3…","document":{"number":1,"customer":"acme","sealed":"01…"}}
//! {"sum":"3c58…","account":{"contract":"acme-group","realm":"acme.example","user":"alice",…}}
//! {"sum":"b06d…","end":{"lines":4,"digest":"…"}}
//! ```
//!
//! The digest of a line is SHA-256 over the digest of the line before (nothing, for the first) and what follows its `sum` and the comma, without the line's
//! end. `sum` is its first eight octets; the last line has the whole digest of the line before it. So a file that was cut, or altered by accident,
//! is found out at its first wrong line. Against malice there is the sealing of secrets, and nothing else.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read as _, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sekisho_regulation::event::Entry;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    hex,
    keys::KeyError,
    row::{AccountRow, SealedDocument},
};

/// The version that is written, and the only one that is known.
const VERSION: u32 = 1;
/// A longer line is no line of ours: documents are the longest, and far shorter.
const MAX_LINE: u64 = 64 * 1024 * 1024;
/// What a line begins with, and how long that is until the comma after the sum.
const PREFIX: &[u8] = b"{\"sum\":\"";
const SUM: usize = 8;
const COMMA: usize = PREFIX.len() + 2 * SUM + 1;

/// What a file of this form is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Form {
    /// All of a registry, to be restored elsewhere.
    #[serde(rename = "sekisho registry backup")]
    Backup,
    /// What a node serves on with.
    #[serde(rename = "sekisho node mirror")]
    Mirror,
}

/// Why a backup or a mirror could not be written or read. The files hold secrets only sealed, and no message quotes any of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DumpError {
    /// The operating system refuses.
    #[error("{}: cannot be {doing}: {source}; see that the directory is there, that there is room, and that this user may", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Its end is missing.
    #[error("{}:{line}: the file ends here, before its end; it was cut: take another backup, or copy it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The line that is missing, or not whole.
        line: u64,
    },
    /// A line is not what was written.
    #[error("{}:{line}: {matter}; the file was altered: take another backup, or copy it again", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// The first line that is wrong.
        line: u64,
        /// What is wrong with it.
        matter: String,
    },
    /// Some other file.
    #[error("{}: this is no {expected}; name the file that was written as one", path.display())]
    OtherForm {
        /// The file.
        path: PathBuf,
        /// What was wanted: `backup` or `mirror`.
        expected: &'static str,
    },
    /// A newer sekisho has written it.
    #[error("{}: it is of version {version}, and this sekisho knows version {VERSION}; use the sekisho that wrote it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// Something in it does not open.
    #[error("{}:{line}: a secret does not open with these keys: {source}", path.display())]
    Sealed {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What the key ring says.
        source: KeyError,
    },
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) form: Form,
    pub(crate) version: u32,
    /// Of which registry it was taken.
    pub(crate) registry: String,
    /// The revision that it has all of.
    pub(crate) revision: u64,
    /// When it was taken.
    pub(crate) taken: Timestamp,
}

impl Head {
    pub(crate) fn new(form: Form, registry: String, revision: u64, taken: Timestamp) -> Head {
        Head { form, version: VERSION, registry, revision, taken }
    }
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    /// The lines before it.
    lines: u64,
    /// The digest of the line before it.
    digest: String,
}

/// A line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Head(Head),
    Entry(Box<Entry>),
    Document(SealedDocument),
    Account(Box<AccountRow>),
    End(End),
}

/// What stands between head and end.
#[derive(Debug)]
pub(crate) enum Item {
    Entry(Box<Entry>),
    Document(SealedDocument),
    Account(Box<AccountRow>),
}

/// Writes lines.
pub(crate) struct Writer<W> {
    out: W,
    digest: Vec<u8>,
    lines: u64,
    buffer: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(out: W, head: &Head) -> io::Result<Writer<W>> {
        let mut writer = Writer { out, digest: Vec::new(), lines: 0, buffer: Vec::new() };
        writer.line("head", head)?;
        Ok(writer)
    }

    pub(crate) fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        self.line("entry", entry)
    }

    pub(crate) fn document(&mut self, document: &SealedDocument) -> io::Result<()> {
        self.line("document", document)
    }

    pub(crate) fn account(&mut self, account: &AccountRow) -> io::Result<()> {
        self.line("account", account)
    }

    pub(crate) fn end(mut self) -> io::Result<()> {
        let end = End { lines: self.lines, digest: hex::encode(&self.digest) };
        self.line("end", &end)
    }

    fn line(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.buffer.clear();
        write!(self.buffer, "\"{name}\":")?;
        serde_json::to_writer(&mut self.buffer, value)?;
        self.buffer.push(b'}');
        self.digest = digest(&self.digest, &self.buffer);
        self.out.write_all(PREFIX)?;
        self.out.write_all(hex::encode(self.digest.get(..SUM).unwrap_or_default()).as_bytes())?;
        self.out.write_all(b"\",")?;
        self.out.write_all(&self.buffer)?;
        self.out.write_all(b"\n")?;
        self.lines += 1;
        Ok(())
    }
}

/// Reads lines, and believes none that does not fit.
pub(crate) struct Reader {
    input: BufReader<File>,
    path: PathBuf,
    digest: Vec<u8>,
    /// The line that was read last, from 1.
    line: u64,
    buffer: Vec<u8>,
}

impl Reader {
    /// Opens a file of the given form, and reads its head.
    pub(crate) fn open(path: &Path, form: Form) -> Result<(Reader, Head), DumpError> {
        let opened =
            File::open(path).map_err(|source| DumpError::Io { path: path.to_owned(), doing: "read", source })?;
        let input = BufReader::with_capacity(256 * 1024, opened);
        let mut reader = Reader { input, path: path.to_owned(), digest: Vec::new(), line: 0, buffer: Vec::new() };
        let expected = match form {
            Form::Backup => "backup of a registry",
            Form::Mirror => "mirror of a node",
        };
        let other = || DumpError::OtherForm { path: path.to_owned(), expected };
        if !reader
            .input
            .fill_buf()
            .map_err(|source| DumpError::Io { path: path.to_owned(), doing: "read", source })?
            .starts_with(PREFIX)
        {
            return Err(other());
        }
        reader.check_version()?;
        match reader.read()? {
            Line::Head(head) if head.form == form => Ok((reader, head)),
            _ => Err(other()),
        }
    }

    /// What comes next; `None` at the end, which was seen and is right.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, DumpError> {
        let before = self.digest.clone();
        match self.read()? {
            Line::Entry(entry) => Ok(Some(Item::Entry(entry))),
            Line::Document(document) => Ok(Some(Item::Document(document))),
            Line::Account(account) => Ok(Some(Item::Account(account))),
            Line::Head(_) => Err(self.altered("a second head")),
            Line::End(end) => {
                if end.digest != hex::encode(&before) || end.lines + 1 != self.line {
                    return Err(self.altered("the digest of the whole file is another"));
                }
                let more = self.input.fill_buf().map(|rest| !rest.is_empty());
                if more.map_err(|source| self.io(source))? {
                    self.line += 1;
                    return Err(self.altered("there is something after the end"));
                }
                Ok(None)
            }
        }
    }

    /// The line that was read last is not what was written.
    pub(crate) fn altered(&self, matter: impl ToString) -> DumpError {
        DumpError::Altered { path: self.path.clone(), line: self.line, matter: matter.to_string() }
    }

    /// Something of the line that was read last does not open.
    pub(crate) fn sealed(&self, source: KeyError) -> DumpError {
        DumpError::Sealed { path: self.path.clone(), line: self.line, source }
    }

    fn io(&self, source: io::Error) -> DumpError {
        DumpError::Io { path: self.path.clone(), doing: "read", source }
    }

    /// A newer version may have a head that is not understood here, so this much of it is read beforehand.
    fn check_version(&mut self) -> Result<(), DumpError> {
        #[derive(Deserialize)]
        struct Any {
            head: Versioned,
        }
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let seen = self.input.buffer();
        let first = seen.split(|octet| *octet == b'\n').next().unwrap_or_default();
        match serde_json::from_slice(first) {
            Ok(Any { head: Versioned { version } }) if version > VERSION => {
                Err(DumpError::Newer { path: self.path.clone(), version })
            }
            _ => Ok(()),
        }
    }

    fn read(&mut self) -> Result<Line, DumpError> {
        self.line += 1;
        self.buffer.clear();
        let mut limited = io::Read::by_ref(&mut self.input).take(MAX_LINE);
        let read = limited.read_until(b'\n', &mut self.buffer);
        read.map_err(|source| self.io(source))?;
        if self.buffer.pop_if(|octet| *octet == b'\n').is_none() {
            let long = self.buffer.len() as u64 == MAX_LINE;
            return Err(if long {
                self.altered("the line is too long")
            } else {
                DumpError::Truncated { path: self.path.clone(), line: self.line }
            });
        }
        let sum = self
            .buffer
            .get(PREFIX.len()..COMMA - 1)
            .and_then(|sum| std::str::from_utf8(sum).ok())
            .and_then(hex::decode);
        let (Some(sum), Some(payload)) = (sum, self.buffer.get(COMMA + 1..)) else {
            return Err(self.altered("it is no such line"));
        };
        let digest = digest(&self.digest, payload);
        let marks = [self.buffer.starts_with(PREFIX), self.buffer.get(COMMA - 1..=COMMA) == Some(b"\",")];
        if digest.get(..SUM) != Some(sum.as_slice()) || marks.contains(&false) {
            return Err(self.altered("its sum does not fit it, or what stands before it"));
        }
        self.digest = digest;
        // Without its sum it is a JSON object of its own.
        if let Some(comma) = self.buffer.get_mut(COMMA) {
            *comma = b'{';
        }
        serde_json::from_slice(self.buffer.get(COMMA..).unwrap_or_default()).map_err(|error| self.altered(error))
    }
}

fn digest(before: &[u8], payload: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(before).chain_update(payload).finalize().to_vec()
}
