//! A document's text, and the places in it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use zeroize::Zeroizing;

use crate::{
    finding::{Finding, Problem, Report},
    texts::Text,
};

/// A longer file is no document, but a mistake: ten thousand terminals take less than two of these 16 MiB.
const MAX_FILE: u64 = 16 * 1024 * 1024;

/// On whose behalf a document speaks, which decides on what it may name of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    /// The operator's: its own documents, and all that are files of a node.
    Operator,
    /// A customer's: a document of the registry, which every node reads and which names nothing of any.
    Customer,
}

/// The text of one document. It may hold secrets, so it is wiped when it is dropped and is never shown.
pub(crate) struct Document {
    path: PathBuf,
    author: Author,
    text: Zeroizing<String>,
    /// Where each line begins: a long document may have many findings.
    lines: Vec<usize>,
}

impl Document {
    /// Reads a file; what goes wrong is reported, with `remedy` where it is not there.
    pub(crate) fn read(path: &Path, remedy: &str, report: &Report) -> Option<Arc<Document>> {
        let octets = octets(path, remedy).map_err(|problem| report.fault(whole(path, problem))).ok()?;
        match std::str::from_utf8(&octets) {
            Ok(text) => Some(Arc::new(Document::of(path, text))),
            Err(error) => {
                let message = format!("octet {} is not UTF-8, which TOML is written in", error.valid_up_to() + 1);
                report.fault(whole(path, Problem::new(message, "Save the file as UTF-8.")));
                None
            }
        }
    }

    /// A text that stands in a file of this path, of this node.
    pub(crate) fn of(path: &Path, text: &str) -> Document {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Document { path: path.to_owned(), author: Author::Operator, text: Zeroizing::new(text.to_owned()), lines }
    }

    /// A text that is no file of this node; one that is too long is reported.
    pub(crate) fn of_registry(text: &Text, author: Author, report: &Report) -> Option<Arc<Document>> {
        let path = Path::new(&text.name);
        if let Err(problem) = length(text.text.len() as u64) {
            report.fault(whole(path, problem));
            return None;
        }
        Some(Arc::new(Document { author, ..Document::of(path, &text.text) }))
    }

    pub(crate) fn author(&self) -> Author {
        self.author
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of an octet, both from 1.
    pub(crate) fn position(&self, octet: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|begin| *begin <= octet).max(1);
        let begin = self.lines.get(line - 1).copied().unwrap_or_default();
        let before = self.text.get(begin..).unwrap_or_default().char_indices();
        (line, before.take_while(|(at, _)| begin + at < octet).count() + 1)
    }

    /// A finding at an octet.
    pub(crate) fn finding(&self, octet: usize, key: &str, problem: Problem) -> Finding {
        let Problem { message, remedy } = problem;
        Finding { file: self.path.clone(), position: Some(self.position(octet)), key: key.into(), message, remedy }
    }
}

/// The octets of a file. A pipe or a device is never opened: a reload would wait for it for ever.
fn octets(path: &Path, missing: &str) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let unreadable = |error: io::Error| {
        let remedy = match error.kind() {
            io::ErrorKind::PermissionDenied => "Let sekisho's user read it.",
            _ => missing,
        };
        Problem::new(format!("cannot be read ({error})"), remedy)
    };
    let meta = fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        return Err(Problem::new("is no regular file", "Put a file there, or give what is there another name."));
    }
    length(meta.len())?;
    fs::read(path).map(Zeroizing::new).map_err(unreadable)
}

fn length(octets: u64) -> Result<(), Problem> {
    if octets > MAX_FILE {
        let message = format!("has {octets} octets, and a document has at most {MAX_FILE}");
        return Err(Problem::new(message, "Look whether it is the right file."));
    }
    Ok(())
}

/// A finding about a file as a whole.
pub(crate) fn whole(path: &Path, problem: Problem) -> Finding {
    let Problem { message, remedy } = problem;
    Finding { file: path.to_owned(), position: None, key: String::new(), message, remedy }
}

/// Where a table stands in its document, and where each of its values does.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) document: Arc<Document>,
    /// The way from the top: `client[0]`; empty for the document itself.
    pub(crate) path: String,
    /// The octet where the table begins.
    pub(crate) start: usize,
    /// The octet where each value begins; elements of lists as `ingress[0]`.
    pub(crate) values: Vec<(String, usize)>,
}

impl Site {
    /// The whole key: `client[0].address`.
    pub(crate) fn key(&self, key: &str) -> String {
        match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        }
    }

    /// A finding about a key of the table, at its value; at the table's beginning where the key is absent.
    pub(crate) fn finding(&self, key: &str, problem: Problem) -> Finding {
        self.document.finding(self.octet(key), &self.key(key), problem)
    }

    /// `file:line` of a key, for naming it in a finding about something else.
    pub(crate) fn place(&self, key: &str) -> String {
        let (line, _) = self.document.position(self.octet(key));
        format!("{}:{line}", self.document.path().display())
    }

    /// The first of two keys that is given; the second where neither is.
    pub(crate) fn given<'k>(&self, key: &'k str, otherwise: &'k str) -> &'k str {
        if self.values.iter().any(|(name, _)| name == key) { key } else { otherwise }
    }

    /// The keys of what stands in a table within this one, in its order: `reply.Filter-Id`.
    pub(crate) fn entries<'s>(&'s self, table: &'s str) -> impl Iterator<Item = &'s str> {
        let within = move |name: &&str| name.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
        self.values.iter().map(|(name, _)| name.as_str()).filter(within)
    }

    fn octet(&self, key: &str) -> usize {
        self.values.iter().find(|(name, _)| name == key).map_or(self.start, |(_, octet)| *octet)
    }
}

/// A checked value with its place.
pub(crate) struct Placed<T> {
    pub(crate) site: Site,
    pub(crate) value: T,
}
