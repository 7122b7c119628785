//! The documents that a registry has in force on a day, by whose they are.

use std::collections::BTreeMap;

use sekisho_config::{Text, Texts};
use zeroize::Zeroizing;

/// Documents by their customer's name; the operator's has none.
#[derive(Clone, Debug, Default)]
pub struct Papers(BTreeMap<Option<String>, Text>);

impl Papers {
    /// Puts a document in, in the place of the one before it; messages call it `name`.
    pub fn set(&mut self, of: Option<&str>, name: &str, text: Zeroizing<String>) {
        self.0.insert(of.map(str::to_owned), Text { name: name.to_owned(), text });
    }

    /// What a document says.
    pub fn text(&self, of: Option<&str>) -> Option<&str> {
        self.0.get(&of.map(str::to_owned)).map(|text| text.text.as_str())
    }

    /// What messages call it.
    pub fn name(&self, of: Option<&str>) -> Option<&str> {
        self.0.get(&of.map(str::to_owned)).map(|text| text.name.as_str())
    }

    /// For reading, customers by name.
    pub fn texts(&self) -> Texts {
        let customers = self.0.iter().filter(|(of, _)| of.is_some()).map(|(_, text)| text.clone()).collect();
        Texts { customers, operator: self.0.get(&None).cloned(), node: None }
    }
}

/// What messages call a document in force: `acme (entry 12)`.
pub fn called(of: Option<&str>, number: u64) -> String {
    format!("{} (entry {number})", of.unwrap_or("the operator's document"))
}
