//! Retransmissions: a request that userspace has published is dropped while it is in flight, and answered once it has been.

use sekisho_abi::{
    Outcome, Reason,
    cached::{self, ANSWERED, IN_FLIGHT, MAX_REPLY, MAX_REQUEST, Slot},
    header::HEADER_LEN,
    settings::ANSWERS,
    ways,
};

use crate::{
    attributes,
    cell::Word,
    clock,
    frame::{Frame, opaque},
    gate::{Case, length},
    maps, reply,
};

/// Ends a request that has been published.
///
/// # Errors
///
/// What becomes of it then.
#[inline(always)]
pub fn repeated(case: &Case<'_>) -> Result<(), Outcome> {
    let Case { settings, scratch, .. } = case;
    if settings.flags.read() & ANSWERS == 0 || length(scratch) > MAX_REQUEST {
        return Ok(());
    }
    let head = (scratch.head.get() as u32).to_le_bytes();
    let tag = cached::tag(settings.seed[0].read(), &scratch.flow(), head);
    let Some((tags, first)) = maps::replies(tag) else { return Ok(()) };
    let (mut way, mut found) = (0, 0);
    while way < cached::WAYS {
        found = ways::note::<Word>(found, tags[way].read(), tag, way);
        way += 1;
    }
    if found == 0 {
        return Ok(());
    }
    let place = ways::first(found) & (cached::WAYS - 1);
    match hit(case, first.wrapping_add(place as u32)) {
        Some(outcome) => Err(outcome),
        None => Ok(()),
    }
}

#[inline(always)]
fn hit(case: &Case<'_>, slot: u32) -> Option<Outcome> {
    let Case { settings, scratch, .. } = case;
    let (frame, at) = (&case.frame.again(), scratch.headers.packet());
    let slot = maps::reply(slot)?;
    let sequence = slot.sequence.read();
    let is_same = sequence & 1 == 0
        && slot.epoch.read() == settings.epoch.read()
        && u64::from_le(slot.authenticator[0].read()) == frame.word(at + 4)?
        && u64::from_le(slot.authenticator[1].read()) == frame.word(at + 12)?
        && slot.until.read() > clock::now(case)
        && slot.digest.read() == digest(case, frame)?;
    if !is_same {
        return None;
    }
    match slot.state.read() {
        IN_FLIGHT if slot.sequence.read() == sequence => Some(Outcome::Dropped(Reason::DuplicateInFlight)),
        ANSWERED => answer(case, frame, slot, sequence),
        _ => None,
    }
}

#[inline(always)]
fn answer(case: &Case<'_>, frame: &Frame, slot: &Slot<Word>, sequence: u64) -> Option<Outcome> {
    let (length, sum) = slot.reply();
    if !(HEADER_LEN..=MAX_REPLY).contains(&length) {
        return None;
    }
    // From here on the frame is not what it was: it cannot go up any more.
    if !frame.resize(case.scratch.headers.packet() + length) {
        return None;
    }
    let sent = reply::write(case.scratch, frame, &slot.octets, length, sum);
    // Written meanwhile by userspace: part of it may be another's.
    let is_whole = slot.sequence.read() == sequence;
    Some(if sent && is_whole { Outcome::Replied } else { Outcome::Dropped(Reason::Contended) })
}

/// [`cached::digest`] of the packet.
#[inline(always)]
fn digest(case: &Case<'_>, frame: &Frame) -> Option<u64> {
    let Case { settings, scratch, .. } = case;
    let (at, length) = (scratch.headers.packet(), length(scratch));
    let seed = [settings.seed[0].read(), settings.seed[1].read()];
    let mut state = cached::begin(seed, &scratch.flow());
    let mut taken = 0;
    while taken < MAX_REQUEST {
        if taken + 8 > length {
            break;
        }
        state = state.word(frame.word(at + taken)?);
        taken = opaque(taken + 8);
    }
    let tail = attributes::tail(frame, at, length, length)?;
    Some(state.finish(tail | ((40 + length as u64) & 0xff) << 56))
}
