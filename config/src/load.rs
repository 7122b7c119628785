//! From documents to a configuration: all are read, then compared, and taken whole or not at all.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    customer::Customer,
    document::{Author, Document, whole},
    finding::{Faults, Problem, Report, Warning},
    node::Node,
    read::{self, customer::CustomerDraft, node::NodeDraft, surroundings::Surroundings},
    registry::CustomersFrom,
    rules, schema,
    texts::{Text, Texts},
};

/// The name of the node's document in a directory.
pub const NODE_FILE: &str = "sekisho.toml";

/// What a configuration is when it has no fault.
type Loaded = Result<(Node, Vec<Customer>, Vec<Warning>), Faults>;

/// Reads and checks the whole configuration of a node that has its customers' documents as files: `path` is the node's
/// document or the directory that it stands in as [`NODE_FILE`]; `env` looks up an environment variable. Customers come in
/// the order of their files' names.
///
/// # Errors
///
/// Every fault of every document; a node with a registry, whose documents [`load_documents`] takes.
pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Loaded {
    let report = Report::default();
    let file = node_file(path);
    let (draft, around) = read_node(&file, env, &report).unzip();
    let mut customers = Vec::new();
    if let (Some(draft), Some(around)) = (&draft, &around) {
        let before = report.count();
        match draft.customers.as_ref().map(|placed| (&placed.value, &placed.site)) {
            Some((CustomersFrom::Directory(directory), site)) => {
                let unlisted = |problem| report.fault(site.finding("customers", problem));
                customers = read_files(directory, around, &report, unlisted);
            }
            Some((CustomersFrom::Registry(_), site)) => {
                let problem = Problem::new(
                    "says that customers' documents are in the registry, and here they would be files",
                    "Take [registry] out, and give `customers` under [node].",
                );
                report.fault(site.finding("", problem));
            }
            None => {}
        }
        rules::check(&customers, draft, around, report.count() == before, &report);
        rules::groups::without_registry(&customers, &report);
    }
    finish(&file, draft, customers, report)
}

/// Reads and checks the document of a node alone: what there is to know before its registry has been asked. `path` and `env`
/// are as for [`load`]. What concerns customers is not looked at.
///
/// # Errors
///
/// Every fault of the document.
pub fn load_node(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<(Node, Vec<Warning>), Faults> {
    let report = Report::default();
    let file = node_file(path);
    let (draft, around) = read_node(&file, env, &report).unzip();
    if let (Some(draft), Some(around)) = (&draft, &around) {
        rules::check(&[], draft, around, false, &report);
    }
    finish(&file, draft, Vec::new(), report).map(|(node, _, warnings)| (node, warnings))
}

/// Reads and checks a node's document, `path` as for [`load`], with documents that its registry holds, or would hold.
/// Customers come in the order given, with all that their documents say; [`Customer::only`] leaves what is served.
///
/// A customer's document may not name a file or an environment variable for a secret, since no node's are meant; the
/// operator's may. Home servers and LNSs are at addresses of their customer's own, none of ours and no other customer's;
/// loopback is taken where all of the node's listeners are on loopback, which makes it a trial of the whole on one host.
///
/// # Errors
///
/// Every fault of every document; a node without a registry.
pub fn load_documents(path: &Path, texts: &Texts, env: &dyn Fn(&str) -> Option<String>) -> Loaded {
    let report = Report::default();
    let file = node_file(path);
    let (mut draft, around) = match &texts.node {
        Some(text) => node_of(&Arc::new(Document::of(&file, &text.text)), &file, env, &report).unzip(),
        None => read_node(&file, env, &report).unzip(),
    };
    let mut customers = Vec::new();
    if let (Some(draft), Some(around)) = (&mut draft, &around) {
        if let Some(placed) = &draft.customers
            && matches!(placed.value, CustomersFrom::Directory(_))
        {
            let message = "customers' documents of this node are files, and here they would come from a registry";
            let remedy = "Give [registry] in the place of `customers` under [node].";
            report.fault(placed.site.finding("customers", Problem::new(message, remedy)));
        }
        if let Some(text) = &texts.operator {
            read_operator(draft, text, around, &report);
        }
        let before = report.count();
        customers = texts.customers.iter().filter_map(|text| read_customer(text, around, &report)).collect();
        rules::check(&customers, draft, around, report.count() == before, &report);
        rules::strangers::check(&customers, draft, &report);
    }
    finish(&file, draft, customers, report)
}

/// What to do about a node's document that is not there.
pub(crate) const NODE_REMEDY: &str = "Name the node's document, or the directory that holds it as sekisho.toml.";

fn node_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(NODE_FILE) } else { path.to_owned() }
}

fn read_node<'a>(
    file: &Path,
    env: &'a dyn Fn(&str) -> Option<String>,
    report: &Report,
) -> Option<(NodeDraft, Surroundings<'a>)> {
    node_of(&Document::read(file, NODE_REMEDY, report)?, file, env, report)
}

fn node_of<'a>(
    document: &Arc<Document>,
    file: &Path,
    env: &'a dyn Fn(&str) -> Option<String>,
    report: &Report,
) -> Option<(NodeDraft, Surroundings<'a>)> {
    let base = file.parent().unwrap_or(Path::new(""));
    read::document(document, schema::NODE_DOCUMENT, report, |top| {
        let (draft, around) = read::node::node(&top, base, env);
        rules::node::check(&draft, &top.site, report);
        (draft, around)
    })
}

/// Adds the operator's access networks to the node's own.
fn read_operator(draft: &mut NodeDraft, text: &Text, around: &Surroundings<'_>, report: &Report) {
    let document = Document::of_registry(text, Author::Operator, report);
    let read = |document: Arc<Document>| {
        read::document(&document, schema::OPERATOR_DOCUMENT, report, |top| read::operator::operator(&top, around))
    };
    let Some((networks, sound)) = document.and_then(read) else {
        draft.node = None;
        return;
    };
    match &mut draft.node {
        Some(node) if sound => node.access_networks.extend(networks.iter().map(|placed| placed.value.clone())),
        node => *node = None,
    }
    draft.access_networks.extend(networks);
}

fn read_customer(text: &Text, around: &Surroundings<'_>, report: &Report) -> Option<CustomerDraft> {
    customer(&Document::of_registry(text, Author::Customer, report)?, around, report)
}

fn read_files(
    directory: &Path,
    around: &Surroundings<'_>,
    report: &Report,
    unlisted: impl Fn(Problem),
) -> Vec<CustomerDraft> {
    let files = match documents_in(directory, |name| name.ends_with(".toml")) {
        Ok(files) => files,
        Err(error) => {
            let message = format!("{} cannot be listed ({error})", directory.display());
            let remedy = match error.kind() {
                io::ErrorKind::PermissionDenied => "Let sekisho's user read it.",
                _ => "Make the directory, with a document NAME.toml for each customer; or give [registry].",
            };
            unlisted(Problem::new(message, remedy));
            return Vec::new();
        }
    };
    if files.is_empty() {
        let problem = Problem::new("holds no customer's document", "Add NAME.toml for each customer.");
        report.warn(whole(directory, problem));
    }
    let read = |file: &PathBuf| {
        let document = Document::read(file, "Put the document there, or take the dangling link away.", report)?;
        customer(&document, around, report)
    };
    files.iter().filter_map(read).collect()
}

fn customer(document: &Arc<Document>, around: &Surroundings<'_>, report: &Report) -> Option<CustomerDraft> {
    read::document(document, schema::CUSTOMER_DOCUMENT, report, |top| read::customer::customer(&top, around))
}

/// What was read, where nothing is the matter with it.
fn finish(file: &Path, draft: Option<NodeDraft>, customers: Vec<CustomerDraft>, report: Report) -> Loaded {
    let mut checked = Vec::with_capacity(customers.len());
    for draft in customers {
        let (site, sound) = (draft.site.clone(), draft.sound);
        let customer = draft.checked();
        if let (Err(why), true) = (customer.serviceable(), sound) {
            let message = format!("{why}: nothing of it is served (service regulation, Art. 5.1)");
            let remedy = "It needs at least one [[client]] and at least one [[proxy]] or [[group]], or a [[vpdn]].";
            report.warn(site.finding("", Problem::new(message, remedy)));
        }
        checked.push(customer);
    }
    let warnings = report.close()?;
    match draft.and_then(|draft| draft.node) {
        Some(node) => Ok((node, checked, warnings)),
        // Not reached while every reader reports what it refuses; a configuration is never taken by halves.
        None => {
            let problem = Problem::new("cannot be used", "Report this to the makers of sekisho, with the document.");
            Err(Faults { faults: vec![whole(file, problem)], warnings })
        }
    }
}

/// Every file of a directory whose name is `wanted`, but for hidden ones, by name.
pub(crate) fn documents_in(directory: &Path, wanted: impl Fn(&str) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with('.') && wanted(&name) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
