//! Packets as mobile, DSL and Wi-Fi networks send them.

use crate::corpus::generator::{Attr, Dice, Exchange, number, packed, plain, vsa};

const THREE_GPP: u32 = 10415;
const CISCO: u32 = 9;
const DSL_FORUM: u32 = 3561;
const NOKIA: u32 = 6527;
const JUNIPER: u32 = 4874;

/// A PGW or GGSN that asks for an APN of a customer.
pub fn mobile(dice: &mut Dice) -> Exchange {
    let imsi = format!("44010{}", dice.digits(10));
    let mut request = vec![plain(1, dice.user())];
    match dice.below(3) {
        0 => request.push(Attr::Password(b"mobile".to_vec())),
        1 => request.push(Attr::Chap(dice.next() as u8, b"secret".to_vec())),
        _ => request.extend([plain(60, dice.octets(16)), plain(3, dice.octets(17))]),
    }
    request.extend([
        plain(4, dice.octets(4)),
        number(6, 2),
        number(7, 7),
        plain(30, "internet.acme.example"),
        plain(31, format!("81{}", dice.digits(10))),
        plain(32, "pgw-01.osaka"),
        number(61, 18),
    ]);
    request.extend(three_gpp(dice, &imsi));
    if dice.once_in(3) {
        request.push(Attr::Signature);
    }
    let mut reply = vec![
        number(6, 2),
        number(7, 1),
        plain(8, [10, 0, dice.next() as u8, dice.next() as u8]),
        number(27, 86_400),
        plain(25, dice.octets(20)),
        plain(25, dice.octets(253)),
    ];
    if dice.once_in(2) {
        reply.extend([plain(97, dice.octets(18)), plain(100, "pool-v6"), plain(123, dice.octets(10))]);
    }
    reply.extend([vsa(311, 28, [10, 0, 0, 53]), vsa(THREE_GPP, 17, dice.octets(16))]);
    Exchange { code: 1, request, answer: 2, reply }
}

fn three_gpp(dice: &mut Dice, imsi: &str) -> Vec<Attr> {
    let parts: Vec<(u8, Vec<u8>)> = vec![
        (1, imsi.into()),
        (2, dice.octets(4)),
        (3, vec![0, 0, 0, 2]),
        (4, dice.octets(4)),
        (5, b"08-110B921F739697FE74F9FFFF00DA02".to_vec()),
        (6, dice.octets(4)),
        (7, dice.octets(4)),
        (8, b"44010".to_vec()),
        (9, b"44010".to_vec()),
        (10, b"5".to_vec()),
        (12, b"0".to_vec()),
        (13, b"0800".to_vec()),
        (18, b"44010".to_vec()),
        (20, dice.digits(16).into()),
        (21, vec![6]),
        (22, dice.octets(13)),
        (23, vec![0x63, 0]),
    ];
    let kept: Vec<_> = parts.into_iter().filter(|_| !dice.once_in(6)).collect();
    match dice.below(3) {
        0 => kept.chunks(4).map(|parts| packed(THREE_GPP, parts)).collect(),
        _ => kept.iter().map(|(kind, value)| vsa(THREE_GPP, *kind, value)).collect(),
    }
}

/// A BRAS with PPPoE subscribers, and an Accept that sends some of them into tunnels.
pub fn dsl(dice: &mut Dice) -> Exchange {
    let slot = format!("ge-1/0/{}:{}.{}", dice.below(10), dice.below(4096), dice.below(4096));
    let mut request = vec![
        plain(1, dice.user()),
        if dice.once_in(2) { Attr::Password(dice.octets(17)) } else { Attr::Chap(1, b"pppoe".to_vec()) },
        number(5, dice.next() as u32),
        number(6, 2),
        number(7, 1),
        number(61, 15),
        plain(87, slot),
        plain(32, "bras-tokyo-3"),
        plain(4, dice.octets(4)),
        plain(44, dice.digits(12)),
        vsa(DSL_FORUM, 1, format!("dslam-17 atm 1/{}:8.35", dice.below(48))),
        vsa(DSL_FORUM, 2, dice.digits(10)),
        packed(DSL_FORUM, &[(129, dice.octets(4)), (130, dice.octets(4)), (142, vec![]), (254, vec![])]),
        vsa(CISCO, 1, format!("client-mac-address={}", dice.mac(":"))),
        vsa(JUNIPER, 24, "pppoe 00:1b:21:3c:9d:f8"),
    ];
    if dice.once_in(2) {
        request.insert(dice.below(request.len()), Attr::Signature);
    }
    let mut reply =
        vec![plain(25, dice.octets(32)), number(6, 2), number(7, 1), vsa(CISCO, 1, "ip:dns-servers=192.0.2.53")];
    if dice.once_in(2) {
        for tag in 1..=1 + dice.below(3) as u8 {
            let tagged = |value: &str| [&[tag][..], value.as_bytes()].concat();
            let secret = dice.below(60);
            reply.extend([
                plain(64, [tag, 0, 0, 3]),
                plain(65, [tag, 0, 0, 1]),
                plain(66, tagged("192.0.2.1")),
                plain(67, tagged("lns1.acme.example")),
                Attr::TunnelPassword(tag, dice.octets(secret)),
                plain(82, tagged("acme-1")),
                plain(83, [tag, 0, 0, tag]),
                plain(90, tagged("lac.carrier.example")),
            ]);
        }
    } else {
        reply.extend([
            plain(8, dice.octets(4)),
            plain(9, [255, 255, 255, 255]),
            plain(22, "192.0.2.0/28 0.0.0.0 1"),
            plain(22, "198.51.100.0/24 0.0.0.0 1"),
            plain(88, "pool-7"),
            vsa(NOKIA, 12, "sla-100M"),
            vsa(NOKIA, 13, "sub-prof-1"),
            vsa(JUNIPER, 10, "policy-in"),
        ]);
    }
    Exchange { code: 1, request, answer: 2, reply }
}

/// An access point in the middle of an EAP conversation (RFC 3580).
pub fn wifi(dice: &mut Dice) -> Exchange {
    let mut request = vec![
        plain(1, "anonymous@acme.example"),
        plain(4, dice.octets(4)),
        plain(32, "ap-3f-17"),
        plain(30, format!("{}:corp", dice.mac("-"))),
        plain(31, dice.mac("-")),
        number(61, 19),
        number(12, 1400),
        plain(77, "CONNECT 54Mbps 802.11g"),
        plain(89, [0]),
        plain(126, "1acme.example"),
        plain(186, [0, 0x0f, 0xac, 4]),
        plain(187, [0, 0x0f, 0xac, 4]),
        plain(188, [0, 0x0f, 0xac, 1]),
        vsa(14122, 1, "a hotspot"),
    ];
    if dice.once_in(2) {
        let len = 1 + dice.below(60);
        request.push(plain(24, dice.octets(len)));
    }
    request.extend(eap(dice));
    request.insert(dice.below(request.len()), Attr::Signature);
    let (answer, mut reply) = match dice.below(3) {
        0 => (3, vec![plain(18, "certificate expired"), vsa(311, 2, b"\x01E=691 R=0 C=00 V=3")]),
        1 => (11, vec![number(27, 30), plain(24, dice.octets(16))]),
        _ => {
            let keys = [dice.octets(32), dice.octets(32)];
            let vlan = format!("{}", 1 + dice.below(4094));
            let vlan = if dice.once_in(2) { vlan.into_bytes() } else { [&[1][..], vlan.as_bytes()].concat() };
            let accept = vec![
                plain(1, dice.user()),
                Attr::Keys(keys, dice.once_in(2)),
                plain(64, [0, 0, 0, 13]),
                plain(65, [0, 0, 0, 6]),
                plain(81, vlan),
                plain(89, "chargeable-7"),
                vsa(CISCO, 1, "shell:roles=none"),
            ];
            (2, accept)
        }
    };
    reply.extend(eap(dice));
    Exchange { code: 1, request, answer, reply }
}

/// One EAP packet in as many fragments as it takes (RFC 3579 §3.1).
fn eap(dice: &mut Dice) -> Vec<Attr> {
    let len = *dice.pick(&[5, 30, 253, 254, 1000, 1300]);
    let packet = [&[2, dice.next() as u8, (len >> 8) as u8, len as u8, 13][..], &dice.octets(len - 5)].concat();
    packet.chunks(253).map(|fragment| plain(79, fragment)).collect()
}

/// What any of them reports: Start, Interim-Update, Stop, with or without a tunnel (RFC 2866, 2867, 2869).
pub fn accounting(dice: &mut Dice) -> Exchange {
    let status = *dice.pick(&[1, 2, 3, 7, 8, 9, 14, 15]);
    let mut request = vec![
        number(40, status),
        plain(44, dice.digits(16)),
        plain(1, dice.user()),
        plain(4, dice.octets(4)),
        number(41, dice.below(30) as u32),
        number(55, dice.next() as u32),
        plain(25, dice.octets(20)),
        plain(25, dice.octets(1)),
        number(45, 1),
    ];
    if status > 1 {
        request.extend([42, 43, 46, 47, 48, 52, 53].map(|kind| number(kind, dice.next() as u32)));
        request.push(number(49, 10));
    }
    match dice.below(3) {
        0 => request.extend([
            plain(64, [0, 0, 0, 3]),
            plain(65, [0, 0, 0, 1]),
            plain(66, "192.0.2.1"),
            plain(67, "192.0.2.2"),
            plain(68, "call-77"),
            number(86, 3),
        ]),
        1 => {
            let imsi = dice.digits(15);
            request.extend(three_gpp(dice, &imsi));
            request.push(vsa(THREE_GPP, 11, [0xff]));
        }
        _ => request.extend([plain(8, dice.octets(4)), plain(50, dice.digits(8)), vsa(DSL_FORUM, 1, "dslam")]),
    }
    if dice.once_in(4) {
        request.insert(dice.below(request.len()), Attr::Signature);
    }
    let reply = if dice.once_in(4) { vec![vsa(CISCO, 1, "ack")] } else { vec![] };
    Exchange { code: 4, request, answer: 5, reply }
}

/// What no dictionary knows, and values of lengths that no RFC allows: forwarded all the same (RFC 6929 §2.8).
pub fn strange(dice: &mut Dice) -> Exchange {
    let mut request = vec![plain(1, dice.octets(7)), plain(31, "0901")];
    let mut reply = vec![plain(18, [0xff, 0, 27])];
    for attrs in [&mut request, &mut reply] {
        for _ in 0..2 + dice.below(10) {
            attrs.extend(strange_one(dice));
        }
    }
    Exchange { code: 1, request, answer: 2, reply }
}

fn strange_one(dice: &mut Dice) -> Vec<Attr> {
    let len = *dice.pick(&[0, 1, 2, 3, 5, 17, 252, 253]);
    match dice.below(8) {
        0 => vec![plain(192 + dice.below(49) as u8, dice.octets(len))],
        // An integer or an address of an impossible length.
        1 => vec![plain(*dice.pick(&[4, 5, 6, 8, 12, 27, 61, 95, 97]), dice.octets(len))],
        // A Vendor-Specific that is none, or of a vendor with its own format.
        2 => vec![plain(26, dice.octets(len))],
        3 => vec![plain(26, [&[0, 0, 0x60, 0xb5, 1][..], &dice.octets(len.min(248))].concat())],
        4 => vec![plain(*dice.pick(&[241, 242, 243, 244]), dice.octets(len))],
        5 => {
            // A long value in fragments, which have to stay together.
            let (kind, number) = (1 + dice.below(20) as u8, *dice.pick(&[245, 246]));
            let len = 300 + 200 * dice.below(3);
            let value = dice.octets(len);
            let count = value.chunks(251).count();
            let fragment = |(i, part): (usize, &[u8])| {
                plain(number, [&[kind, if i + 1 < count { 0x80 } else { 0 }][..], part].concat())
            };
            value.chunks(251).enumerate().map(fragment).collect()
        }
        // A sub-attribute whose length is a lie, also of a vendor that is looked into.
        6 => vec![plain(26, [&[0, 0, 1, 55, 16, *dice.pick(&[0, 1, 3, 255])][..], &dice.octets(4)].concat())],
        _ => vec![plain(*dice.pick(&[64, 65, 66, 67, 81, 82, 83, 90, 91]), dice.octets(len))],
    }
}
