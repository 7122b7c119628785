//! What the shapes are drawn with: a number decides everything about a packet, so a failure names its packet.

use sekisho_wire::build::{salted_field, vendor_value};

use crate::common::{RA_UP, home};

/// One attribute as its sender means it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attr {
    /// Octets that nobody on the way may touch.
    Plain(u8, Vec<u8>),
    /// A User-Password, in plain text.
    Password(Vec<u8>),
    /// A CHAP-Password whose challenge is the Request Authenticator: the CHAP identifier and the password.
    Chap(u8, Vec<u8>),
    /// A Message-Authenticator, made anew on each hop.
    Signature,
    /// A Tunnel-Password in plain text, with its tag.
    TunnelPassword(u8, Vec<u8>),
    /// A Vendor-Specific of Microsoft with Send- and Recv-Key in plain text, as one or as two attributes.
    Keys([Vec<u8>; 2], bool),
}

/// A request and what the home server answers.
#[derive(Debug)]
pub struct Exchange {
    pub code: u8,
    pub request: Vec<Attr>,
    pub answer: u8,
    pub reply: Vec<Attr>,
}

/// SplitMix64: small, and the same on every machine.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `n` - 1.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn octets(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    pub fn digits(&mut self, len: usize) -> String {
        (0..len).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn mac(&mut self, separator: &str) -> String {
        self.octets(6).iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(separator)
    }

    pub fn user(&mut self) -> String {
        let names = ["alice", "bob", "sensor", "花子", "très-long-user-name-of-a-branch-office-router", "a"];
        let realms = ["@acme.example", "@ACME.example", "@branch.beta.example", "@関所.example", ""];
        format!("{}{}{}", self.pick(&names), self.below(1000), self.pick(&realms))
    }
}

pub fn plain(number: u8, value: impl AsRef<[u8]>) -> Attr {
    Attr::Plain(number, value.as_ref().to_vec())
}

pub fn number(number: u8, value: u32) -> Attr {
    plain(number, value.to_be_bytes())
}

pub fn vsa(vendor: u32, kind: u8, value: impl AsRef<[u8]>) -> Attr {
    plain(26, vendor_value(vendor, kind, value.as_ref()))
}

/// Several sub-attributes in one Vendor-Specific, as some GGSNs send them.
pub fn packed(vendor: u32, parts: &[(u8, Vec<u8>)]) -> Attr {
    let parts = parts.iter().flat_map(|(kind, value)| [&[*kind, value.len() as u8 + 2][..], value].concat());
    plain(26, [vendor.to_be_bytes().to_vec(), parts.collect()].concat())
}

/// What `attr` is on the wire from the home server, as (number, value): several for keys in attributes of their own.
pub fn from_home(attr: &Attr, salt: u16) -> Vec<(u8, Vec<u8>)> {
    let field = |data: &[u8], salt: u16| salted_field(data, 0x8000 | salt, &home(), &RA_UP).unwrap();
    match attr {
        Attr::Plain(number, value) => vec![(*number, value.clone())],
        Attr::TunnelPassword(tag, data) => vec![(69, [&[*tag][..], &field(data, salt)].concat())],
        Attr::Keys([send, recv], together) => {
            let keys = [(16, field(send, salt)), (17, field(recv, salt + 1))];
            if *together {
                vec![match packed(311, &keys) {
                    Attr::Plain(number, value) => (number, value),
                    _ => unreachable!("a Vendor-Specific is plain"),
                }]
            } else {
                keys.map(|(kind, value)| (26, vendor_value(311, kind, &value))).to_vec()
            }
        }
        Attr::Password(_) | Attr::Chap(..) | Attr::Signature => vec![],
    }
}
