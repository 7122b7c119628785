//! The tunnels of an Accept as a LAC reads them (RFC 2868), by other code than sekisho's.

use std::collections::{BTreeMap, HashSet};

use md5::{Digest, Md5};
use sekisho_wire::attribute::attributes;

/// One alternative: the attributes that carry the same Tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tunnel {
    /// The Tag; 0 where the attributes have none.
    pub tag: u8,
    /// Tunnel-Preference: the lowest goes first.
    pub preference: Option<u32>,
    /// Tunnel-Medium-Type: 1 IPv4, 2 IPv6.
    pub medium: u32,
    /// Tunnel-Server-Endpoint.
    pub server: String,
    /// Tunnel-Client-Endpoint.
    pub client: Option<String>,
    /// Tunnel-Password in clear.
    pub password: Option<String>,
    /// The salt that it was hidden with.
    pub salt: Option<u16>,
    /// Tunnel-Assignment-ID.
    pub assignment: Option<String>,
    /// Tunnel-Private-Group-ID.
    pub group: Option<String>,
    /// Tunnel-Client-Auth-ID.
    pub client_auth: Option<String>,
    /// Tunnel-Server-Auth-ID.
    pub server_auth: Option<String>,
    kind: u32,
}

/// The tunnels of an Accept to `request`, the most preferred first. What no LAC could use fails the test: a set without an
/// endpoint, of another kind than L2TP, salts that are used twice, equal preferences.
#[track_caller]
pub fn tunnels(accept: &[u8], request: &[u8], secret: &str) -> Vec<Tunnel> {
    let mut sets: BTreeMap<u8, Tunnel> = BTreeMap::new();
    for attribute in attributes(accept) {
        let Some((tag, value)) = tagged(attribute.number, attribute.value) else { continue };
        let set = sets.entry(tag).or_insert_with(|| Tunnel { tag, ..Tunnel::default() });
        match attribute.number {
            64 => set.kind = number(value),
            65 => set.medium = number(value),
            66 => set.client = Some(text(value)),
            67 => set.server = text(value),
            69 => {
                let (salt, password) = unhidden(value, secret, &request[4..20]);
                (set.salt, set.password) = (Some(salt), Some(password));
            }
            81 => set.group = Some(text(value)),
            82 => set.assignment = Some(text(value)),
            83 => set.preference = Some(number(value)),
            90 => set.client_auth = Some(text(value)),
            _ => set.server_auth = Some(text(value)),
        }
    }
    let mut sets: Vec<Tunnel> = sets.into_values().collect();
    for set in &sets {
        assert!(
            set.kind == 3 && !set.server.is_empty() && set.medium != 0,
            "no tunnel that a LAC could build: {set:?}"
        );
    }
    let salts: Vec<u16> = sets.iter().filter_map(|set| set.salt).collect();
    assert!(salts.iter().all(|salt| salt & 0x8000 != 0), "the top bit of a salt is set: {salts:x?}");
    assert_eq!(salts.iter().collect::<HashSet<_>>().len(), salts.len(), "salts are unique: {salts:x?}");
    sets.sort_by_key(|set| set.preference);
    assert!(sets.windows(2).all(|pair| pair[0].preference < pair[1].preference), "which goes first? {sets:?}");
    sets
}

/// Tag and value of a tunnel attribute. A number and a password always have an octet for the Tag; of a text it is one only
/// where it cannot be the text's own (RFC 2868 §3.3).
fn tagged(attribute: u8, value: &[u8]) -> Option<(u8, &[u8])> {
    let (first, rest) = value.split_first()?;
    match attribute {
        64 | 65 | 69 | 83 => Some((*first, rest)),
        66 | 67 | 81 | 82 | 90 | 91 if *first <= 0x1f => Some((*first, rest)),
        66 | 67 | 81 | 82 | 90 | 91 => Some((0, value)),
        _ => None,
    }
}

fn number(value: &[u8]) -> u32 {
    assert_eq!(value.len(), 3, "a number of three octets: {value:02x?}");
    value.iter().fold(0, |number, octet| number << 8 | u32::from(*octet))
}

fn text(value: &[u8]) -> String {
    String::from_utf8(value.to_vec()).expect("a text")
}

/// Salt and clear text of a Tunnel-Password behind its Tag (RFC 2868 §3.5).
fn unhidden(value: &[u8], secret: &str, authenticator: &[u8]) -> (u16, String) {
    let (salt, hidden) = value.split_at(2);
    assert!(!hidden.is_empty() && hidden.len() % 16 == 0, "whole blocks: {value:02x?}");
    let mut clear = Vec::new();
    let mut before = [authenticator, salt].concat();
    for block in hidden.chunks(16) {
        let pad = Md5::new().chain_update(secret).chain_update(&before).finalize();
        clear.extend(block.iter().zip(pad).map(|(octet, pad)| octet ^ pad));
        before = block.to_vec();
    }
    let (password, padding) = clear[1..].split_at(usize::from(clear[0]));
    assert!(padding.iter().all(|octet| *octet == 0), "padding of zeros");
    (u16::from_be_bytes([salt[0], salt[1]]), text(password))
}
