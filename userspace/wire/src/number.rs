//! Telephone numbers as keys: one number in whatever form an access network writes it.

/// The fewest and the most digits of an international number; the most are E.164's.
const DIGITS: std::ops::RangeInclusive<usize> = 6..=15;

/// Writes the international form of a number to `out`, digits only: with `country_code` 81, `+81 90-1234-5678`,
/// `819012345678`, `00 81 90 1234 5678` and `09012345678` are all `819012345678`. For keys and searches alone: what is
/// forwarded stays as it came.
///
/// Spaces and hyphens may stand between the digits. A leading `+` or `00` makes the rest an international number, a
/// single `0` a national one; without an own `country_code` that keeps its `0`. `None` for what is no number of 6 to
/// 15 digits (an address, a name, a MAC address even of nothing but digits): then the octets as they are make the key.
pub fn canonical_number<'a>(value: &[u8], country_code: &str, out: &'a mut [u8; 32]) -> Option<&'a [u8]> {
    let (plus, value) = match value {
        [b'+', rest @ ..] => (true, rest),
        _ => (false, value),
    };
    if is_mac_address(value) {
        return None;
    }
    let digits = digits(value, out)?;
    let (cut, prefix) = match out.get(..digits)? {
        [b'0', ..] if plus => return None,
        [b'0', b'0', b'0', ..] => return None,
        [b'0', b'0', ..] => (2, ""),
        [b'0', ..] if !country_code.is_empty() => (1, country_code),
        _ => (0, ""),
    };
    let len = digits - cut + prefix.len();
    if !DIGITS.contains(&len) || len > out.len() {
        return None;
    }
    out.copy_within(cut..digits, prefix.len());
    out.get_mut(..prefix.len())?.copy_from_slice(prefix.as_bytes());
    out.get(..len)
}

/// Copies the digits of `value` to `out` and counts them; `None` if there is anything else, or too much.
fn digits(value: &[u8], out: &mut [u8; 32]) -> Option<usize> {
    let mut count = 0;
    for &octet in value {
        match octet {
            b'0'..=b'9' => {
                *out.get_mut(count)? = octet;
                count += 1;
            }
            b' ' | b'-' => {}
            _ => return None,
        }
    }
    Some(count)
}

/// `00-11-22-33-44-55`, as RFC 3580 §3.21 has it, would read as a number after the prefix `00`.
fn is_mac_address(value: &[u8]) -> bool {
    value.len() == 17 && value.iter().skip(2).step_by(3).all(|&octet| octet == b'-')
}
