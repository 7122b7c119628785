//! Attributes as they stand in a packet, without one around them.

use sekisho_wire::{
    attr,
    attribute::attributes,
    buf::{Buf, TooLong},
    select::AttributeId,
    vendor::vendor,
};

/// The attributes, each with its two octets of header and its value; ends early where they stop being well-formed.
fn each(mut octets: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(*octets.get(1)?);
        let (whole, rest) = octets.split_at_checked(length)?;
        let value = whole.get(2..)?;
        octets = rest;
        Some((whole, value))
    })
}

/// Whether these are whole attributes and nothing else.
pub(super) fn are_whole(octets: &[u8]) -> bool {
    each(octets).map(|(whole, _)| whole.len()).sum::<usize>() == octets.len()
}

/// Whether there is one of this kind.
pub(super) fn has(octets: &[u8], kind: AttributeId) -> bool {
    each(octets).any(|(whole, value)| kind_of(whole, value) == Some(kind))
}

/// The number in the first attribute of this kind.
pub(super) fn number(octets: &[u8], number: u8) -> Option<u32> {
    let (_, value) = each(octets).find(|(whole, _)| whole.first() == Some(&number))?;
    Some(u32::from_be_bytes(value.try_into().ok()?))
}

/// Appends `general` without what `own` has of the same kind, and then `own`.
pub(super) fn append(buf: &mut Buf, general: &[u8], own: &[u8]) -> Result<(), TooLong> {
    if own.is_empty() {
        return buf.append(general);
    }
    for (whole, value) in each(general) {
        let kind = kind_of(whole, value);
        if !each(own).any(|(whole, value)| kind_of(whole, value) == kind) {
            buf.append(whole)?;
        }
    }
    buf.append(own)
}

/// Appends `further` without what the packet has already: most attributes may be in an Accept once (RFC 2865 §5.44), and what an account or
/// a home server has said stands. Of vendors' attributes there may be many of a kind, so they join those that are there.
pub(crate) fn append_further(buf: &mut Buf, further: &[u8]) -> Result<(), TooLong> {
    let said = buf.len();
    for (whole, _) in each(further) {
        let number = whole.first().copied().filter(|number| *number != attr::VENDOR_SPECIFIC);
        let is_said =
            |number| buf.bytes().get(..said).is_some_and(|said| attributes(said).any(|it| it.number == number));
        if !number.is_some_and(is_said) {
            buf.append(whole)?;
        }
    }
    Ok(())
}

fn kind_of(whole: &[u8], value: &[u8]) -> Option<AttributeId> {
    let number = *whole.first()?;
    Some(match number {
        attr::VENDOR_SPECIFIC => match (vendor(value), value.get(4)) {
            (Some(vendor), Some(kind)) => AttributeId::Vendor(vendor, *kind),
            _ => AttributeId::Plain(number),
        },
        attr::EXTENDED_1..=attr::EXTENDED_6 => AttributeId::Extended(number, *value.first()?),
        _ => AttributeId::Plain(number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(general: &[u8], own: &[u8]) -> Vec<u8> {
        let mut buf = Buf::new();
        append(&mut buf, general, own).unwrap();
        buf.bytes().to_vec()
    }

    #[test]
    fn an_own_attribute_takes_the_place_of_all_of_its_kind() {
        let general = [27, 6, 0, 0, 0, 60, 18, 3, b'a', 18, 3, b'b'];
        assert_eq!(merged(&general, &[]), general);
        assert_eq!(merged(&general, &[18, 3, b'c']), [27, 6, 0, 0, 0, 60, 18, 3, b'c']);
        assert_eq!(merged(&general, &[28, 6, 0, 0, 0, 9]).len(), general.len() + 6);
    }

    #[test]
    fn of_one_vendor_the_same_kind_only_is_replaced() {
        let of = |kind, value| [26, 9, 0, 0, 0, 9, kind, 3, value];
        let general = [of(1, b'x'), of(2, b'y')].concat();
        assert_eq!(merged(&general, &of(2, b'z')), [of(1, b'x'), of(2, b'z')].concat());
    }

    #[test]
    fn what_a_packet_says_already_is_not_said_again_but_for_vendors_attributes() {
        let header = [0; 20];
        let said = [&header[..], &[27, 6, 0, 0, 0, 60], &[26, 9, 0, 0, 0, 9, 1, 3, b'x']].concat();
        let mut buf = Buf::new();
        buf.append(&said).unwrap();
        let further = [27, 6, 0, 0, 0, 90, 22, 3, b'a', 22, 3, b'b', 26, 9, 0, 0, 0, 9, 1, 3, b'y'];
        append_further(&mut buf, &further).unwrap();
        assert_eq!(buf.bytes(), [&said[..], &further[6..]].concat(), "two of a kind are said where none was");
    }

    #[test]
    fn what_is_not_whole_is_told() {
        assert!(are_whole(&[]) && are_whole(&[18, 2]) && are_whole(&[18, 3, 1, 18, 2]));
        for bad in [&[18][..], &[18, 1], &[18, 4, 1], &[18, 3, 1, 7]] {
            assert!(!are_whole(bad), "{bad:?}");
        }
        assert_eq!(number(&[18, 3, 1, 85, 6, 0, 0, 1, 44], 85), Some(300));
    }
}
