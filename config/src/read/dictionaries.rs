//! `dictionaries` of `[node]`: what operators add to the attributes that are built in.

use std::{path::PathBuf, sync::Arc};

use crate::{dictionary::Dictionary, document::Document, finding::Problem, load::documents_in, section::Section};

/// The built-in dictionary with every `*.dictionary` of a directory, or `dictionary.*` as FreeRADIUS calls them, in the
/// order of their names. What is faulty is reported, and the rest read.
pub(super) fn dictionary(section: Option<&Section<'_>>, directory: Option<&PathBuf>) -> Arc<Dictionary> {
    let mut dictionary = Dictionary::built_in();
    let (Some(section), Some(directory)) = (section, directory) else { return Arc::new(dictionary) };
    let files = match documents_in(directory, is_dictionary) {
        Ok(files) => files,
        Err(error) => {
            let message = format!("{} cannot be listed ({error})", directory.display());
            let remedy = "Make the directory, or take the key out: common attributes are built in.";
            section.fault("dictionaries", Problem::new(message, remedy));
            return Arc::new(dictionary);
        }
    };
    if files.is_empty() {
        let remedy = "Put NAME.dictionary there, or take the key out: common attributes are built in.";
        section.warn("dictionaries", Problem::new(format!("{} holds no dictionary", directory.display()), remedy));
    }
    for file in &files {
        let remedy = "Put the dictionary there, or take the dangling link away.";
        if let Some(document) = Document::read(file, remedy, section.report) {
            dictionary.read(&document, section.report);
        }
    }
    Arc::new(dictionary)
}

/// Whether a file is a dictionary by its name. Editors' copies are not.
fn is_dictionary(name: &str) -> bool {
    (name.ends_with(".dictionary") || name.starts_with("dictionary.")) && !name.ends_with('~')
}
