//! Writing the table.

use std::{
    hash::Hasher as _,
    io::{self, Write},
};

use hashbrown::HashSet;
use siphasher::sip::SipHasher13;

use super::{
    Kind, MAGIC, Naming, VERSION,
    frame::{self, Encoder},
};
use crate::{
    SourceId, Time,
    sessions::{
        Sessions,
        record::{At, Place, seconds},
    },
};

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Sessions.
    pub sessions: usize,
    /// Reservations.
    pub reservations: usize,
    /// Octets.
    pub octets: u64,
}

impl Sessions {
    /// Writes the table; `wall` is the time in Unix seconds. Shelf by shelf: workers wait for no more than one of them to be copied, and
    /// what they change meanwhile is in the file or not. Give it a buffered writer, and put the file in its place when all is
    /// written and synced.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub fn write_to(&self, now: Time, wall: u64, naming: &dyn Naming, out: &mut impl Write) -> io::Result<Written> {
        let now = seconds(now);
        let mut out = Digesting { out, hasher: SipHasher13::new(), octets: 0 };
        out.write(&[&MAGIC[..], &VERSION.to_le_bytes(), &self.seed, &wall.to_le_bytes()].concat())?;
        let (mut written, mut used) = (Written::default(), Used::default());
        let mut frames = Encoder::default();
        for shelf in 0..self.sessions.count() {
            self.restarts.with(|ending| {
                self.sessions.view(shelf, |shelf| {
                    for session in shelf.sessions.iter().filter(|it| !ending.ends(it)) {
                        frames.session(now, session);
                        used.note(session.place, &[session.source, session.access]);
                        written.sessions += 1;
                    }
                    for ended in &shelf.ended {
                        frames.ended(now, ended);
                        used.0.insert((Kind::Source, ended.source.0));
                    }
                });
            });
            out.write(&frames.0)?;
            frames.0.clear();
        }
        for shelf in 0..self.devices.count() {
            self.devices.view(shelf, |shelf| {
                for device in &shelf.devices {
                    frames.device(now, device);
                    used.note_lns(device.lns);
                }
                for reservation in &shelf.reservations {
                    frames.reservation(now, reservation);
                    used.note(reservation.place, &[reservation.source]);
                    written.reservations += 1;
                }
            });
            out.write(&frames.0)?;
            frames.0.clear();
        }
        let mut used: Vec<_> = used.0.into_iter().collect();
        used.sort_unstable();
        for (kind, number) in used {
            // A body's length has two octets; so long a name is found again by nobody, and what has it is dropped then.
            if let Some(name) = naming.name(kind, number).filter(|name| name.len() < 60_000) {
                frames.frame(frame::NAME, |out| {
                    out.u8(kind as u8);
                    out.u32(number);
                    out.bytes(name.as_bytes());
                });
            }
        }
        frames.frame(frame::END, |_| ());
        out.write(&frames.0)?;
        let digest = out.hasher.finish();
        out.write(&digest.to_le_bytes())?;
        out.out.flush()?;
        Ok(Written { octets: out.octets, ..written })
    }
}

/// Numbers that are in the file.
#[derive(Default)]
struct Used(HashSet<(Kind, u32)>);

impl Used {
    fn note(&mut self, place: Place, sources: &[SourceId]) {
        self.0.insert((Kind::Contract, place.contract.0));
        self.0.insert((Kind::Customer, place.customer.0));
        self.0.extend(sources.iter().map(|source| (Kind::Source, source.0)));
        self.note_lns(place.lns);
    }

    fn note_lns(&mut self, lns: At) {
        self.0.extend(lns.id().map(|lns| (Kind::Lns, lns.0)));
    }
}

struct Digesting<'o, W> {
    out: &'o mut W,
    hasher: SipHasher13,
    octets: u64,
}

impl<W: Write> Digesting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.write(bytes);
        self.octets += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}
