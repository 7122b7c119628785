//! Reading the table back: all of it, or nothing.

use std::{io::Read, sync::Arc};

use hashbrown::HashMap;

use super::{Kind, MAGIC, Naming, VERSION, frame};
use crate::{
    Loads, SourceId, Time,
    framed::{Clock, Decoder, Reader, RestoreError},
    load::Load,
    sessions::{
        Sessions, Settings,
        books::Bounded,
        record::{At, Place, Record as _, put, seconds},
    },
};

/// What was restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Sessions.
    pub sessions: usize,
    /// Reservations.
    pub reservations: usize,
    /// Devices without a session, whose last LNS is remembered.
    pub memories: usize,
    /// Records whose time was over before they were read.
    pub expired: usize,
    /// Records of sources, customers or contracts that have no number any more.
    pub dropped: usize,
    /// Sessions and reservations, restored, whose LNS has none: they count for their contract and customer.
    pub without_lns: usize,
    /// Records that were too many.
    pub no_room: usize,
}

impl Sessions {
    /// The table that [`Sessions::write_to`] has written, with the seed of its keys. `wall` is the time in Unix seconds: what
    /// passed since the file was written has passed for its sessions. `loads` count them when all is read and found whole, and not before.
    ///
    /// # Errors
    ///
    /// Why there is nothing to be restored.
    pub fn restore(
        settings: Settings,
        loads: Arc<Loads>,
        input: impl Read,
        now: Time,
        wall: u64,
        naming: &dyn Naming,
    ) -> Result<(Sessions, Restored), RestoreError> {
        let mut input = Reader::begin(input, &MAGIC, VERSION)?;
        let sessions = Sessions::new(settings, input.array()?, loads);
        let written = u64::from_le_bytes(input.array()?);
        let mut restoring = Restoring {
            sessions,
            clock: Clock::new(seconds(now), written, wall),
            numbers: Numbers::default(),
            restored: Restored::default(),
        };
        while let Some((kind, body)) = input.frame()? {
            restoring.take(kind, body, naming).ok_or(RestoreError::Damaged("a record is not what one is"))?;
        }
        Ok(restoring.finish())
    }
}

/// A table that is being read. Nothing in it is counted.
struct Restoring {
    sessions: Sessions,
    clock: Clock,
    numbers: Numbers,
    restored: Restored,
}

impl Restoring {
    /// `None` if the record is not one.
    fn take(&mut self, kind: u8, body: Decoder<'_>, naming: &dyn Naming) -> Option<()> {
        let clock = self.clock;
        let (sessions, devices) = (&self.sessions.sessions, &self.sessions.devices);
        let read = match kind {
            frame::SESSION => body.session(clock)?.map(|it| {
                sessions.change(sessions.of(it.half()), |shelf| _ = put(&mut shelf.sessions, it));
            }),
            frame::ENDED => body.ended(clock)?.map(|it| {
                sessions.change(sessions.of(it.half()), |shelf| _ = put(&mut shelf.ended, it));
            }),
            frame::DEVICE => body.device(clock)?.map(|it| {
                devices.change(devices.of(it.half()), |shelf| _ = put(&mut shelf.devices, it));
            }),
            frame::RESERVATION => body.reservation(clock)?.map(|it| {
                devices.change(devices.of(it.half()), |shelf| _ = put(&mut shelf.reservations, it));
            }),
            frame::NAME => Some(self.numbers.learn(body, naming)?),
            _ => return None,
        };
        self.restored.expired += usize::from(read.is_none());
        Some(())
    }

    /// Gives every record its numbers of today, and counts it.
    fn finish(self) -> (Sessions, Restored) {
        let Restoring { sessions, numbers, mut restored, .. } = self;
        let books = &sessions.books;
        let keep = |known: bool, room: &Bounded, restored: &mut Restored| {
            let kept = known && room.add();
            restored.dropped += usize::from(!known);
            restored.no_room += usize::from(known && !kept);
            kept
        };
        for shelf in 0..sessions.sessions.count() {
            sessions.sessions.change(shelf, |shelf| {
                shelf.sessions.retain(|it| {
                    let known = numbers.source(&mut it.source) && numbers.place(&mut it.place, &mut restored);
                    if !numbers.source(&mut it.access) {
                        it.access = it.source;
                    }
                    let kept = keep(known, &books.sessions, &mut restored);
                    if kept {
                        books.enter(it);
                        restored.sessions += 1;
                    }
                    kept
                });
                shelf.ended.retain(|it| keep(numbers.source(&mut it.source), &books.ended, &mut restored));
            });
        }
        for shelf in 0..sessions.devices.count() {
            sessions.devices.change(shelf, |shelf| {
                shelf.devices.retain(|it| {
                    let lns = numbers.lns(&mut it.lns);
                    if it.session.is_some() {
                        return numbers.source(&mut it.source);
                    }
                    let kept = keep(lns, &books.memories, &mut restored);
                    restored.memories += usize::from(kept);
                    kept
                });
                shelf.reservations.retain(|it| {
                    let known = numbers.source(&mut it.source) && numbers.place(&mut it.place, &mut restored);
                    let kept = keep(known, &books.reservations, &mut restored);
                    if kept {
                        books.each(it.place, Load::reserve);
                        restored.reservations += 1;
                    }
                    kept
                });
            });
        }
        (sessions, restored)
    }
}

/// The numbers of the file as they are now.
#[derive(Default)]
struct Numbers(HashMap<(Kind, u32), u32>);

impl Numbers {
    /// `None` if that is no name.
    fn learn(&mut self, body: Decoder<'_>, naming: &dyn Naming) -> Option<()> {
        let (kind, before, name) = body.name()?;
        let kind = Kind::of(kind)?;
        if let Some(number) = naming.number(kind, name) {
            self.0.insert((kind, before), number);
        }
        Some(())
    }

    /// Whether there still is one.
    fn renew(&self, kind: Kind, number: &mut u32) -> bool {
        let found = self.0.get(&(kind, *number));
        *number = found.copied().unwrap_or(*number);
        found.is_some()
    }

    fn source(&self, source: &mut SourceId) -> bool {
        self.renew(Kind::Source, &mut source.0)
    }

    /// One that is gone is nowhere.
    fn lns(&self, lns: &mut At) -> bool {
        let known = *lns != At::NOWHERE && self.renew(Kind::Lns, &mut lns.0);
        *lns = if known { *lns } else { At::NOWHERE };
        known
    }

    fn place(&self, place: &mut Place, restored: &mut Restored) -> bool {
        let had_lns = place.lns != At::NOWHERE;
        let known =
            self.renew(Kind::Contract, &mut place.contract.0) && self.renew(Kind::Customer, &mut place.customer.0);
        if !self.lns(&mut place.lns) && had_lns && known {
            restored.without_lns += 1;
        }
        known
    }
}
