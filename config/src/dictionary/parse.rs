//! Reads the text of a dictionary, line by line.

use std::collections::HashMap;

use sekisho_wire::select::AttributeId;

use super::{Attribute, Dictionary, Encrypt, Kind, Lead, Shape, Unreachable, Vendor};
use crate::{
    document::Document,
    finding::{Problem, Report},
    value::{nearest, suggestion},
};

const KEYWORDS: [&str; 7] = ["ATTRIBUTE", "VALUE", "VENDOR", "BEGIN-VENDOR", "END-VENDOR", "BEGIN-TLV", "END-TLV"];
/// Flags that say nothing about how a value is written on its way.
const IDLE_FLAGS: [&str; 6] = ["array", "concat", "virtual", "secret", "internal", "unsafe"];
const FLAGS: [&str; 8] = ["has_tag", "encrypt=2", "array", "concat", "virtual", "secret", "internal", "unsafe"];

/// One file while it is read.
struct File<'a> {
    dictionary: &'a mut Dictionary,
    document: &'a Document,
    report: &'a Report,
    /// Within BEGIN-VENDOR: its name and what it is.
    vendor: Option<(String, Vendor)>,
    /// Within so many BEGIN-TLV.
    nested: usize,
    /// VALUE lines, which may stand before their attribute.
    values: Vec<(usize, String, String, u64)>,
    /// Names that this file has given a meaning, in lower case, with the line.
    own: HashMap<String, usize>,
}

/// Reads every line; faults and warnings go to `report`.
pub(super) fn file(dictionary: &mut Dictionary, document: &Document, report: &Report) {
    let own = HashMap::new();
    let mut file = File { dictionary, document, report, vendor: None, nested: 0, values: Vec::new(), own };
    let mut octet = 0;
    for line in document.text().split_inclusive('\n') {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        let begin = octet + (line.len() - line.trim_start().len());
        octet += line.len();
        if let [keyword, rest @ ..] = words.as_slice()
            && let Err(problem) = file.line(begin, keyword, rest)
        {
            report.fault(document.finding(begin, "", problem));
        }
    }
    file.close();
}

impl File<'_> {
    fn line(&mut self, at: usize, keyword: &str, rest: &[&str]) -> Result<(), Problem> {
        match keyword {
            "ATTRIBUTE" => self.attribute(at, rest),
            "VALUE" => self.value(at, rest),
            "VENDOR" => self.vendor(rest),
            "BEGIN-VENDOR" => self.begin_vendor(rest),
            "END-VENDOR" => self.end_vendor(rest),
            "BEGIN-TLV" => {
                self.nested += 1;
                Ok(())
            }
            "END-TLV" => match self.nested.checked_sub(1) {
                Some(nested) => {
                    self.nested = nested;
                    Ok(())
                }
                None => Err(Problem::new("END-TLV ends nothing", "Take it out, or put BEGIN-TLV before it.")),
            },
            "$INCLUDE" | "$INCLUDE-" => Err(Problem::new(
                "$INCLUDE is not followed",
                "Take it out, and put the other file into the same directory: every dictionary in it is read.",
            )),
            other => {
                let message = format!("{other:?} is no keyword of a dictionary");
                Err(Problem::new(message, suggestion(other, &KEYWORDS)))
            }
        }
    }

    /// `VENDOR name number [format=1,1]`.
    fn vendor(&mut self, words: &[&str]) -> Result<(), Problem> {
        let remedy = "Write it as `VENDOR Name 12345`, with `format=1,1` behind it where that is not so.";
        let (name, digits, format) = match words {
            [name, digits] => (name, digits, None),
            [name, digits, format] => (name, digits, Some(*format)),
            _ => return Err(Problem::new("a VENDOR has a name and a number", remedy)),
        };
        // RFC 2865 §5.26: the high-order octet is 0.
        let number = number(digits).filter(|number| (1..1 << 24).contains(number));
        let Some(number) = number.and_then(|number| u32::try_from(number).ok()) else {
            let message = format!("{digits:?} is no vendor's number");
            return Err(Problem::new(message, "Give the number of the IANA registry, 1 to 16777215."));
        };
        let shape = match format {
            None | Some("format=1,1") => Shape::Plain,
            Some("format=1,1,c") => Shape::Continued,
            Some(other) if format_sound(other) => Shape::Other,
            Some(other) => {
                let message = format!("{other:?} is no format of a vendor's attributes");
                return Err(Problem::new(message, "Write `format=TYPE,LENGTH`, as `format=1,1`, or leave it out."));
            }
        };
        self.dictionary.vendors.insert(name.to_ascii_lowercase(), Vendor { number, shape });
        Ok(())
    }

    fn begin_vendor(&mut self, words: &[&str]) -> Result<(), Problem> {
        // Vendors of RFC 6929 stand within an extended attribute: `BEGIN-VENDOR Name format=Extended-…`.
        let (name, within) = match words {
            [name] => (*name, false),
            [name, format] if format.starts_with("format=") => (*name, true),
            _ => return Err(Problem::new("BEGIN-VENDOR has a name", "Write it as `BEGIN-VENDOR Name`.")),
        };
        if let Some((open, _)) = &self.vendor {
            let message = format!("BEGIN-VENDOR {open} has not ended");
            return Err(Problem::new(message, format!("Write `END-VENDOR {open}` before this line.")));
        }
        let known = self.vendor_named(name);
        // What follows is a vendor's, even where it is not known which: it says nothing about other attributes.
        let mut vendor = known.as_ref().map_or(Vendor { number: 0, shape: Shape::Other }, |vendor| *vendor);
        if within {
            vendor.shape = Shape::Other;
        }
        self.vendor = Some((name.to_owned(), vendor));
        known.map(|_| ())
    }

    fn end_vendor(&mut self, words: &[&str]) -> Result<(), Problem> {
        match (self.vendor.take(), words) {
            (Some((open, _)), [name]) if open.eq_ignore_ascii_case(name) => Ok(()),
            (Some((open, _)), _) => {
                let message = "END-VENDOR names another vendor than BEGIN-VENDOR did";
                Err(Problem::new(message, format!("Write `END-VENDOR {open}`.")))
            }
            (None, _) => Err(Problem::new("END-VENDOR ends nothing", "Take it out, or put BEGIN-VENDOR before.")),
        }
    }

    fn vendor_named(&self, name: &str) -> Result<Vendor, Problem> {
        self.dictionary.vendors.get(&name.to_ascii_lowercase()).copied().ok_or_else(|| {
            let message = format!("{name:?} is no vendor that a VENDOR line has named");
            Problem::new(message, format!("Write `VENDOR {name}` with the vendor's number before this line."))
        })
    }

    /// `ATTRIBUTE name number type [flags]`, with a vendor's name in the place of flags in old files.
    fn attribute(&mut self, at: usize, words: &[&str]) -> Result<(), Problem> {
        let [name, digits, kind, more @ ..] = words else {
            let message = "an ATTRIBUTE has a name, a number and a type";
            return Err(Problem::new(message, "Write it as `ATTRIBUTE Name 123 string`."));
        };
        let mut vendor = self.vendor.as_ref().map(|(_, vendor)| *vendor);
        let mut flags = Flags::default();
        for word in more {
            if let Some(named) = self.dictionary.vendors.get(&word.to_ascii_lowercase()) {
                vendor = Some(*named);
                continue;
            }
            for flag in word.split(',') {
                flags.take(flag)?;
            }
        }
        let lower = name.to_ascii_lowercase();
        let id = match self.number(digits, vendor)? {
            Ok(id) => id,
            Err(why) => {
                self.dictionary.unreachable.insert(lower.clone(), why);
                self.own.insert(lower, at);
                return Ok(());
            }
        };
        let lead = match vendor.map(|vendor| vendor.shape) {
            Some(Shape::Continued) => Lead::Continuation,
            _ if flags.tag => Lead::Tag,
            _ => Lead::Nothing,
        };
        let kind = self.kind(at, kind);
        let attribute = Attribute {
            name: (*name).to_owned(),
            id,
            kind,
            encrypt: flags.encrypt,
            lead,
            values: Default::default(),
            value_names: Default::default(),
        };
        self.hidden(at, &attribute);
        let before = self.dictionary.insert(attribute);
        let twice = self.own.insert(lower, at);
        if let Some(before) = before.filter(|before| *before != id || twice.is_some()) {
            let message = format!("{name} was {} until this line", shown(before));
            let problem = Problem::new(message, "Give the attribute another name, where that is not meant.");
            self.report.warn(self.document.finding(at, "", problem));
        }
        Ok(())
    }

    /// The type of a name; a warning where no dictionary has such a type, since a name that is mistyped means octets too.
    fn kind(&self, at: usize, name: &str) -> Kind {
        let lower = name.split('[').next().unwrap_or(name).to_ascii_lowercase();
        let known = KINDS.iter().find(|(known, _)| *known == lower);
        if known.is_none() {
            let remedy = match nearest(&lower, KINDS.iter().map(|(known, _)| *known)) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => "Say `octets`, where that is meant.".to_owned(),
            };
            let problem = Problem::new(format!("{name:?} is no type known here, and taken for octets"), remedy);
            self.report.warn(self.document.finding(at, "", problem));
        }
        known.map_or(Kind::Octets, |(_, kind)| *kind)
    }

    /// Warns of what is hidden in a way that is not undone here.
    fn hidden(&self, at: usize, attribute: &Attribute) {
        let known = match (attribute.id, attribute.encrypt) {
            (_, None) | (AttributeId::Vendor(..), Some(Encrypt::Salted)) => true,
            (AttributeId::Plain(2), Some(Encrypt::Password)) | (AttributeId::Plain(69), Some(Encrypt::Salted)) => true,
            // MS-CHAP-MPPE-Keys, RFC 2548 §2.4.1.
            (AttributeId::Vendor(311, 12), Some(Encrypt::Password)) => true,
            _ => false,
        };
        if !known {
            let message = format!("{} is hidden in a way that is not undone on its way", attribute.name);
            let remedy = "It is forwarded as it comes, and the peer cannot read it: have it removed by a policy.";
            self.report.warn(self.document.finding(at, "", Problem::new(message, remedy)));
        }
    }

    /// A number as a dictionary writes it: `26`, `0x1a`, `241.8`; or why no packet can have it.
    fn number(&self, digits: &str, vendor: Option<Vendor>) -> Result<Result<AttributeId, Unreachable>, Problem> {
        let wrong = || Problem::new(format!("{digits:?} is no number of an attribute"), "Give it as `26`, or `241.8`.");
        let parts: Option<Vec<u64>> = digits.split('.').map(number).collect();
        let parts = parts.ok_or_else(wrong)?;
        if self.nested > 0 {
            return Ok(Err(Unreachable::Nested));
        }
        let octet = |number: u64| u8::try_from(number).ok();
        Ok(match (vendor, parts.as_slice()) {
            (Some(Vendor { shape: Shape::Other, .. }), _) => Err(Unreachable::Vendor),
            (Some(vendor), [kind]) => match octet(*kind) {
                Some(kind) => Ok(AttributeId::Vendor(vendor.number, kind)),
                None => Err(Unreachable::Number),
            },
            (None, [kind]) => match octet(*kind).filter(|kind| *kind != 0) {
                Some(kind) => Ok(AttributeId::Plain(kind)),
                None => Err(Unreachable::Number),
            },
            (None, [first @ 241..=246, second]) => match (octet(*first), octet(*second)) {
                (Some(first), Some(second)) => Ok(AttributeId::Extended(first, second)),
                _ => Err(Unreachable::Number),
            },
            _ => Err(Unreachable::Nested),
        })
    }

    /// `VALUE attribute name number`.
    fn value(&mut self, at: usize, words: &[&str]) -> Result<(), Problem> {
        let remedy = "Write it as `VALUE Attribute-Name Value-Name 1`.";
        let [attribute, name, digits] = words else {
            return Err(Problem::new("a VALUE has an attribute, a name and a number", remedy));
        };
        let number = number(digits)
            .ok_or_else(|| Problem::new(format!("{digits:?} is no number of a value"), "Give it as `1`, or `0x01`."))?;
        self.values.push((at, (*attribute).to_ascii_lowercase(), (*name).to_owned(), number));
        Ok(())
    }

    /// What can be told at the end: names of values, and what has not ended.
    fn close(mut self) {
        for (at, attribute, name, number) in std::mem::take(&mut self.values) {
            let index = self.dictionary.names.get(&attribute).copied();
            match index.and_then(|index| self.dictionary.attributes.get_mut(index)) {
                Some(found) => {
                    found.values.insert(name.to_ascii_lowercase(), number);
                    found.value_names.insert(number, name);
                }
                None if self.dictionary.unreachable.contains_key(&attribute) => {}
                None => {
                    let message = format!("{attribute:?} is no attribute of this dictionary or of those before it");
                    let problem = Problem::new(message, "Describe it with an ATTRIBUTE line.");
                    self.report.fault(self.document.finding(at, "", problem));
                }
            }
        }
        let end = self.document.text().len();
        if let Some((open, _)) = &self.vendor {
            let problem =
                Problem::new(format!("BEGIN-VENDOR {open} has not ended"), format!("End it: `END-VENDOR {open}`."));
            self.report.fault(self.document.finding(end, "", problem));
        }
        if self.nested > 0 {
            let problem = Problem::new("a BEGIN-TLV has not ended", "End it: `END-TLV`, with its name.");
            self.report.fault(self.document.finding(end, "", problem));
        }
    }
}

#[derive(Default)]
struct Flags {
    tag: bool,
    encrypt: Option<Encrypt>,
}

impl Flags {
    fn take(&mut self, flag: &str) -> Result<(), Problem> {
        match flag {
            "has_tag" => self.tag = true,
            "encrypt=1" | "encrypt=User-Password" => self.encrypt = Some(Encrypt::Password),
            "encrypt=2" | "encrypt=Tunnel-Password" => self.encrypt = Some(Encrypt::Salted),
            "encrypt=3" | "encrypt=Ascend-Secret" => self.encrypt = Some(Encrypt::Ascend),
            flag if IDLE_FLAGS.contains(&flag) => {}
            other => {
                let message = format!("{other:?} is no flag of an attribute");
                return Err(Problem::new(message, suggestion(other, &FLAGS)));
            }
        }
        Ok(())
    }
}

/// Types by their names, FreeRADIUS's of versions 3 and 4. Those that have no form of their own here are octets.
const KINDS: [(&str, Kind); 39] = [
    ("string", Kind::Text),
    ("text", Kind::Text),
    ("byte", Kind::Number(1)),
    ("uint8", Kind::Number(1)),
    ("short", Kind::Number(2)),
    ("uint16", Kind::Number(2)),
    ("integer", Kind::Number(4)),
    ("uint32", Kind::Number(4)),
    ("integer64", Kind::Number(8)),
    ("uint64", Kind::Number(8)),
    ("signed", Kind::Signed),
    ("int32", Kind::Signed),
    ("date", Kind::Date),
    ("time", Kind::Date),
    ("ipaddr", Kind::Ipv4),
    ("ipv4addr", Kind::Ipv4),
    ("ipv6addr", Kind::Ipv6),
    ("combo-ip", Kind::Address),
    ("ipv4prefix", Kind::Ipv4Prefix),
    ("ipv6prefix", Kind::Ipv6Prefix),
    ("ifid", Kind::InterfaceId),
    ("ether", Kind::Ethernet),
    ("octets", Kind::Octets),
    ("abinary", Kind::Octets),
    ("bool", Kind::Octets),
    ("evs", Kind::Octets),
    ("extended", Kind::Octets),
    ("float32", Kind::Octets),
    ("float64", Kind::Octets),
    ("group", Kind::Octets),
    ("int16", Kind::Octets),
    ("int64", Kind::Octets),
    ("int8", Kind::Octets),
    ("long-extended", Kind::Octets),
    ("struct", Kind::Octets),
    ("time_delta", Kind::Octets),
    ("tlv", Kind::Octets),
    ("union", Kind::Octets),
    ("vsa", Kind::Octets),
];

/// A number in digits, or in hexadecimal digits behind `0x`.
fn number(digits: &str) -> Option<u64> {
    match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+')),
        None => digits.parse().ok().filter(|_| !digits.starts_with('+')),
    }
}

/// Whether a vendor's format is one at all: `format=2,1`.
fn format_sound(text: &str) -> bool {
    let Some((kind, length)) = text.strip_prefix("format=").and_then(|text| text.split_once(',')) else { return false };
    matches!(kind, "1" | "2" | "4") && matches!(length, "0" | "1" | "2")
}

fn shown(id: AttributeId) -> String {
    match id {
        AttributeId::Plain(number) => format!("attribute {number}"),
        AttributeId::Vendor(vendor, kind) => format!("attribute {kind} of vendor {vendor}"),
        AttributeId::Extended(number, kind) => format!("attribute {number}.{kind}"),
    }
}
