//! The table on disk, so that a restart does not let every account in once more.
//!
//! A [`framed`](sekisho_lns::framed) file: records, and the names of the clients, realms and contracts in them, which have other numbers
//! in another process. It holds subscribers' names and numbers and the secret seed of the keys: nobody but its owner may read it.
//!
//! ```text
//! header   "sekisho\0accounts", version (2), seed (32), Unix seconds (8)
//! ```

use std::{
    collections::{HashMap, HashSet},
    io::{self, Read, Write},
    sync::{Arc, PoisonError, atomic::Ordering::Relaxed},
};

use sekisho_lns::framed::{Clock, Decoder, Encoder, Reader, RestoreError, Writer};

use super::{
    Sessions, Settings, seconds,
    shelf::{Entry, Short, State},
};
use crate::{
    snapshot::{ClientId, GroupId, RealmId, RealmService, RoutingSnapshot},
    time::Time,
};

const MAGIC: [u8; 16] = *b"sekisho\0accounts";
const VERSION: u16 = 1;

/// Kinds of frames.
const RECORD: u8 = 1;
const NAME: u8 = 2;

/// What has a number in one process, and a name in all.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
enum Kind {
    Client = 0,
    Realm = 1,
    Group = 2,
}

/// What was restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Sessions, reservations and remembered ends.
    pub records: usize,
    /// Those whose time was over before they were read.
    pub expired: usize,
    /// Those of clients, realms or contracts that are there no more.
    pub dropped: usize,
    /// Those that were too many.
    pub no_room: usize,
}

impl Sessions {
    /// Writes the table, and says how many records it has; `wall` is the time in Unix seconds. Part by part: workers wait for no more
    /// than one of them to be copied, and what they change meanwhile is in the file or not. Give it a buffered writer, and put the file
    /// in its place when all is written and synced.
    ///
    /// # Errors
    ///
    /// What `out` says.
    pub fn write_to(&self, now: Time, wall: u64, snapshot: &RoutingSnapshot, out: impl Write) -> io::Result<usize> {
        let now = seconds(now);
        let mut out = Writer::begin(out, &MAGIC, VERSION, &[&self.seed, &wall.to_le_bytes()])?;
        let (mut frames, mut used, mut records) = (Encoder::default(), HashSet::new(), 0);
        for shelf in &self.shelves {
            for entry in shelf.lock().unwrap_or_else(PoisonError::into_inner).everything() {
                frames.frame(RECORD, |out| write(entry, now, out));
                used.extend(numbers(entry));
                records += 1;
            }
            out.write(&mut frames)?;
        }
        for (kind, number) in used {
            if let Some(name) = name(snapshot, kind, number) {
                frames.name(NAME, kind as u8, number, &name);
            }
        }
        out.write(&mut frames)?;
        out.end()?;
        Ok(records)
    }

    /// The table that [`Sessions::write_to`] has written, with the seed of its keys. `wall` is the time in Unix seconds: what passed
    /// since the file was written has passed for its sessions. Nothing is counted before all is read and found whole.
    ///
    /// # Errors
    ///
    /// Why there is nothing to be restored.
    pub fn restore(
        settings: Settings,
        input: impl Read,
        now: Time,
        wall: u64,
        snapshot: &RoutingSnapshot,
    ) -> Result<(Sessions, Restored), RestoreError> {
        let mut input = Reader::begin(input, &MAGIC, VERSION)?;
        let sessions = Sessions::new(settings, input.array()?);
        let clock = Clock::new(seconds(now), u64::from_le_bytes(input.array()?), wall);
        let todays = Todays::of(snapshot);
        let (mut read, mut numbers, mut restored) = (Vec::new(), HashMap::new(), Restored::default());
        while let Some((kind, body)) = input.frame()? {
            let taken = match kind {
                RECORD => Record::read(body, clock).map(|record| match record {
                    Some(record) if read.len() < settings.max_sessions => read.push(record),
                    Some(_) => restored.no_room += 1,
                    None => restored.expired += 1,
                }),
                NAME => body.name().map(|(kind, before, name)| {
                    if let Some(number) = todays.0.get(&(kind, name.to_owned())) {
                        numbers.insert((kind, before), *number);
                    }
                }),
                _ => None,
            };
            taken.ok_or(RestoreError::Damaged("a record is not what one is"))?;
        }
        // The youngest are the first that are looked at, reservations above all.
        read.sort_unstable_by_key(|record: &Record| (record.state == State::Reserved, record.since));
        for record in read {
            match record.entry(snapshot, &numbers) {
                Some(entry) => sessions.put_back(entry),
                None => restored.dropped += 1,
            }
        }
        restored.records = sessions.counts().records;
        sessions.untracked.store(restored.no_room as u64, Relaxed);
        Ok((sessions, restored))
    }
}

fn numbers(entry: &Entry) -> [(Kind, u32); 3] {
    [(Kind::Client, entry.client.0), (Kind::Realm, entry.realm.0), (Kind::Group, entry.group.0)]
}

/// As names go into the file: with whose they are, if they are anybody's. No such name has a slash.
fn name(snapshot: &RoutingSnapshot, kind: Kind, number: u32) -> Option<String> {
    let of = |owner, name: &str| format!("{}/{name}", snapshot.customer_name(owner));
    Some(match kind {
        Kind::Client => snapshot.client(ClientId(number)).map(|it| of(it.customer, &it.contract))?,
        Kind::Realm => snapshot.realm(RealmId(number)).map(|it| of(it.customer, &it.name))?,
        Kind::Group => snapshot.group(GroupId(number)).map(|it| of(it.customer, &it.contract))?,
    })
}

/// The numbers that names have now.
struct Todays(HashMap<(u8, String), u32>);

impl Todays {
    fn of(snapshot: &RoutingSnapshot) -> Todays {
        let kinds = [
            (Kind::Client, snapshot.clients.len()),
            (Kind::Realm, snapshot.realms.len()),
            (Kind::Group, snapshot.groups.len()),
        ];
        let numbers = kinds.into_iter().flat_map(|(kind, count)| (0..count as u32).map(move |number| (kind, number)));
        Todays(
            numbers.filter_map(|(kind, number)| Some(((kind as u8, name(snapshot, kind, number)?), number))).collect(),
        )
    }
}

fn write(entry: &Entry, now: u32, out: &mut Encoder) {
    out.u8(match entry.state {
        State::Reserved => 0,
        State::Active => 1,
        State::Ended => 2,
    });
    numbers(entry).into_iter().for_each(|(_, number)| out.u32(number));
    [entry.account, entry.source, entry.session, entry.device].into_iter().for_each(|hash| out.u64(hash));
    out.u32(entry.since);
    out.u32(entry.expires.saturating_sub(now));
    out.u32(entry.again.saturating_sub(now));
    let (user, number) = (entry.user.octets(), entry.number.octets());
    out.u8(user.len() as u8);
    out.bytes(user);
    out.bytes(number);
}

/// A record of the file, whose numbers are those of the process that wrote it.
struct Record {
    state: State,
    client: u32,
    realm: u32,
    group: u32,
    hashes: [u64; 4],
    since: u32,
    expires: u32,
    again: u32,
    user: Short<{ super::SessionView::USER }>,
    number: Short<{ super::SessionView::NUMBER }>,
}

impl Record {
    /// `Some(None)`: its time is over.
    fn read(mut body: Decoder<'_>, clock: Clock) -> Option<Option<Record>> {
        let state = match body.u8()? {
            0 => State::Reserved,
            1 => State::Active,
            2 => State::Ended,
            _ => return None,
        };
        let [client, realm, group] = [body.u32()?, body.u32()?, body.u32()?];
        let hashes = [body.u64()?, body.u64()?, body.u64()?, body.u64()?];
        let (since, left, again) = (body.u32()?, body.u32()?, body.u32()?);
        let count = body.u8()?.into();
        let user = Short::of(body.bytes(count)?);
        let number = Short::of(body.rest());
        let again = clock.until(again).unwrap_or(0);
        let record = |expires| Record { state, client, realm, group, hashes, since, expires, again, user, number };
        Some(clock.until(left).map(record))
    }

    /// With the numbers of today; `None` where it has none. A contract that is there no more, though its realm is, was followed by another.
    fn entry(self, snapshot: &RoutingSnapshot, numbers: &HashMap<(u8, u32), u32>) -> Option<Entry> {
        let today = |kind: Kind, number| numbers.get(&(kind as u8, number)).copied();
        let (client, realm) = (today(Kind::Client, self.client)?, today(Kind::Realm, self.realm)?);
        let followed = || match snapshot.realm(RealmId(realm))?.service? {
            RealmService::Group(group) => Some(group),
            RealmService::Proxy(_) => None,
        };
        let group = today(Kind::Group, self.group).map(GroupId).or_else(followed)?;
        let group = snapshot.group(group)?;
        let [account, source, session, device] = self.hashes;
        Some(Entry {
            account,
            source,
            session,
            device,
            since: self.since,
            expires: self.expires,
            again: self.again,
            realm: RealmId(realm),
            group: group.id,
            client: ClientId(client),
            contract: Arc::clone(&group.sessions),
            user: self.user,
            number: self.number,
            state: self.state,
        })
    }
}
