//! Changing a packet's attributes where they stand.

use crate::attr;
use crate::attribute::{HEADER, attributes};
use crate::buf::{Buf, TooLong};
use crate::forward::RewriteError;
use crate::scan::{Layout, scan};
use crate::sign;

/// Octets of a Message-Authenticator with number and length.
pub(crate) const MESSAGE_AUTHENTICATOR_SIZE: usize = 18;

/// Octets of the vendor number before the sub-attributes of a Vendor-Specific value.
pub(crate) const VENDOR_HEADER: usize = 4;

/// What becomes of one attribute.
pub(crate) enum Fate {
    /// It stays; its value may have been changed in place.
    Keep,
    /// The first octets of its value stay, this many.
    Shrink(usize),
    /// It goes.
    Drop,
}

/// Lets `decide` look at and change each attribute from `start` on, closes the gaps of those that go, and returns the
/// new length. Works for the attributes of a packet and for the sub-attributes of a Vendor-Specific value. What stays
/// untouched between two gaps moves at once, or not at all before the first.
pub(crate) fn rewrite(octets: &mut [u8], start: usize, mut decide: impl FnMut(u8, &mut [u8]) -> Fate) -> usize {
    let (mut read, mut run, mut write) = (start, start, start);
    while let Some([number, length, value @ ..]) = octets.get_mut(read..) {
        let Some(value) = usize::from(*length).checked_sub(2).and_then(|len| value.get_mut(..len)) else { break };
        let next = read + usize::from(*length);
        match decide(*number, value) {
            Fate::Keep => {}
            Fate::Shrink(to) => {
                let to = to.min(value.len());
                *length = to as u8 + 2;
                write = move_down(octets, run..read + 2 + to, write);
                run = next;
            }
            Fate::Drop => {
                write = move_down(octets, run..read, write);
                run = next;
            }
        }
        read = next;
    }
    move_down(octets, run..octets.len(), write)
}

/// Does what [`rewrite`] does with the sub-attributes of a Vendor-Specific value, and says what becomes of the whole: it
/// goes when nothing is left in it.
pub(crate) fn rewrite_vendor(value: &mut [u8], decide: impl FnMut(u8, &mut [u8]) -> Fate) -> Fate {
    let before = value.len();
    match rewrite(value, VENDOR_HEADER, decide) {
        after if after == before => Fate::Keep,
        after if after <= VENDOR_HEADER => Fate::Drop,
        after => Fate::Shrink(after),
    }
}

fn move_down(octets: &mut [u8], run: std::ops::Range<usize>, to: usize) -> usize {
    let len = run.len();
    if run.start != to {
        octets.copy_within(run, to);
    }
    to + len
}

/// Gives the first attribute `number` of the packet that `layout` describes another value, where it stands; `layout`
/// describes the packet afterwards as well.
pub(crate) fn set_first(buf: &mut Buf, layout: &mut Layout, number: u8, value: &[u8]) -> Result<(), RewriteError> {
    begin(buf, layout)?;
    let Some(found) = attributes(buf.bytes()).find(|it| it.number == number) else { return Ok(()) };
    let (at, old) = (found.at, found.value.len() + 2);
    put(buf, at, old, number, &[], value)?;
    finish(buf, layout)
}

/// Before attributes are edited: checks that the packet is the one that `layout` describes, and cuts padding off.
pub(crate) fn begin(buf: &mut Buf, layout: &Layout) -> Result<(), RewriteError> {
    if buf.len() < usize::from(layout.length) {
        return Err(RewriteError::OtherPacket);
    }
    buf.trim(usize::from(layout.length));
    Ok(())
}

/// After attributes were edited: brings the packet's Length, and `layout`, up to date.
pub(crate) fn finish(buf: &mut Buf, layout: &mut Layout) -> Result<(), RewriteError> {
    sign::set_header(buf.bytes_mut(), layout.code.0, layout.id);
    *layout = scan(buf.bytes())?;
    Ok(())
}

/// Puts one attribute, whose value is `head` and then `value`, in the place of the `old` octets at `at`.
pub(crate) fn put(buf: &mut Buf, at: usize, old: usize, number: u8, head: &[u8], value: &[u8]) -> Result<(), TooLong> {
    let length = u8::try_from(2 + head.len() + value.len()).map_err(|_| TooLong)?;
    buf.splice(at, old, usize::from(length))?;
    let start = [number, length];
    let octets = start.iter().chain(head).chain(value);
    for (to, octet) in buf.bytes_mut().iter_mut().skip(at).zip(octets) {
        *to = *octet;
    }
    Ok(())
}

/// Makes room for a Message-Authenticator as the first attribute of a packet that has none.
pub(crate) fn insert_message_authenticator(buf: &mut Buf) -> Result<(), TooLong> {
    buf.prepend_gap(MESSAGE_AUTHENTICATOR_SIZE)?;
    let packet = buf.bytes_mut();
    if packet.len() >= HEADER + MESSAGE_AUTHENTICATOR_SIZE {
        packet.copy_within(MESSAGE_AUTHENTICATOR_SIZE..MESSAGE_AUTHENTICATOR_SIZE + HEADER, 0);
    }
    begin_message_authenticator(packet);
    Ok(())
}

/// Makes the Message-Authenticator whose value begins at `at` the first attribute; those before it move back.
pub(crate) fn message_authenticator_to_front(packet: &mut [u8], at: usize) {
    let before = HEADER..at.saturating_sub(2);
    if !before.is_empty() && before.end + MESSAGE_AUTHENTICATOR_SIZE <= packet.len() {
        packet.copy_within(before, HEADER + MESSAGE_AUTHENTICATOR_SIZE);
        begin_message_authenticator(packet);
    }
}

fn begin_message_authenticator(packet: &mut [u8]) {
    if let Some(field) = packet.get_mut(HEADER..HEADER + 2) {
        field.copy_from_slice(&[attr::MESSAGE_AUTHENTICATOR, MESSAGE_AUTHENTICATOR_SIZE as u8]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_close_and_order_stays() {
        let mut octets = *b"head\x01\x03a\x02\x02\x03\x04bc\x01\x05def\x04\x03g";
        let len = rewrite(&mut octets, 4, |number, value| match number {
            2 => Fate::Drop,
            3 => {
                value.make_ascii_uppercase();
                Fate::Shrink(1)
            }
            _ => Fate::Keep,
        });
        assert_eq!(&octets[..len], b"head\x01\x03a\x03\x03B\x01\x05def\x04\x03g");
    }

    #[test]
    fn everything_may_go_and_nothing_may_be_there() {
        let mut octets = *b"\x01\x02\x01\x02";
        assert_eq!(rewrite(&mut octets, 0, |_, _| Fate::Drop), 0);
        assert_eq!(rewrite(&mut [], 0, |_, _| Fate::Drop), 0);
    }
}
