//! The packet that figures are given for.

/// Types and lengths of its attributes; Acct-Session-Id (44) is among them.
const ATTRIBUTES: [(u8, u8); 14] = [
    (1, 18),
    (2, 18),
    (4, 6),
    (5, 6),
    (6, 6),
    (7, 6),
    (30, 14),
    (31, 14),
    (32, 12),
    (61, 6),
    (44, 16),
    (77, 14),
    (33, 6),
    (80, 18),
];

/// An Access-Request of 14 attributes and 180 octets. Its values are nonsense, which the gate does not read.
pub fn reference() -> Vec<u8> {
    let mut packet = vec![1, 0, 0, 180];
    packet.resize(20, 0);
    for (kind, length) in ATTRIBUTES {
        packet.extend([kind, length]);
        packet.resize(packet.len() + usize::from(length) - 2, b'a');
    }
    packet
}

/// Where the value of its attribute of this type begins, in octets from the packet's start.
pub fn reference_value(kind: u8) -> Option<usize> {
    let before = ATTRIBUTES.iter().position(|(other, _)| *other == kind)?;
    let octets: usize = ATTRIBUTES.iter().take(before).map(|(_, length)| usize::from(*length)).sum();
    Some(20 + octets + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_packet_is_as_long_as_it_says() {
        let packet = reference();
        assert_eq!(packet.len(), usize::from(u16::from_be_bytes([packet[2], packet[3]])));
        let at = reference_value(44).unwrap();
        assert_eq!(packet[at - 2..at], [44, 16]);
        assert_eq!(reference_value(8), None);
    }
}
