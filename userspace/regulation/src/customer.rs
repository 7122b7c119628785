//! One customer: its documents over time, and its closed months.

use std::{collections::BTreeMap, collections::BTreeSet, sync::Arc};

use jiff::civil::Date;

use crate::{
    money::Statement,
    period::{Period, before},
    terms::{Item, Terms},
};

/// One customer (契約者).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerBook {
    /// Its name.
    pub name: String,
    /// Its documents, in the order of their first days: those that a later one took the place of are gone.
    pub documents: Vec<Document>,
    /// The names of its contracts, for ever.
    pub contracts: BTreeSet<String>,
    /// Its closed months, by their first day, with the statement as it was made.
    pub closed: BTreeMap<Date, Arc<Statement>>,
}

/// A customer's document from a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The number of its entry.
    pub number: u64,
    /// The first day.
    pub from: Date,
    /// What it says.
    pub terms: Arc<Terms>,
}

impl CustomerBook {
    /// The document in force on `day`.
    pub fn document_on(&self, day: Date) -> Option<&Document> {
        let after = self.documents.partition_point(|document| document.from <= day);
        self.documents.get(after.checked_sub(1)?)
    }

    /// The documents that begin after `day`, in order: scheduled, and replaced by any document recorded later that begins no later.
    pub fn scheduled(&self, day: Date) -> &[Document] {
        let after = self.documents.partition_point(|document| document.from <= day);
        self.documents.get(after..).unwrap_or_default()
    }

    /// The documents in force on `day` or later, with the days on which they are.
    pub(crate) fn documents_from(&self, day: Date) -> impl Iterator<Item = (Period, &Document)> {
        let first = self.documents.partition_point(|document| document.from <= day).saturating_sub(1);
        self.documents.iter().enumerate().skip(first).filter_map(|(place, document)| {
            let until = self.documents.get(place + 1).and_then(|next| before(next.from));
            Some((Period::new(document.from, until)?, document))
        })
    }
}

impl Terms {
    /// Whether the customer has a mobile contract on `day` that a `vpdn` contract of this item is for (Art. 5.3 to 5.5).
    pub fn is_eligible(&self, item: Item, day: Date) -> bool {
        self.mobile_for(item).any(|days| days.contains(day))
    }

    /// The days of the mobile contracts that are of the right type and class for this item, whenever they are.
    pub(crate) fn mobile_for(&self, item: Item) -> impl Iterator<Item = Period> {
        let right =
            move |mobile: &&crate::terms::Mobile| mobile.item == item && item.classes().contains(&&*mobile.class);
        self.mobile
            .iter()
            .filter(right)
            .filter_map(|mobile| Period::new(mobile.from.unwrap_or(Date::MIN), mobile.until))
    }
}

impl Item {
    /// The classes, plans or network classes of mobile service that this item is for (Art. 2, 5.3 to 5.5).
    pub fn classes(self) -> &'static [&'static str] {
        match self {
            Item::D => &["I"],
            Item::K => &["flat", "flat-l", "packet-share-l"],
            Item::I => &["III"],
        }
    }

    /// Where its condition is written.
    pub(crate) fn article(self) -> &'static str {
        match self {
            Item::D => "Art. 5.3",
            Item::K => "Art. 5.4",
            Item::I => "Art. 5.5",
        }
    }
}
