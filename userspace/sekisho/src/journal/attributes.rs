//! The attributes of a packet, each with the name that the dictionaries have for it.

use std::{borrow::Cow, sync::Arc};

use sekisho_config::dictionary::{Attribute, Dictionary, Kind, Lead};
use sekisho_wire::{
    attr,
    attribute::attributes,
    policy::is_hidden,
    salted::Salted,
    select::AttributeId,
    tunnel::MAX_TAG,
    vendor::{sub_attributes, vendor},
};

use super::value::Value;

/// How attributes are called, and which of them are hidden.
#[derive(Debug)]
pub struct Names {
    dictionary: Arc<Dictionary>,
    salted: Salted,
}

impl Names {
    /// Those of a dictionary.
    pub fn new(dictionary: Arc<Dictionary>) -> Names {
        let salted = Salted::new(dictionary.salted()).behind_an_octet(dictionary.salted_behind_an_octet());
        Names { dictionary, salted }
    }

    /// Gives every attribute of a packet to `take`, in its order. What no dictionary knows is called `Attr-250`, `Attr-241.9` or
    /// `Vendor-9-Attr-1`; a vendor's octets that are no attributes, `Vendor-9`. Where there is a Tag, it stands behind
    /// the name: `Tunnel-Type:1`.
    pub fn each<'a>(&'a self, packet: &'a [u8], mut take: impl FnMut(Cow<'a, str>, Value<'a>)) {
        for found in attributes(packet) {
            let (number, value) = (found.number, found.value);
            match number {
                attr::VENDOR_SPECIFIC => self.vendors(value, &mut take),
                attr::EXTENDED_1..=attr::EXTENDED_6 => {
                    let flags = usize::from(number >= attr::EXTENDED_5);
                    match (value.first(), value.get(1 + flags..)) {
                        (Some(kind), Some(value)) => self.one(AttributeId::Extended(number, *kind), value, &mut take),
                        _ => take(format!("Attr-{number}").into(), Value::Octets(value)),
                    }
                }
                _ => self.one(AttributeId::Plain(number), value, &mut take),
            }
        }
    }

    /// The first attribute of this number in a packet.
    pub fn first<'a>(&'a self, packet: &'a [u8], id: AttributeId) -> Option<Value<'a>> {
        let octets = id.find(packet)?;
        Some(match self.dictionary.attribute(id) {
            Some(attribute) => self.value(attribute, octets).1,
            None => Value::Octets(octets),
        })
    }

    fn vendors<'a>(&'a self, value: &'a [u8], take: &mut impl FnMut(Cow<'a, str>, Value<'a>)) {
        match (vendor(value), sub_attributes(value)) {
            (Some(vendor), Some(found)) => {
                found.for_each(|(kind, _, value)| self.one(AttributeId::Vendor(vendor, kind), value, take));
            }
            (Some(vendor), None) => {
                take(format!("Vendor-{vendor}").into(), Value::Octets(value.get(4..).unwrap_or_default()));
            }
            (None, _) => take("Vendor-Specific".into(), Value::Octets(value)),
        }
    }

    fn one<'a>(&'a self, id: AttributeId, octets: &'a [u8], take: &mut impl FnMut(Cow<'a, str>, Value<'a>)) {
        let Some(attribute) = self.dictionary.attribute(id) else {
            let name = match id {
                AttributeId::Plain(number) => format!("Attr-{number}"),
                AttributeId::Vendor(vendor, kind) => format!("Vendor-{vendor}-Attr-{kind}"),
                AttributeId::Extended(number, kind) => format!("Attr-{number}.{kind}"),
            };
            return take(name.into(), Value::Octets(octets));
        };
        let (tag, value) = self.value(attribute, octets);
        match tag {
            0 => take(attribute.name.as_str().into(), value),
            tag => take(format!("{}:{tag}", attribute.name).into(), value),
        }
    }

    /// The value and its Tag; 0 is none.
    fn value<'a>(&'a self, attribute: &'a Attribute, octets: &'a [u8]) -> (u8, Value<'a>) {
        let (tag, shown) = match (attribute.lead, attribute.kind, octets) {
            // RFC 2868 §3.1: the Tag has the place of the first octet, and is to be ignored where it is none.
            (Lead::Tag, Kind::Number(4), [tag, rest @ ..]) if let [a, b, c] = *rest => {
                (*tag, Value::number(attribute, u32::from_be_bytes([0, a, b, c]).into()))
            }
            (Lead::Tag, Kind::Number(_), _) => (0, Value::of(attribute, octets)),
            // §3.3: an octet above 0x1f is the first one of the value.
            (Lead::Tag, _, [tag @ ..=MAX_TAG, rest @ ..]) => (*tag, Value::of(attribute, rest)),
            (Lead::Continuation, _, [_, rest @ ..]) => (0, Value::of(attribute, rest)),
            _ => (0, Value::of(attribute, octets)),
        };
        let is_hidden = attribute.encrypt.is_some() || is_hidden(attribute.id, &self.salted);
        (if tag > MAX_TAG { 0 } else { tag }, if is_hidden { Value::Hidden } else { shown })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::journal::testing::packet;

    /// Names and values of these attributes, one `Name = value` each.
    fn shown(names: &Names, attributes: &[(u8, &[u8])]) -> Vec<String> {
        let mut shown = Vec::new();
        names.each(&packet(attributes), |name, value| shown.push(format!("{name} = {value}")));
        shown
    }

    fn built_in(number: u8, value: &[u8]) -> String {
        shown(&Names::new(Arc::new(Dictionary::built_in())), &[(number, value)]).concat()
    }

    #[test]
    fn an_attribute_has_its_name_and_its_values_name() {
        assert_eq!(built_in(1, b"alice@acme.example"), "User-Name = alice@acme.example");
        assert_eq!(built_in(40, &[0, 0, 0, 3]), "Acct-Status-Type = Interim-Update");
        assert_eq!(built_in(40, &[0, 0, 0, 99]), "Acct-Status-Type = 99");
        assert_eq!(built_in(40, &[1]), "Acct-Status-Type = 0x01");
        assert_eq!(built_in(26, &[0, 0, 0x28, 0xaf, 1, 5, b'4', b'4', b'0']), "3GPP-IMSI = 440");
    }

    #[test]
    fn what_no_dictionary_knows_is_called_by_its_numbers() {
        assert_eq!(built_in(250, &[1, 2]), "Attr-250 = 0x0102");
        assert_eq!(built_in(241, &[200, 7]), "Attr-241.200 = 0x07");
        assert_eq!(built_in(245, &[200, 0x80, 7]), "Attr-245.200 = 0x07");
        assert_eq!(built_in(245, &[200]), "Attr-245 = 0xc8");
        assert_eq!(built_in(26, &[0, 0, 0x7e, 0xd9, 1, 3, 7]), "Vendor-32473-Attr-1 = 0x07");
        assert_eq!(built_in(26, &[0, 0, 0, 9, 250, 9, 7]), "Vendor-9 = 0xfa0907");
        assert_eq!(built_in(26, &[0, 0]), "Vendor-Specific = 0x0000");
    }

    #[test]
    fn several_of_a_vendor_in_one_attribute_are_told_apart() {
        let names = Names::new(Arc::new(Dictionary::built_in()));
        let value = [&[0, 0, 0, 9, 1, 5][..], b"a=b", &[1, 5], b"c=d"].concat();
        assert_eq!(shown(&names, &[(26, &value)]), ["Cisco-AVPair = a=b", "Cisco-AVPair = c=d"]);
    }

    #[test]
    fn a_tag_stands_behind_the_name() {
        assert_eq!(built_in(64, &[0, 0, 0, 3]), "Tunnel-Type = L2TP");
        assert_eq!(built_in(64, &[1, 0, 0, 3]), "Tunnel-Type:1 = L2TP");
        assert_eq!(built_in(64, &[0x20, 0, 0, 3]), "Tunnel-Type = L2TP", "that is none");
        assert_eq!(built_in(67, b"\x01192.0.2.1"), "Tunnel-Server-Endpoint:1 = 192.0.2.1");
        assert_eq!(built_in(67, b"192.0.2.1"), "Tunnel-Server-Endpoint = 192.0.2.1");
    }

    #[test]
    fn what_is_encrypted_is_not_shown() {
        assert_eq!(built_in(69, &[1, 0x80, 1, 2, 3]), "Tunnel-Password:1 = (hidden)");
        assert_eq!(built_in(2, &[7; 16]), "User-Password = (hidden)");
        assert_eq!(built_in(3, &[7; 17]), "CHAP-Password = (hidden)");
        assert_eq!(built_in(26, &[0, 0, 1, 55, 16, 5, 0x80, 2, 3]), "MS-MPPE-Send-Key = (hidden)");
    }

    #[test]
    fn an_operators_dictionary_names_and_hides_too() {
        let text = "VENDOR Example 32473\nBEGIN-VENDOR Example\nATTRIBUTE Example-Plan 1 integer\n\
                    VALUE Example-Plan Gold 1\nATTRIBUTE Example-Key 2 octets encrypt=2\nEND-VENDOR Example\n";
        let (dictionary, _) = Dictionary::parse(Path::new("my.dictionary"), text).unwrap();
        let names = Names::new(Arc::new(dictionary));
        let value = [0, 0, 0x7e, 0xd9, 1, 6, 0, 0, 0, 1, 2, 4, 0x80, 9];
        assert_eq!(shown(&names, &[(26, &value)]), ["Example-Plan = Gold", "Example-Key = (hidden)"]);
    }
}
