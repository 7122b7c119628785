//! Writing the table.

use std::io::{self, Write};

use hashbrown::HashSet;

use super::{Kind, MAGIC, Naming, VERSION, frame};
use crate::{
    SourceId, Time,
    framed::{Encoder, Writer},
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
        let mut out = Writer::begin(out, &MAGIC, VERSION, &[&self.seed, &wall.to_le_bytes()])?;
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
            out.write(&mut frames)?;
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
            out.write(&mut frames)?;
        }
        let mut used: Vec<_> = used.0.into_iter().collect();
        used.sort_unstable();
        for (kind, number) in used {
            if let Some(name) = naming.name(kind, number) {
                frames.name(frame::NAME, kind as u8, number, &name);
            }
        }
        out.write(&mut frames)?;
        Ok(Written { octets: out.end()?, ..written })
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
