//! The walk over a packet's attributes: every header is checked, and those that say what session it is are noted.

use sekisho_abi::{
    Outcome, Reason,
    client::Slot,
    header::{HEADER_LEN, MAX_LEN},
    identity::{self, IMSI, STATUS_RANK, VENDOR_HEADER, VENDOR_SPECIFIC},
};

use crate::{
    cell::Word,
    frame::{Frame, opaque},
    gate::{Case, length},
    maps,
};

/// Attributes that are walked; a packet with more goes up unchecked.
const MOST: usize = 255;
/// Keeps an offset where the verifier sees that it stays within a packet.
const WITHIN: usize = MAX_LEN - 1;

/// Walks the attributes, and notes where those with a rank begin.
///
/// # Errors
///
/// [`Reason::BadAttribute`]; [`Outcome::Passed`] where the packet is not in one piece or has too many attributes.
#[inline(always)]
pub fn walk(case: &Case<'_>, client: &Slot<Word>) -> Result<(), Outcome> {
    let Case { scratch, .. } = case;
    // Every turn waits for the one before to say where it begins: no addition more than that.
    let packet = &case.frame.again().beyond(scratch.headers.packet());
    let ranks = maps::profile(client.profile.read() as u32).ok_or(Outcome::Passed)?;
    let length = length(scratch);
    for found in &scratch.found {
        found.set(0);
    }
    let mut offset = HEADER_LEN;
    let mut turn = 0;
    while turn < MOST {
        if offset == length {
            return Ok(());
        }
        if offset + 2 > length {
            return Err(Outcome::Dropped(Reason::BadAttribute));
        }
        let here = offset & WITHIN;
        let [kind, octets] = *packet.view::<2>(here).ok_or(Outcome::Passed)?;
        offset = here + octets as usize;
        if octets < 2 || offset > length {
            return Err(Outcome::Dropped(Reason::BadAttribute));
        }
        let mut rank = ranks[kind as usize];
        if kind == VENDOR_SPECIFIC && rank != 0 && !is_imsi(packet, here, octets) {
            rank = 0;
        }
        scratch.found[rank as usize & (identity::RANKS - 1)].set(here as u64);
        turn = opaque(turn + 1);
    }
    if offset == length { Ok(()) } else { Err(Outcome::Passed) }
}

#[inline(always)]
fn is_imsi(packet: &Frame, at: usize, octets: u8) -> bool {
    match packet.view::<7>(at) {
        Some([_, _, a, b, c, d, e]) => octets as usize >= VENDOR_HEADER && [*a, *b, *c, *d, *e] == IMSI,
        None => false,
    }
}

/// The key of the session that the attributes name; zero where they name none.
#[inline(always)]
pub fn session(case: &Case<'_>) -> u64 {
    let Case { scratch, settings, .. } = case;
    let (frame, at) = (&case.frame.again(), scratch.headers.packet());
    let seed = [settings.seed[0].read(), settings.seed[1].read()];
    let [_, first, second, third, fourth, ..] = &scratch.found;
    let [first, second, third, fourth] = [first.get(), second.get(), third.get(), fourth.get()];
    let best = if first != 0 {
        first
    } else if second != 0 {
        second
    } else if third != 0 {
        third
    } else {
        fourth
    };
    let best = opaque(best as usize) & WITHIN;
    if best < HEADER_LEN {
        return 0;
    }
    let Some([kind, octets]) = frame.view::<2>(at + best) else { return 0 };
    let (kind, octets) = (*kind, *octets as usize);
    let header = if kind == VENDOR_SPECIFIC { VENDOR_HEADER } else { 2 };
    if octets < header {
        return 0;
    }
    let mut state = identity::begin(seed, scratch.slot(), kind);
    let value = octets - header;
    let from = opaque(best + header) & (2 * MAX_LEN - 1);
    let mut taken = 0;
    while taken < 256 {
        if taken + 8 > value {
            break;
        }
        let Some(word) = frame.word(at + from + taken) else { return 0 };
        state = state.word(word);
        taken = opaque(taken + 8);
    }
    let Some(tail) = tail(frame, at, best + octets, value) else { return 0 };
    identity::nonzero(state.finish(tail | ((8 + value as u64) & 0xff) << 56))
}

/// The last octets, less than eight, of `octets` that end at `end` from the packet's beginning, as the low octets of a word.
#[inline(always)]
pub fn tail(frame: &Frame, at: usize, end: usize, octets: usize) -> Option<u64> {
    // Eight octets up to there are always in the packet, whose header has 20.
    let from = end.wrapping_sub(HEADER_LEN) & (2 * MAX_LEN - 1);
    let word = frame.word(at + (HEADER_LEN - 8) + from)?;
    let rest = octets as u64 & 7;
    Some(if rest == 0 { 0 } else { word >> ((64 - 8 * rest) & 63) })
}

/// Acct-Status-Type, where the packet has one of four octets.
#[inline(always)]
pub fn status(case: &Case<'_>) -> Option<u32> {
    let found = case.scratch.found[STATUS_RANK as usize].get() as usize & WITHIN;
    if found < HEADER_LEN {
        return None;
    }
    match case.frame.again().view::<6>(case.scratch.headers.packet() + found) {
        Some([_, 6, a, b, c, d]) => Some(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}
