//! Attributes by name: those that are built in, and the operator's.
//!
//! Dictionaries are written as FreeRADIUS writes them (`docs/dictionaries.md`), so that operators can bring the files
//! that they know. A name says a number, what the value is, and how it is hidden; nothing here reads a packet.

mod builtin;
mod literal;
mod parse;
mod reply;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::Path,
    sync::LazyLock,
};

use sekisho_wire::select::AttributeId;

pub(crate) use crate::dictionary::literal::{Raw, encode};
use crate::{
    document::Document,
    finding::{Faults, Problem, Report, Warning},
    value::nearest,
};

/// Attributes by name, in whatever case a name is written.
#[derive(Clone, PartialEq, Eq)]
pub struct Dictionary {
    attributes: Vec<Attribute>,
    /// Index by lower-case name.
    names: HashMap<String, usize>,
    /// Index of the attribute that a number was last given to.
    numbers: HashMap<AttributeId, usize>,
    /// Vendors by lower-case name.
    vendors: HashMap<String, Vendor>,
    /// Names that are known, but of nothing that can be named in a packet, with why; by lower-case name.
    unreachable: HashMap<String, Unreachable>,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name as the dictionary writes it: `User-Name`.
    pub name: String,
    /// Its number.
    pub id: AttributeId,
    /// What its value is.
    pub kind: Kind,
    /// How its value is hidden; `None`: it is not.
    pub encrypt: Option<Encrypt>,
    /// What stands before the value.
    pub lead: Lead,
    /// Names of values, in lower case, where it is a number.
    pub values: BTreeMap<String, u64>,
    /// What each value is called, as the dictionary writes it: the last of its names.
    pub value_names: BTreeMap<u64, String>,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text in UTF-8.
    Text,
    /// Octets of any kind, and whatever type is not known here.
    Octets,
    /// A number of so many octets: 1, 2, 4 or 8.
    Number(u8),
    /// A number of four octets that may be negative.
    Signed,
    /// Seconds since 1970, in four octets.
    Date,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An address of either family.
    Address,
    /// An IPv4 prefix: an octet of zeros, the length, the address (RFC 5090 and later).
    Ipv4Prefix,
    /// An IPv6 prefix: an octet of zeros, the length, as many octets as it takes (RFC 3162 §2.3).
    Ipv6Prefix,
    /// An interface identifier, eight octets (RFC 3162 §2.2).
    InterfaceId,
    /// A hardware address, six octets.
    Ethernet,
}

/// How a value is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encrypt {
    /// `encrypt=1`: as User-Password (RFC 2865 §5.2).
    Password,
    /// `encrypt=2`: as Tunnel-Password (RFC 2868 §3.5).
    Salted,
    /// `encrypt=3`: as Ascend-Send-Secret.
    Ascend,
}

/// What stands before a value, beside numbers and lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// Nothing.
    Nothing,
    /// `has_tag`: a Tag (RFC 2868 §3). Numbers have one in place of their first octet, text may have one.
    Tag,
    /// `format=1,1,c`: the octet that says whether the value goes on in the next attribute (WiMAX).
    Continuation,
}

/// A vendor, and how it writes its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Vendor {
    number: u32,
    shape: Shape,
}

/// How a vendor writes its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// As RFC 2865 §5.26 recommends: an octet of type, an octet of length.
    Plain,
    /// The same with a continuation octet.
    Continued,
    /// Any other.
    Other,
}

/// Why a known name cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unreachable {
    /// It lies within another attribute.
    Nested,
    /// Its vendor writes attributes in another way than RFC 2865 §5.26 recommends.
    Vendor,
    /// Its number is none that a packet can have.
    Number,
}

impl Unreachable {
    const fn why(self) -> &'static str {
        match self {
            Unreachable::Nested => "lies within another attribute, and those are forwarded as they come",
            Unreachable::Vendor => {
                "is of a vendor whose attributes have another shape, and those are forwarded as they come"
            }
            Unreachable::Number => "has a number that no attribute of a packet has",
        }
    }
}

impl Default for Dictionary {
    fn default() -> Dictionary {
        Dictionary::built_in()
    }
}

impl Dictionary {
    /// What is built in: the RFCs' attributes and those of the vendors that access networks are made by.
    pub fn built_in() -> Dictionary {
        static READ: LazyLock<Dictionary> = LazyLock::new(|| {
            let mut dictionary = Dictionary::empty();
            for (name, text) in builtin::FILES {
                // Every file is parsed by a test: there is nothing to report.
                dictionary.read(&Document::of(Path::new(name), text), &Report::default());
            }
            dictionary
        });
        READ.clone()
    }

    /// What is built in, and beside it the text of a further dictionary; `file` is named in findings.
    ///
    /// # Errors
    ///
    /// Every line that cannot be understood.
    pub fn parse(file: &Path, text: &str) -> Result<(Dictionary, Vec<Warning>), Faults> {
        let mut dictionary = Dictionary::built_in();
        let report = Report::default();
        dictionary.read(&Document::of(file, text), &report);
        Ok((dictionary, report.close()?))
    }

    fn empty() -> Dictionary {
        Dictionary {
            attributes: Vec::new(),
            names: HashMap::new(),
            numbers: HashMap::new(),
            vendors: HashMap::new(),
            unreachable: HashMap::new(),
        }
    }

    /// Reads a further file. A name that is known already takes its meaning from there on from this file.
    pub(crate) fn read(&mut self, document: &Document, report: &Report) {
        parse::file(self, document, report);
    }

    /// The attribute of a name, in whatever case it is written.
    pub fn find(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(*self.names.get(&name.to_ascii_lowercase())?)
    }

    /// The attribute of a number, by the last name that a dictionary has given it.
    pub fn attribute(&self, id: AttributeId) -> Option<&Attribute> {
        self.attributes.get(*self.numbers.get(&id)?)
    }

    /// The name of an attribute: the last one that a dictionary has given it.
    pub fn name(&self, id: AttributeId) -> Option<&str> {
        self.attribute(id).map(|attribute| attribute.name.as_str())
    }

    /// Vendors' attributes whose whole value is a salt-encrypted field: vendor, vendor type.
    pub fn salted(&self) -> impl Iterator<Item = (u32, u8)> {
        self.hidden_behind(false)
    }

    /// Vendors' attributes whose salt-encrypted field stands behind one octet, a Tag or a continuation: vendor, vendor
    /// type.
    pub fn salted_behind_an_octet(&self) -> impl Iterator<Item = (u32, u8)> {
        self.hidden_behind(true)
    }

    fn hidden_behind(&self, octet: bool) -> impl Iterator<Item = (u32, u8)> {
        self.numbers.iter().filter_map(move |(id, at)| match (id, self.attributes.get(*at)?) {
            (AttributeId::Vendor(vendor, kind), Attribute { encrypt: Some(Encrypt::Salted), lead, .. })
                if octet == (*lead != Lead::Nothing) =>
            {
                Some((*vendor, *kind))
            }
            _ => None,
        })
    }

    /// The attribute of a name that a document gives; what is the matter where there is none.
    pub(crate) fn look_up(&self, name: &str) -> Result<&Attribute, Problem> {
        if let Some(attribute) = self.find(name) {
            return Ok(attribute);
        }
        let lower = name.to_ascii_lowercase();
        if let Some(unreachable) = self.unreachable.get(&lower) {
            return Err(Problem::new(format!("{name:?} {}", unreachable.why()), "Take it out."));
        }
        let names = self.attributes.iter().map(|attribute| attribute.name.as_str());
        let remedy = match nearest(name, names) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => "Write it as a dictionary does, or describe it in one below `dictionaries` of [node].".to_owned(),
        };
        Err(Problem::new(format!("{name:?} is no attribute of the dictionaries"), remedy))
    }

    /// Adds an attribute, or gives a name another meaning; what it meant before.
    fn insert(&mut self, attribute: Attribute) -> Option<AttributeId> {
        let name = attribute.name.to_ascii_lowercase();
        self.unreachable.remove(&name);
        let id = attribute.id;
        let Some(&at) = self.names.get(&name) else {
            self.names.insert(name, self.attributes.len());
            self.numbers.insert(id, self.attributes.len());
            self.attributes.push(attribute);
            return None;
        };
        let slot = self.attributes.get_mut(at)?;
        let before = std::mem::replace(slot, attribute).id;
        if before != id && self.numbers.get(&before) == Some(&at) {
            self.numbers.remove(&before);
        }
        self.numbers.insert(id, at);
        Some(before)
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dictionary({} attributes)", self.attributes.len())
    }
}
