//! From a value as a document writes it to its octets.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use sekisho_wire::select::AttributeId;

use super::{Attribute, Kind, Lead};
use crate::{finding::Problem, value::nearest};

/// A value as a document writes it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw<'a> {
    /// In quotes.
    Text(&'a str),
    /// In digits.
    Number(i64),
}

/// The most octets that a value of an attribute can have.
const fn longest(attribute: &Attribute) -> usize {
    match (attribute.id, attribute.lead) {
        (AttributeId::Plain(_), _) => 253,
        (AttributeId::Vendor(..), _) => 247,
        // The long forms have an octet of flags (RFC 6929 §2.2).
        (AttributeId::Extended(245.., _), _) => 251,
        (AttributeId::Extended(..), _) => 252,
    }
}

/// The octets of a value, with what stands before it.
pub(crate) fn encode(attribute: &Attribute, raw: Raw<'_>) -> Result<Box<[u8]>, Problem> {
    let mut octets = value(attribute, raw)?;
    match (attribute.lead, attribute.kind) {
        (Lead::Nothing, _) => {}
        (Lead::Continuation, _) => octets.insert(0, 0),
        // RFC 2868 §3.1: the Tag takes the place of the first octet; 0 is none.
        (Lead::Tag, Kind::Number(4)) => match octets.first_mut() {
            Some(first) if *first == 0 => {}
            _ => return Err(Problem::new("is out of bounds", "Beside its Tag there is room for 0 to 16777215.")),
        },
        // RFC 2868 §3.3: an octet above 0x1f is text already.
        (Lead::Tag, Kind::Text) if octets.first().is_some_and(|first| *first > 0x1f) => {}
        (Lead::Tag, _) => octets.insert(0, 0),
    }
    let most = longest(attribute);
    if octets.len() > most {
        let message = format!("has {} octets", octets.len());
        return Err(Problem::new(message, format!("There is room for {most}.")));
    }
    Ok(octets.into())
}

fn value(attribute: &Attribute, raw: Raw<'_>) -> Result<Vec<u8>, Problem> {
    match (attribute.kind, raw) {
        (Kind::Number(octets), raw) => {
            let most = u64::MAX >> (64 - 8 * u32::from(octets));
            let number = counted(attribute, raw, most)?;
            Ok(number.to_be_bytes().into_iter().skip(8 - usize::from(octets)).collect())
        }
        (Kind::Date, Raw::Number(seconds)) => match u32::try_from(seconds) {
            Ok(seconds) => Ok(seconds.to_be_bytes().into()),
            Err(_) => Err(Problem::new(format!("{seconds} is out of bounds"), "Give seconds since 1970.")),
        },
        (Kind::Date, Raw::Text(_)) => {
            Err(Problem::new("should be a time in seconds since 1970", "Write it in digits, without quotes."))
        }
        (Kind::Signed, Raw::Number(number)) => match i32::try_from(number) {
            Ok(number) => Ok(number.to_be_bytes().into()),
            Err(_) => {
                let remedy = "Give a number from -2147483648 to 2147483647.";
                Err(Problem::new(format!("{number} is out of bounds"), remedy))
            }
        },
        (Kind::Signed, Raw::Text(_)) => {
            Err(Problem::new("should be a whole number", "Write it in digits, without quotes."))
        }
        (_, Raw::Number(_)) => {
            let message = format!("should be {}, but is a whole number", described(attribute.kind));
            Err(Problem::new(message, "Write it in double quotes."))
        }
        (kind, Raw::Text(text)) => spelled(kind, text),
    }
}

/// A number by its digits or by its name.
fn counted(attribute: &Attribute, raw: Raw<'_>, most: u64) -> Result<u64, Problem> {
    let text = match raw {
        Raw::Number(number) => {
            let inside = u64::try_from(number).ok().filter(|number| *number <= most);
            return inside.ok_or_else(|| {
                Problem::new(format!("{number} is out of bounds"), format!("Give a number from 0 to {most}."))
            });
        }
        Raw::Text(text) => text,
    };
    if let Some(number) = attribute.values.get(&text.to_ascii_lowercase()) {
        return Ok(*number);
    }
    let message = format!("{text:?} is no value of {}", attribute.name);
    let remedy = match nearest(&text.to_ascii_lowercase(), attribute.values.keys().map(String::as_str)) {
        Some(near) => format!("Did you mean {near:?}?"),
        None => "Give its number, in digits without quotes, or a name that a dictionary has for it.".to_owned(),
    };
    Err(Problem::new(message, remedy))
}

/// A value that is written in quotes.
fn spelled(kind: Kind, text: &str) -> Result<Vec<u8>, Problem> {
    let wrong = |example: &str| {
        Problem::new(format!("{text:?} is not {}", described(kind)), format!("Give it as {example:?}."))
    };
    match kind {
        Kind::Text if text.is_empty() => Err(Problem::new("is empty", "Give at least one octet, or take it out.")),
        Kind::Text => Ok(text.as_bytes().to_vec()),
        Kind::Ipv4 => parse::<Ipv4Addr>(text).map(|it| it.octets().into()).ok_or_else(|| wrong("192.0.2.1")),
        Kind::Ipv6 => parse::<Ipv6Addr>(text).map(|it| it.octets().into()).ok_or_else(|| wrong("2001:db8::1")),
        Kind::Address => match parse::<IpAddr>(text) {
            Some(IpAddr::V4(v4)) => Ok(v4.octets().into()),
            Some(IpAddr::V6(v6)) => Ok(v6.octets().into()),
            None => Err(wrong("192.0.2.1")),
        },
        Kind::Ipv4Prefix => prefix::<Ipv4Addr>(text, 32)
            .map(|(address, length)| [&[0, length][..], &address.octets()].concat())
            .ok_or_else(|| wrong("192.0.2.0/24")),
        Kind::Ipv6Prefix => prefix::<Ipv6Addr>(text, 128)
            .map(|(address, length)| {
                let octets = address.octets();
                [&[0, length][..], octets.get(..usize::from(length.div_ceil(8))).unwrap_or(&octets)].concat()
            })
            .ok_or_else(|| wrong("2001:db8::/32")),
        Kind::InterfaceId => groups(text, 4, 4).ok_or_else(|| wrong("0000:0000:0000:0001")),
        Kind::Ethernet => groups(text, 6, 2).ok_or_else(|| wrong("00:00:5e:00:53:01")),
        _ => hexadecimal(text).ok_or_else(|| wrong("0x00ff")),
    }
}

fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// An address with a prefix length, no bit of the host set.
fn prefix<T: FromStr + Into<IpAddr> + Copy>(text: &str, bits: u8) -> Option<(T, u8)> {
    let (address, length) = text.split_once('/')?;
    let (address, length) = (address.parse::<T>().ok()?, length.parse::<u8>().ok()?);
    let host: u128 = match address.into() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let room = u32::from(bits.checked_sub(length)?);
    let mask = 1_u128.checked_shl(room).map_or(u128::MAX, |above| above - 1);
    (host & mask == 0).then_some((address, length))
}

/// Groups of hexadecimal digits between colons, each of `digits` or fewer.
fn groups(text: &str, count: usize, digits: usize) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    for group in text.split(':') {
        if group.is_empty() || group.len() > digits {
            return None;
        }
        octets.extend(hexadecimal(&format!("0x{group:0>digits$}"))?);
    }
    (octets.len() == count * digits / 2).then_some(octets)
}

/// Octets in hexadecimal digits behind `0x`, at least one.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let octets: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    octets.filter(|octets| !octets.is_empty())
}

/// A kind of value in words.
const fn described(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Octets => "octets",
        Kind::Number(_) => "a whole number or the name of a value",
        Kind::Signed => "a whole number",
        Kind::Date => "a time in seconds since 1970",
        Kind::Ipv4 => "an IPv4 address",
        Kind::Ipv6 => "an IPv6 address",
        Kind::Address => "an IP address",
        Kind::Ipv4Prefix => "an IPv4 prefix without bits of a host",
        Kind::Ipv6Prefix => "an IPv6 prefix without bits of a host",
        Kind::InterfaceId => "an interface identifier",
        Kind::Ethernet => "a hardware address",
    }
}
