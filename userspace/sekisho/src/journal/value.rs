//! The value of an attribute: from its octets, by what a dictionary says of it, to what exports show.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use sekisho_config::dictionary::{Attribute, Kind};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::{
    text::{hexadecimal, readable},
    when::Shown,
};

/// A value. Octets that are none of the attribute's type are [`Value::Octets`], so that nothing is lost or taken for something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text, hardware addresses and interface identifiers.
    Text(Cow<'a, str>),
    /// A number whose values have no names.
    Number(u64),
    /// A number that may be negative.
    Signed(i32),
    /// A number of those that a dictionary has names for, and its name, if it has one.
    Named(u64, Option<&'a str>),
    /// Seconds since 1970.
    Time(u32),
    /// An address.
    Address(IpAddr),
    /// An address and how many bits of it count.
    Prefix(IpAddr, u8),
    /// Octets of any kind.
    Octets(&'a [u8]),
    /// What nobody should see.
    Hidden,
}

impl<'a> Value<'a> {
    /// The value of an attribute that has these octets behind its Tag or whatever else [leads](Attribute::lead).
    pub fn of(attribute: &'a Attribute, octets: &'a [u8]) -> Value<'a> {
        match Value::decode(attribute.kind, octets) {
            Some(Value::Number(number)) => Value::number(attribute, number),
            Some(value) => value,
            None => Value::Octets(octets),
        }
    }

    /// The value of an attribute that has this number.
    pub fn number(attribute: &'a Attribute, number: u64) -> Value<'a> {
        match &attribute.value_names {
            names if names.is_empty() => Value::Number(number),
            names => Value::Named(number, names.get(&number).map(String::as_str)),
        }
    }

    /// `None`: the octets are none of this kind.
    fn decode(kind: Kind, octets: &'a [u8]) -> Option<Value<'a>> {
        Some(match kind {
            Kind::Text => Value::Text(readable(octets)),
            Kind::Octets => Value::Octets(octets),
            Kind::Number(length) if octets.len() == usize::from(length) => Value::Number(big_endian(octets)),
            Kind::Number(_) => return None,
            Kind::Signed => Value::Signed(i32::from_be_bytes(octets.try_into().ok()?)),
            Kind::Date => Value::Time(u32::from_be_bytes(octets.try_into().ok()?)),
            Kind::Ipv4 => Value::Address(ipv4(octets)?),
            Kind::Ipv6 => Value::Address(ipv6(octets)?),
            Kind::Address => Value::Address(ipv4(octets).or_else(|| ipv6(octets))?),
            Kind::Ipv4Prefix => {
                let [_, length @ ..=32, address @ ..] = octets else { return None };
                Value::Prefix(ipv4(address)?, *length)
            }
            Kind::Ipv6Prefix => {
                let [_, length @ ..=128, given @ ..] = octets else { return None };
                let mut address = [0; 16];
                address.get_mut(..given.len())?.copy_from_slice(given);
                Value::Prefix(Ipv6Addr::from(address).into(), *length)
            }
            Kind::InterfaceId => groups(octets, 4, 2)?,
            Kind::Ethernet => groups(octets, 6, 1)?,
        })
    }
}

/// As a cell of a table: text as it is, names in place of the numbers that have them.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            Value::Number(number) | Value::Named(number, None) => number.fmt(f),
            Value::Signed(number) => number.fmt(f),
            Value::Named(_, Some(name)) => f.write_str(name),
            Value::Time(seconds) => Shown::seconds(*seconds).fmt(f),
            Value::Address(address) => address.fmt(f),
            Value::Prefix(address, length) => write!(f, "{address}/{length}"),
            Value::Octets(octets) => f.write_str(&hexadecimal(octets)),
            Value::Hidden => f.write_str("(hidden)"),
        }
    }
}

/// Numbers as numbers, a number of an attribute with names for values as `{"value": 2, "name": "Stop"}`, all else as text.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Number(number) => serializer.serialize_u64(*number),
            Value::Signed(number) => serializer.serialize_i32(*number),
            Value::Named(number, name) => {
                let mut named = serializer.serialize_struct("Named", 2)?;
                named.serialize_field("value", number)?;
                named.serialize_field("name", name)?;
                named.end()
            }
            Value::Text(text) => serializer.serialize_str(text),
            other => serializer.collect_str(other),
        }
    }
}

/// Of 8 octets at most.
fn big_endian(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

fn ipv4(octets: &[u8]) -> Option<IpAddr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?).into())
}

fn ipv6(octets: &[u8]) -> Option<IpAddr> {
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).into())
}

/// So many groups of hexadecimal digits, of `size` octets each, between colons.
fn groups<'a>(octets: &[u8], count: usize, size: usize) -> Option<Value<'a>> {
    (octets.len() == count * size).then(|| {
        let group = |group: &[u8]| hexadecimal(group).split_off(2);
        Value::Text(octets.chunks(size).map(group).collect::<Vec<_>>().join(":").into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shown(kind: Kind, octets: &[u8]) -> String {
        Value::decode(kind, octets).map_or_else(|| "none".to_owned(), |value| value.to_string())
    }

    #[test]
    fn values_are_shown_by_their_type() {
        assert_eq!(shown(Kind::Number(1), &[7]), "7");
        assert_eq!(shown(Kind::Number(8), &[0xff; 8]), u64::MAX.to_string());
        assert_eq!(shown(Kind::Signed, &[0xff; 4]), "-1");
        assert_eq!(shown(Kind::Date, &1_700_000_000_u32.to_be_bytes()), "2023-11-14T22:13:20.000Z");
        assert_eq!(shown(Kind::Ipv4, &[192, 0, 2, 1]), "192.0.2.1");
        assert_eq!(shown(Kind::Address, &[192, 0, 2, 1]), "192.0.2.1");
        assert_eq!(shown(Kind::Ipv4Prefix, &[0, 24, 192, 0, 2, 0]), "192.0.2.0/24");
        assert_eq!(shown(Kind::Ipv6Prefix, &[0, 32, 0x20, 1, 0xd, 0xb8]), "2001:db8::/32");
        assert_eq!(shown(Kind::InterfaceId, &[0, 0, 0, 0, 0, 0, 0, 1]), "0000:0000:0000:0001");
        assert_eq!(shown(Kind::Ethernet, &[0, 0, 0x5e, 0, 0x53, 1]), "00:00:5e:00:53:01");
        assert_eq!(shown(Kind::Text, b"al\xffice"), "al\\xffice");
        assert_eq!(shown(Kind::Octets, &[]), "0x");
    }

    #[test]
    fn octets_that_are_none_of_the_type_are_not_made_to_fit() {
        let kinds = [Kind::Number(4), Kind::Signed, Kind::Date, Kind::Ipv4, Kind::Ipv6, Kind::Address];
        for kind in kinds.into_iter().chain([Kind::InterfaceId, Kind::Ethernet, Kind::Ipv4Prefix, Kind::Ipv6Prefix]) {
            assert_eq!(shown(kind, &[]), "none", "{kind:?}");
            assert_eq!(shown(kind, &[1; 3]), if kind == Kind::Ipv6Prefix { "100::/1" } else { "none" }, "{kind:?}");
            assert_eq!(shown(kind, &[1; 19]), "none", "{kind:?}");
        }
        assert_eq!(shown(Kind::Ipv4Prefix, &[0, 33, 192, 0, 2, 0]), "none");
        assert_eq!(shown(Kind::Ipv6Prefix, &[0, 129]), "none");
    }

    #[test]
    fn a_program_gets_numbers_as_numbers_and_one_form_for_each_attribute() {
        let json = |value| serde_json::to_string(&value).unwrap();
        assert_eq!(json(Value::Number(5)), "5");
        assert_eq!(json(Value::Signed(-5)), "-5");
        assert_eq!(json(Value::Named(2, Some("Stop"))), r#"{"value":2,"name":"Stop"}"#);
        assert_eq!(json(Value::Named(99, None)), r#"{"value":99,"name":null}"#);
        assert_eq!(json(Value::Octets(&[0, 0xff])), r#""0x00ff""#);
        assert_eq!(json(Value::Hidden), r#""(hidden)""#);
    }
}
