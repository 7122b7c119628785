//! What is wrong with a document, and where.

use std::{cell::RefCell, fmt, path::PathBuf};

/// One thing to mend, or to know of: where it stands, what it is, and what to do about it.
///
/// It never holds a secret, nor the line of the document that it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The document, as its path was given.
    pub file: PathBuf,
    /// Line and column, both from 1; `None` where the document could not be read at all. Columns count characters.
    pub position: Option<(usize, usize)>,
    /// The key, with its way from the top: `client[0].address`. Empty for the document as a whole.
    pub key: String,
    /// What is the matter.
    pub message: String,
    /// What would make it acceptable: one or more sentences.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}. {}", self.message, self.remedy)
    }
}

/// Something that works, and that the operator should know of.
pub type Warning = Finding;

/// Every fault of a configuration, by file and line. Nothing of a faulty configuration is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Faults {
    /// The faults, sorted; never empty.
    pub faults: Vec<Finding>,
    /// What was noticed beside them.
    pub warnings: Vec<Warning>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}")?;
        }
        match self.faults.len() {
            1 => f.write_str("1 fault"),
            n => write!(f, "{n} faults"),
        }
    }
}

/// What is the matter and what to do about it, without a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}. {remedy}")]
pub struct Problem {
    /// What is the matter.
    pub message: String,
    /// What would make it acceptable: one or more sentences.
    pub remedy: String,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, remedy: impl Into<String>) -> Problem {
        Problem { message: message.into(), remedy: remedy.into() }
    }
}

/// Collects findings while documents are read and compared.
#[derive(Debug, Default)]
pub(crate) struct Report {
    faults: RefCell<Vec<Finding>>,
    warnings: RefCell<Vec<Finding>>,
}

impl Report {
    pub(crate) fn fault(&self, finding: Finding) {
        self.faults.borrow_mut().push(finding);
    }

    pub(crate) fn warn(&self, finding: Finding) {
        self.warnings.borrow_mut().push(finding);
    }

    /// How many faults there are so far: a reader compares before and after to know whether its part was sound.
    pub(crate) fn count(&self) -> usize {
        self.faults.borrow().len()
    }

    /// The warnings where there is no fault, all faults otherwise; both sorted.
    pub(crate) fn close(self) -> Result<Vec<Warning>, Faults> {
        let sorted = |list: RefCell<Vec<Finding>>| {
            let mut list = list.into_inner();
            list.sort();
            list.dedup();
            list
        };
        let (faults, warnings) = (sorted(self.faults), sorted(self.warnings));
        if faults.is_empty() { Ok(warnings) } else { Err(Faults { faults, warnings }) }
    }
}
