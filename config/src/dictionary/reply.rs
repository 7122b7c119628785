//! Attributes of Accepts that are made here, as they stand in a packet.

use sekisho_wire::{attr, select::AttributeId};

use super::{Attribute, Dictionary, Kind, Raw, encode};
use crate::{
    finding::Problem,
    read::reply::{no_tunnel, of_accepts},
};

impl Dictionary {
    /// An attribute of an Accept by its name and its value in text, as it stands in a packet: type, length and value; a
    /// vendor's within Vendor-Specific (RFC 2865 §5.26), an extended one with its extended type (RFC 6929 §2). A number is
    /// written in digits or by the name of a value; the rest as `docs/dictionaries.md` says.
    ///
    /// # Errors
    ///
    /// The name is no attribute's, or of one that no Accept may be given: hidden, needed by the protocol itself, or a
    /// tunnel's; or the text is no value of it.
    pub fn encode(&self, name: &str, text: &str) -> Result<Vec<u8>, Problem> {
        let attribute = of_accepts(self, name)?;
        let value = encode(attribute, raw(attribute, text))?;
        no_tunnel(attribute, &value)?;
        framed(attribute, &value)
    }
}

/// A number where one is meant: there is no other way to write it than as text.
fn raw<'a>(attribute: &Attribute, text: &'a str) -> Raw<'a> {
    let digits = matches!(attribute.kind, Kind::Number(_) | Kind::Signed | Kind::Date);
    match text.parse::<i64>() {
        Ok(number) if digits => Raw::Number(number),
        _ => Raw::Text(text),
    }
}

/// The value with what stands before it in a packet.
fn framed(attribute: &Attribute, value: &[u8]) -> Result<Vec<u8>, Problem> {
    let octet = |length: usize| {
        u8::try_from(length).map_err(|_| Problem::new(format!("has {length} octets"), "There is room for 255."))
    };
    let (number, mut body) = match attribute.id {
        AttributeId::Plain(number) => (number, Vec::new()),
        AttributeId::Vendor(vendor, kind) => {
            let mut body = vendor.to_be_bytes().to_vec();
            body.extend([kind, octet(value.len() + 2)?]);
            (attr::VENDOR_SPECIFIC, body)
        }
        // The long forms have an octet of flags (RFC 6929 §2.2); a value has room in one of them.
        AttributeId::Extended(number @ 245.., kind) => (number, vec![kind, 0]),
        AttributeId::Extended(number, kind) => (number, vec![kind]),
    };
    body.extend(value);
    let mut whole = vec![number, octet(body.len() + 2)?];
    whole.extend(body);
    Ok(whole)
}
