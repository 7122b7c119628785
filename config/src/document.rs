//! A document's text, and the places in it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use zeroize::Zeroizing;

use crate::finding::{Finding, Problem, Report};

/// The text of one file. It may hold secrets, so it is wiped when it is dropped and is never shown.
pub(crate) struct Document {
    path: PathBuf,
    text: Zeroizing<String>,
}

impl Document {
    /// Reads a file; what goes wrong is reported, with `remedy`.
    pub(crate) fn read(path: &Path, remedy: &str, report: &Report) -> Option<Arc<Document>> {
        let octets = match fs::read(path) {
            Ok(octets) => Zeroizing::new(octets),
            Err(error) => {
                report.fault(whole(path, Problem::new(format!("cannot be read ({error})"), remedy)));
                return None;
            }
        };
        match std::str::from_utf8(&octets) {
            Ok(text) => Some(Arc::new(Document { path: path.to_owned(), text: Zeroizing::new(text.to_owned()) })),
            Err(error) => {
                let message = format!("octet {} is not UTF-8, which TOML is written in", error.valid_up_to() + 1);
                report.fault(whole(path, Problem::new(message, "Save the file as UTF-8.")));
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of an octet, both from 1.
    pub(crate) fn position(&self, octet: usize) -> (usize, usize) {
        let before = self.text.char_indices().take_while(|(at, _)| *at < octet);
        before.fold((1, 1), |(line, column), (_, c)| if c == '\n' { (line + 1, 1) } else { (line, column + 1) })
    }

    /// A finding at an octet.
    pub(crate) fn finding(&self, octet: usize, key: &str, problem: Problem) -> Finding {
        let Problem { message, remedy } = problem;
        Finding { file: self.path.clone(), position: Some(self.position(octet)), key: key.into(), message, remedy }
    }
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

    fn octet(&self, key: &str) -> usize {
        self.values.iter().find(|(name, _)| name == key).map_or(self.start, |(_, octet)| *octet)
    }
}

/// A checked value with its place.
pub(crate) struct Placed<T> {
    pub(crate) site: Site,
    pub(crate) value: T,
}
