//! Documents that are not files of this node: what the registry keeps, and what is about to be put there.

use std::path::Path;

use toml::de::DeTable;
use zeroize::Zeroizing;

use crate::{
    document::{Author, Document, whole},
    finding::{Faults, Finding, Problem, Report},
    load::NODE_REMEDY,
    read, value,
};

/// One document.
#[derive(Clone)]
pub struct Text {
    /// What findings show as its place: `acme (entry 12)`, or the path of the file that it was read from.
    pub name: String,
    /// The document. It may hold secrets.
    pub text: Zeroizing<String>,
}

impl Text {
    /// The document `text`, shown as `name`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Text {
        Text { name: name.into(), text: Zeroizing::new(text.into()) }
    }
}

impl std::fmt::Debug for Text {
    /// Its name alone.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({:?})", self.name)
    }
}

/// Reads the file of a node's document, as [`load`](crate::load) would.
///
/// # Errors
///
/// It cannot be read, or is no text.
pub fn node_text(path: &Path) -> Result<Text, Faults> {
    let report = Report::default();
    let document = Document::read(path, NODE_REMEDY, &report);
    report.close()?;
    let text = document.map(|document| document.text().to_owned()).unwrap_or_default();
    Ok(Text::new(path.display().to_string(), text))
}

/// What the registry holds of documents.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The node's own, where its file may say something else meanwhile. Its places are those of the file.
    pub node: Option<Text>,
    /// A document for each customer.
    pub customers: Vec<Text>,
    /// The operator's, where there is one.
    pub operator: Option<Text>,
}

/// Whose a document is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The customer's of this name.
    Customer(String),
    /// The operator's.
    Operator,
}

/// Tells whose a document is, by its table `[customer]` or `[operator]`. Nothing else of it is looked at.
///
/// # Errors
///
/// It is no TOML, or neither a customer's document nor the operator's, or a customer's without a name.
pub fn kind_of(text: &Text) -> Result<Kind, Faults> {
    let report = Report::default();
    let document = Document::of_registry(text, Author::Operator, &report);
    let kind = document.and_then(|document| read::tables(&document, &report, |top| kind(&document, top)));
    report.close()?;
    kind.unwrap_or_else(|| {
        // Not reached while whatever is refused is reported.
        let problem = Problem::new("cannot be used", "Report this to the makers of sekisho, with the document.");
        Err(whole(Path::new(&text.name), problem))
    })
    .map_err(|finding| Faults { faults: vec![finding], warnings: Vec::new() })
}

fn kind(document: &Document, top: &DeTable<'_>) -> Result<Kind, Finding> {
    let table = |key: &str| top.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value);
    match (table("customer"), table("operator")) {
        (Some(_), Some(operator)) => {
            let message = "stands beside [customer], and a document is a customer's or the operator's";
            let problem = Problem::new(message, "Make a document of each.");
            Err(document.finding(operator.span().start, "operator", problem))
        }
        (None, Some(_)) => Ok(Kind::Operator),
        (Some(customer), None) => {
            let name = customer.get_ref().as_table().and_then(|table| table.get("name"));
            let octet = name.map_or(customer.span().start, |name| name.span().start);
            let name = match name.map(|name| name.get_ref().as_str()) {
                Some(Some(name)) => value::customer_name(name),
                Some(None) => Err(Problem::new("should be a string", "Write it in double quotes.")),
                None => Err(Problem::new("is missing", "Name the customer, such as \"acme\".")),
            };
            name.map(Kind::Customer).map_err(|problem| document.finding(octet, "customer.name", problem))
        }
        (None, None) => {
            let message = "is neither a customer's document nor the operator's";
            let remedy = "Begin it with [customer] and the customer's name, or with [operator] and the operator's.";
            Err(document.finding(0, "", Problem::new(message, remedy)))
        }
    }
}
