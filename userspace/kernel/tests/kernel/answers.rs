//! What a published request and the answer to it look like, made without the code that is tested.

/// A request of this code, identifier and length, from 22 octets on with attributes that fill it.
pub fn sound(code: u8, identifier: u8, length: usize) -> Vec<u8> {
    let [high, low] = (length as u16).to_be_bytes();
    let mut packet = vec![code, identifier, high, low];
    packet.extend((0..16).map(|n: u8| n.wrapping_mul(17) ^ identifier));
    while packet.len() < length {
        let rest = length - packet.len();
        // Nothing may be left that is too short for an attribute.
        let octets = if rest == 256 { 254 } else { rest.min(255) };
        packet.extend([26, octets as u8]);
        packet.extend((2..octets).map(|n| (n as u8).wrapping_mul(31) ^ identifier));
    }
    assert_eq!(packet.len(), length, "one octet is no attribute");
    packet
}

/// A reply of this length: what is in it is between its sender and its reader.
pub fn reply(length: usize) -> Vec<u8> {
    let [high, low] = (length as u16).to_be_bytes();
    [2, 9, high, low].into_iter().chain((4..length).map(|n| (n as u8).wrapping_mul(0x9d) ^ 0xc3)).take(length).collect()
}

/// The frame that carries a reply back to whom a request's frame came from (RFC 791, RFC 8200, RFC 768).
pub fn answer(request: &[u8], reply: &[u8]) -> Vec<u8> {
    let mut network = 14;
    while matches!(request[network - 2..network], [0x81, 0x00] | [0x88, 0xa8]) {
        network += 4;
    }
    let mut frame = [&request[6..12], &request[..6], &request[12..network]].concat();
    let header = if request[network] >> 4 == 4 { 20 } else { 40 };
    let (ip, ports) = request[network..].split_at(header);
    let length = ((8 + reply.len()) as u16).to_be_bytes();
    let (source, destination) = if header == 20 { (&ip[16..], &ip[12..16]) } else { (&ip[24..], &ip[8..24]) };
    if header == 20 {
        let total = ((28 + reply.len()) as u16).to_be_bytes();
        let before = [&[0x45, ip[1]], &total[..], &[0, 0, 0x40, 0, 64, 17]].concat();
        let checksum = !sum(&[&before, source, destination].concat());
        frame.extend([&before, &checksum.to_be_bytes()[..], source, destination].concat());
    } else {
        frame.extend([&ip[..4], &length, &[17, 64], source, destination].concat());
    }
    let head = [&ports[2..4], &ports[..2], &length].concat();
    let pseudo = [source, destination, &[0, 17], &length].concat();
    let checksum = match !sum(&[&pseudo[..], &head, &[0, 0], reply].concat()) {
        0 => 0xffff,
        checksum => checksum,
    };
    frame.extend([&head, &checksum.to_be_bytes()[..], reply].concat());
    frame
}

/// The ones' complement sum of 16-bit words, octet by octet.
pub fn sum(octets: &[u8]) -> u16 {
    let mut sum = 0_u16;
    for (at, octet) in octets.iter().enumerate() {
        let word = if at % 2 == 0 { u16::from(*octet) << 8 } else { u16::from(*octet) };
        let (more, carry) = sum.overflowing_add(word);
        sum = more + u16::from(carry);
    }
    sum
}
