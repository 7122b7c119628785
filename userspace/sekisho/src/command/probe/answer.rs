//! The attributes of an answer, for people; decoded by the `radius` crate.

use std::fmt::Write as _;

use radius::core::avp::AVP;
use sekisho_config::dictionary::Dictionary;
use sekisho_wire::{attr, attribute::attributes, salted::Salted};

use super::request::is_plumbing;

/// One line for each attribute that says something, in the order of the packet.
pub(super) fn describe(packet: &[u8]) -> String {
    let mut text = String::new();
    for found in attributes(packet).filter(|found| !is_plumbing(found.number)) {
        let name = attr::name(found.number).map_or_else(|| format!("attribute {}", found.number), str::to_owned);
        // Writing to a String does not fail.
        let _ = match (found.number, vendor(found.value)) {
            (attr::VENDOR_SPECIFIC, Some(value)) => writeln!(text, "  {name} {value}"),
            _ => writeln!(text, "  {name} = {}", value(found.number, found.value)),
        };
    }
    text
}

/// The first value of this attribute, as a number.
pub(super) fn number(packet: &[u8], number: u8) -> Option<u32> {
    let found = attributes(packet).find(|found| found.number == number)?;
    AVP::from_bytes(number, found.value).encode_u32().ok()
}

fn value(number: u8, octets: &[u8]) -> String {
    let avp = AVP::from_bytes(number, octets);
    let decoded = match number {
        attr::TUNNEL_PASSWORD => Some(format!("({} octets, hidden)", octets.len())),
        attr::NAS_IP_ADDRESS | attr::FRAMED_IP_ADDRESS | attr::FRAMED_IP_NETMASK => {
            avp.encode_ipv4().ok().map(|address| address.to_string())
        }
        attr::NAS_IPV6_ADDRESS => avp.encode_ipv6().ok().map(|address| address.to_string()),
        attr::TUNNEL_TYPE | attr::TUNNEL_MEDIUM_TYPE | attr::TUNNEL_PREFERENCE => {
            avp.encode_tagged_u32().ok().map(|(value, _)| value.to_string())
        }
        attr::TUNNEL_CLIENT_ENDPOINT
        | attr::TUNNEL_SERVER_ENDPOINT
        | attr::TUNNEL_PRIVATE_GROUP_ID
        | attr::TUNNEL_ASSIGNMENT_ID
        | attr::TUNNEL_CLIENT_AUTH_ID
        | attr::TUNNEL_SERVER_AUTH_ID => avp.encode_tagged_string().ok().map(|(value, _)| quoted(&value)),
        attr::SERVICE_TYPE
        | attr::FRAMED_PROTOCOL
        | attr::FRAMED_MTU
        | attr::SESSION_TIMEOUT
        | attr::IDLE_TIMEOUT
        | attr::ACCT_INTERIM_INTERVAL
        | attr::ERROR_CAUSE => avp.encode_u32().ok().map(|value| named(number, value)),
        attr::USER_NAME | attr::REPLY_MESSAGE | attr::FILTER_ID | attr::FRAMED_ROUTE | attr::FRAMED_POOL => {
            avp.encode_string().ok().map(|value| quoted(&value))
        }
        _ => None,
    };
    decoded.unwrap_or_else(|| hex(octets))
}

/// A number with the name that it has, if any: `502 (proxy-request-not-routable)`.
fn named(number: u8, value: u32) -> String {
    let dictionary = Dictionary::built_in();
    let attribute = attr::name(number).and_then(|name| dictionary.find(name));
    let name = attribute.and_then(|attribute| attribute.values.iter().find(|(_, named)| **named == u64::from(value)));
    name.map_or_else(|| value.to_string(), |(name, _)| format!("{value} ({name})"))
}

/// `311/16 = 0x…`: vendor, type of the first sub-attribute, its value. Keys are hidden.
fn vendor(octets: &[u8]) -> Option<String> {
    let (vendor, sub) = octets.split_first_chunk::<4>()?;
    let (vendor, [kind, _, value @ ..]) = (u32::from_be_bytes(*vendor), sub) else { return None };
    let value = if Salted::default().contains(vendor, *kind) {
        format!("({} octets, hidden)", value.len())
    } else {
        hex(value)
    };
    Some(format!("{vendor}/{kind} = {value}"))
}

/// Quoted, with control characters escaped: what a server sends must not drive the terminal.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold("0x".to_owned(), |text, octet| text + &format!("{octet:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(value(attr::REPLY_MESSAGE, b"hi\x1b[2J\r\n"), r#""hi\u{1b}[2J\r\n""#);
    }

    #[test]
    fn values_are_decoded_by_their_type_and_others_shown_as_they_are() {
        assert_eq!(value(attr::FRAMED_IP_ADDRESS, &[192, 0, 2, 1]), "192.0.2.1");
        assert_eq!(value(attr::SESSION_TIMEOUT, &[0, 0, 1, 0]), "256");
        assert_eq!(value(attr::SESSION_TIMEOUT, &[1]), "0x01");
        assert_eq!(value(attr::ERROR_CAUSE, &[0, 0, 1, 151]), "407 (invalid-attribute-value)");
        assert_eq!(value(attr::ERROR_CAUSE, &[0, 0, 0, 9]), "9");
        assert_eq!(value(attr::CLASS, &[0xab, 0xcd]), "0xabcd");
    }

    #[test]
    fn keys_are_not_shown() {
        assert!(!value(attr::TUNNEL_PASSWORD, &[1, 0x80, 1, 2, 3]).contains("0203"));
        assert_eq!(vendor(&[0, 0, 1, 55, 16, 5, 0x80, 2, 3]).unwrap(), "311/16 = (3 octets, hidden)");
        assert_eq!(vendor(&[0, 0, 0, 9, 1, 3, 0x41]).unwrap(), "9/1 = 0x41");
    }
}
