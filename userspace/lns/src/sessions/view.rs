//! The table to look at: for the operator, and for who has to find a session by what is known of it.

use std::{fmt, net::IpAddr, time::Duration};

use super::{
    Key, Sessions,
    record::{Device, Flags, Handle, Names, Place, Reservation, Session, seconds},
};
use crate::{ContractId, CustomerId, LnsId, SourceId, Time};

/// Which sessions to list: those that agree with everything that is said.
#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Of this contract.
    pub contract: Option<ContractId>,
    /// On this LNS.
    pub lns: Option<LnsId>,
    /// From this access network, or accounted by this source.
    pub source: Option<SourceId>,
    /// Of this number, in canonical digits.
    pub number: Option<&'a [u8]>,
    /// With this User-Name, to the octet.
    pub user: Option<&'a [u8]>,
    /// So many at most.
    pub limit: usize,
}

impl Default for Filter<'_> {
    fn default() -> Self {
        let (customer, contract, lns, source) = (None, None, None, None);
        Filter { customer, contract, lns, source, number: None, user: None, limit: usize::MAX }
    }
}

/// A session or a reservation. Its `Debug` leaves out who it is.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Which session of its source; `None`: a reservation, whose Start has not come.
    pub session: Option<Key>,
    /// Who accounts for it; of a reservation, the access network.
    pub source: SourceId,
    /// The access network it came from.
    pub access: SourceId,
    /// Its contract.
    pub contract: ContractId,
    /// Whose that is.
    pub customer: CustomerId,
    /// Its LNS, where that is known.
    pub lns: Option<LnsId>,
    /// Its device.
    pub device: Option<Key>,
    /// When it started, by its source's clock, in Unix seconds; zero for a reservation.
    pub started: u64,
    /// How long ago it was last heard of, in seconds.
    pub silent: Duration,
    /// When it is over if nothing is heard.
    pub expires_in: Duration,
    /// Nothing but a day's silence ends it, should its Stop be lost.
    pub estimated: bool,
    /// Its bearers, a bit for each NSAPI.
    pub bearers: u16,
    /// Its address.
    pub framed_ip: Option<IpAddr>,
    /// The subscriber's number.
    pub number: Box<[u8]>,
    /// The subscriber's User-Name.
    pub user: Box<[u8]>,
    /// Where it can be ended, if it can: the NAS's address, and its Acct-Session-Id.
    pub handle: Option<(IpAddr, Box<[u8]>)>,
}

impl Sessions {
    /// Sessions and reservations, at most as many as the filter wants. Looks through the whole table, shelf by shelf: workers wait for
    /// no more than one of them.
    pub fn list(&self, now: Time, filter: &Filter<'_>) -> Vec<SessionView> {
        let now = seconds(now);
        let mut found = Vec::new();
        for shelf in 0..self.sessions.count() {
            let room = filter.limit - found.len();
            self.sessions.view(shelf, |shelf| {
                let wanted =
                    shelf.sessions.iter().filter(|it| filter.wants(it.place, [it.source, it.access], &it.names));
                found.extend(wanted.take(room).map(|session| session.view(now)));
            });
        }
        for shelf in 0..self.devices.count() {
            let room = filter.limit - found.len();
            self.devices.view(shelf, |shelf| {
                let wanted = shelf.reservations.iter();
                let wanted = wanted.filter(|it| filter.wants(it.place, [it.source; 2], &it.names));
                found.extend(wanted.take(room).map(|reservation| reservation.view(now)));
            });
        }
        found
    }

    /// A source's session.
    pub fn find_by_session(&self, now: Time, source: SourceId, session: Key) -> Option<SessionView> {
        self.sessions.view(self.sessions.of(session.half()), |shelf| {
            shelf.session(source, session).map(|session| session.view(seconds(now)))
        })
    }

    /// A device's session, or else its reservation.
    pub fn find_by_device(&self, now: Time, device: Key) -> Option<SessionView> {
        let now = seconds(now);
        let (link, reservation) = self.devices.view(self.devices.of(device.half()), |shelf| {
            (shelf.device(device).and_then(Device::link), shelf.reservation(device).map(|it| it.view(now)))
        });
        let session = link.and_then(|link| {
            self.sessions.view(self.sessions.of(link.session), |shelf| {
                shelf.linked(link, device).map(|session| session.view(now))
            })
        });
        session.or(reservation)
    }
}

impl Filter<'_> {
    fn wants(&self, place: Place, sources: [SourceId; 2], names: &Names) -> bool {
        self.customer.is_none_or(|it| it == place.customer)
            && self.contract.is_none_or(|it| it == place.contract)
            && self.lns.is_none_or(|it| Some(it) == place.lns.id())
            && self.source.is_none_or(|it| sources.contains(&it))
            && self.number.is_none_or(|it| it == names.number())
            && self.user.is_none_or(|it| it == names.user())
    }
}

impl Session {
    fn view(&self, now: u32) -> SessionView {
        SessionView {
            session: Some(self.key),
            source: self.source,
            access: self.access,
            contract: self.place.contract,
            customer: self.place.customer,
            lns: self.place.lns.id(),
            device: self.device,
            started: self.started.into(),
            silent: Duration::from_secs(now.saturating_sub(self.heard).into()),
            expires_in: Duration::from_secs(self.expires.saturating_sub(now).into()),
            estimated: self.flags.has(Flags::ESTIMATE),
            bearers: self.bearers,
            framed_ip: self.framed_ip,
            number: self.names.number().into(),
            user: self.names.user().into(),
            handle: Handle::of(self.names.handle()).map(|handle| (handle.nas, handle.id.into())),
        }
    }
}

impl Reservation {
    fn view(&self, now: u32) -> SessionView {
        SessionView {
            session: None,
            source: self.source,
            access: self.source,
            contract: self.place.contract,
            customer: self.place.customer,
            lns: self.place.lns.id(),
            device: self.of_device.then_some(self.key),
            started: 0,
            silent: Duration::from_secs(now.saturating_sub(self.made).into()),
            expires_in: Duration::from_secs(self.expires.saturating_sub(now).into()),
            estimated: false,
            bearers: 0,
            framed_ip: None,
            number: self.names.number().into(),
            user: self.names.user().into(),
            handle: None,
        }
    }
}

impl fmt::Debug for SessionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionView")
            .field("session", &self.session)
            .field("source", &self.source)
            .field("access", &self.access)
            .field("contract", &self.contract)
            .field("customer", &self.customer)
            .field("lns", &self.lns)
            .field("started", &self.started)
            .field("silent", &self.silent)
            .field("expires_in", &self.expires_in)
            .field("estimated", &self.estimated)
            .field("bearers", &self.bearers)
            .finish_non_exhaustive()
    }
}
