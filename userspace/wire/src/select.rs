//! Naming an attribute: by its number, by vendor and vendor type, or by an extended type (RFC 6929); and finding it.

use crate::attr;
use crate::attribute::attributes;
use crate::vendor::{sub_attributes, vendor};

/// Which attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttributeId {
    /// A number of the IANA registry "Radius Attribute Types".
    Plain(u8),
    /// A sub-attribute of Vendor-Specific (RFC 2865 §5.26): vendor, vendor type.
    Vendor(u32, u8),
    /// An extended attribute (RFC 6929 §2.1): 241 to 246, extended type.
    Extended(u8, u8),
}

impl AttributeId {
    /// The value of the first such attribute of a well-formed packet.
    pub fn find<'a>(&self, packet: &'a [u8]) -> Option<&'a [u8]> {
        let mut all = attributes(packet);
        match *self {
            AttributeId::Plain(number) => all.find(|it| it.number == number).map(|it| it.value),
            AttributeId::Vendor(wanted, kind) => all
                .filter(|it| it.number == attr::VENDOR_SPECIFIC && vendor(it.value) == Some(wanted))
                .find_map(|it| sub_attributes(it.value)?.find(|sub| sub.0 == kind).map(|sub| sub.2)),
            AttributeId::Extended(number, kind) => all
                .filter(|it| it.number == number && it.value.first() == Some(&kind))
                // The long forms (245, 246) have an octet of flags before the value.
                .find_map(|it| it.value.get(if number >= 245 { 2 } else { 1 }..)),
        }
    }
}
