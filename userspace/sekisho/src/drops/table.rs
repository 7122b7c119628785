//! The table of what is dropped: one row for each sender, reason and place.

use std::{collections::HashMap, net::IpAddr};

use sekisho_abi::{Reason, SourceKey, address_bytes};
use sekisho_engine::{snapshot::RoutingSnapshot, time::Time};

use super::Sample;
use crate::report;

/// Rows at most; the one that nothing was added to for longest goes.
const ROWS: usize = 1024;
/// Rates are taken over so many whole seconds.
const OVER: usize = 3;
const SECOND: u64 = 1_000_000_000;

/// Who dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The gate.
    Kernel,
    /// A worker.
    Userspace,
}

impl Place {
    /// As metrics have it.
    pub const fn name(self) -> &'static str {
        match self {
            Place::Kernel => "kernel",
            Place::Userspace => "userspace",
        }
    }
}

/// Drops by sender, reason and place; those over a session's limit by session too.
#[derive(Debug, Default)]
pub struct Table {
    rows: HashMap<Key, Row>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    place: Place,
    domain: u32,
    source: IpAddr,
    reason: Reason,
    session: u64,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    total: u64,
    ifindex: u32,
    first: Time,
    last: Time,
    /// Drops in the second of `last` and those before it, by the second's number modulo their count.
    seconds: [u64; OVER + 1],
}

impl Table {
    /// Adds drops to the row that a sample names.
    pub fn add(&mut self, now: Time, place: Place, sample: &Sample, count: u64) {
        let Sample { source, domain, ifindex, reason, .. } = *sample;
        // Of all other reasons a row for each session would say no more, and there may be as many as packets.
        let session = if reason == Reason::SessionRate { sample.session } else { 0 };
        let key = Key { place, domain, source, reason, session };
        if !self.rows.contains_key(&key) && self.rows.len() >= ROWS {
            self.drop_oldest();
        }
        let new = Row { total: 0, ifindex, first: now, last: now, seconds: [0; OVER + 1] };
        self.rows.entry(key).or_insert(new).add(now, ifindex, count);
    }

    /// As rows for people, the most at present first.
    pub fn report(&self, now: Time, snapshot: &RoutingSnapshot) -> Vec<report::Drop> {
        let homes = homes(snapshot);
        let mut interfaces = HashMap::new();
        let rows = self.rows.iter().map(|(key, row)| {
            let interface = interfaces.entry(row.ifindex).or_insert_with(|| interface(row.ifindex)).clone();
            let sender = sender(key, snapshot, &homes);
            report::Drop {
                place: key.place.name().to_owned(),
                source: key.source,
                interface,
                customer: sender.map(|(customer, _)| customer.to_owned()).filter(|customer| !customer.is_empty()),
                name: sender.map(|(_, name)| name.to_owned()),
                reason: key.reason.name().to_owned(),
                session: (key.session != 0).then(|| format!("{:016x}", key.session)),
                rate: row.rate(now),
                total: row.total,
                last_seen: (now - row.last).as_secs_f64(),
            }
        });
        let mut rows: Vec<report::Drop> = rows.collect();
        let order = |row: &report::Drop| (row.source, row.place.clone(), row.reason.clone(), row.session.clone());
        rows.sort_by(|a, b| {
            let by_rate = b.rate.total_cmp(&a.rate).then(a.last_seen.total_cmp(&b.last_seen));
            by_rate.then_with(|| order(a).cmp(&order(b)))
        });
        rows
    }

    fn drop_oldest(&mut self) {
        let oldest = self.rows.iter().min_by_key(|(key, row)| (row.last, **key)).map(|(key, _)| *key);
        if let Some(key) = oldest {
            self.rows.remove(&key);
        }
    }
}

impl Row {
    fn add(&mut self, now: Time, ifindex: u32, count: u64) {
        self.forget_until(now);
        self.total = self.total.saturating_add(count);
        (self.last, self.ifindex) = (now, ifindex);
        if let Some(second) = self.seconds.get_mut(place(now.0 / SECOND)) {
            *second = second.saturating_add(count);
        }
    }

    /// Empties the places of seconds that have begun since the last drop.
    fn forget_until(&mut self, now: Time) {
        let (from, to) = (self.last.0 / SECOND, now.0 / SECOND);
        for second in (from + 1..=to).take(self.seconds.len()) {
            if let Some(second) = self.seconds.get_mut(place(second)) {
                *second = 0;
            }
        }
    }

    /// Per second, over the last whole seconds that the row has been there; within its first second, over that.
    fn rate(&self, now: Time) -> f64 {
        let mut row = *self;
        row.forget_until(now);
        let (present, first) = (now.0 / SECOND, self.first.0 / SECOND);
        let age = (present - first.min(present)).min(OVER as u64);
        if age == 0 {
            return self.total as f64;
        }
        let whole = (1..=age).filter_map(|ago| row.seconds.get(place(present - ago)));
        whole.sum::<u64>() as f64 / age as f64
    }
}

/// Where a second is counted.
const fn place(second: u64) -> usize {
    second as usize % (OVER + 1)
}

/// Names of home servers, with their customers, by address.
fn homes(snapshot: &RoutingSnapshot) -> HashMap<IpAddr, (&str, &str)> {
    let homes = snapshot.homes.iter().flatten();
    homes.map(|home| (home.address.ip(), (snapshot.customer_name(home.customer), home.name.as_str()))).collect()
}

/// Whose address it is: customer and contract or server.
fn sender<'s>(
    key: &Key,
    snapshot: &'s RoutingSnapshot,
    homes: &HashMap<IpAddr, (&'s str, &'s str)>,
) -> Option<(&'s str, &'s str)> {
    let (domain, address) = (key.domain, address_bytes(key.source));
    let source = snapshot.gate.source(domain, address)?;
    let id = Some(sekisho_engine::snapshot::ClientId(source.id)).filter(|_| source.id != sekisho_abi::Source::NO_ID);
    let id = id.or_else(|| snapshot.dynauth.get(&SourceKey { domain, address }).copied());
    match id.and_then(|id| snapshot.client(id)) {
        Some(client) => Some((snapshot.customer_name(client.customer), &client.contract)),
        None => homes.get(&key.source).copied(),
    }
}

fn interface(index: u32) -> Option<String> {
    use rustix::net::{AddressFamily, SocketType, netdevice};
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None).ok()?;
    netdevice::index_to_name(socket, index).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(last: u8, reason: Reason, session: u64) -> Sample {
        Sample { source: IpAddr::from([192, 0, 2, last]), domain: 7, ifindex: 0, reason, session }
    }

    fn rows(table: &Table, now: Time) -> Vec<(IpAddr, f64, u64)> {
        let rows = table.report(now, &RoutingSnapshot::default());
        rows.iter().map(|row| (row.source, row.rate, row.total)).collect()
    }

    #[test]
    fn a_rate_is_that_of_the_last_seconds_and_a_total_stays() {
        let mut table = Table::default();
        for tenth in 0..30 {
            table.add(Time::from_millis(10_000 + tenth * 100), Place::Kernel, &sample(1, Reason::ClientRate, 0), 50);
        }
        let address = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(rows(&table, Time::from_millis(12_999)), [(address, 500.0, 1500)]);
        assert_eq!(rows(&table, Time::from_millis(14_500)), [(address, 1000.0 / 3.0, 1500)]);
        assert_eq!(rows(&table, Time::from_millis(60_000)), [(address, 0.0, 1500)]);
        table.add(Time::from_millis(60_100), Place::Kernel, &sample(1, Reason::ClientRate, 0), 9);
        assert_eq!(rows(&table, Time::from_millis(61_000)), [(address, 3.0, 1509)]);
    }

    #[test]
    fn place_sender_and_reason_have_rows_of_their_own_and_sessions_where_their_limit_is_meant() {
        let mut table = Table::default();
        let now = Time::from_millis(5_000);
        table.add(now, Place::Kernel, &sample(1, Reason::ClientRate, 11), 1);
        table.add(now, Place::Kernel, &sample(1, Reason::ClientRate, 12), 1);
        table.add(now, Place::Userspace, &sample(1, Reason::ClientRate, 0), 1);
        table.add(now, Place::Kernel, &sample(2, Reason::SessionRate, 11), 4);
        table.add(now, Place::Kernel, &sample(2, Reason::SessionRate, 0xabc), 5);
        let rows = table.report(now, &RoutingSnapshot::default());
        let shown: Vec<(&str, u64, Option<&str>)> =
            rows.iter().map(|row| (row.place.as_str(), row.total, row.session.as_deref())).collect();
        let expected = [
            ("kernel", 5, Some("0000000000000abc")),
            ("kernel", 4, Some("000000000000000b")),
            ("kernel", 2, None),
            ("userspace", 1, None),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_flood_of_strangers_takes_a_bounded_room_and_the_oldest_row_goes() {
        let mut table = Table::default();
        for n in 0..3000_u32 {
            let source = IpAddr::from(n.to_be_bytes());
            let sample = Sample { source, ..sample(1, Reason::Unregistered, 0) };
            table.add(Time::from_millis(1_000 + u64::from(n)), Place::Kernel, &sample, 1);
        }
        let rows = table.report(Time::from_millis(4_000), &RoutingSnapshot::default());
        assert_eq!(rows.len(), ROWS);
        assert_eq!(rows.iter().map(|row| row.source).min(), Some(IpAddr::from(1976_u32.to_be_bytes())));
    }
}
