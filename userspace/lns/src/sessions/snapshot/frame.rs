//! Records as octets.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU64,
};

use crate::{
    ContractId, CustomerId, SourceId,
    framed::{Clock, Decoder, Encoder},
    sessions::{
        key::Key,
        record::{At, Device, Ended, Flags, Names, Place, Reservation, Session},
    },
};

pub(super) const SESSION: u8 = 1;
pub(super) const ENDED: u8 = 2;
pub(super) const DEVICE: u8 = 3;
pub(super) const RESERVATION: u8 = 4;
pub(super) const NAME: u8 = 5;

impl Encoder {
    fn key(&mut self, key: Option<Key>) {
        key.map_or([0; 2], Key::to_words).into_iter().for_each(|word| self.u64(word));
    }

    fn place(&mut self, place: Place) {
        [place.contract.0, place.customer.0, place.lns.0].into_iter().for_each(|number| self.u32(number));
    }

    fn names(&mut self, names: &Names) {
        self.u8(names.number().len() as u8);
        self.u8(names.handle().len() as u8);
        self.bytes(names.number());
        self.bytes(names.handle());
        self.bytes(names.user());
    }

    pub(super) fn session(&mut self, now: u32, it: &Session) {
        self.frame(SESSION, |out| {
            out.key(Some(it.key));
            out.u32(it.source.0);
            out.u32(it.access.0);
            out.key(it.device);
            out.u64(it.nas.map_or(0, NonZeroU64::get));
            out.place(it.place);
            out.u32(it.started);
            out.u32(it.event);
            out.u32(now.saturating_sub(it.heard));
            out.u32(it.interim);
            out.u32(it.expires.saturating_sub(now));
            out.u16(it.bearers);
            out.u8(it.flags.0);
            match it.framed_ip {
                None => out.u8(0),
                Some(IpAddr::V4(address)) => {
                    out.u8(4);
                    out.bytes(&address.octets());
                }
                Some(IpAddr::V6(address)) => {
                    out.u8(16);
                    out.bytes(&address.octets());
                }
            }
            out.names(&it.names);
        });
    }

    pub(super) fn ended(&mut self, now: u32, it: &Ended) {
        self.frame(ENDED, |out| {
            out.key(Some(it.key));
            out.u32(it.source.0);
            out.u32(it.event);
            out.u32(it.until.saturating_sub(now));
            out.u16(it.bearers);
        });
    }

    pub(super) fn device(&mut self, now: u32, it: &Device) {
        self.frame(DEVICE, |out| {
            out.key(Some(it.key));
            out.u64(it.session.map_or(0, NonZeroU64::get));
            out.u32(it.source.0);
            out.u32(it.lns.0);
            out.u32(it.sticky);
            out.u32(it.until.saturating_sub(now));
        });
    }

    pub(super) fn reservation(&mut self, now: u32, it: &Reservation) {
        self.frame(RESERVATION, |out| {
            out.key(Some(it.key));
            out.u32(it.source.0);
            out.place(it.place);
            out.u32(now.saturating_sub(it.made));
            out.u32(it.expires.saturating_sub(now));
            out.u8(it.of_device.into());
            out.u8(it.accounted.into());
            out.names(&it.names);
        });
    }
}

/// A record that was read; `None` in it: its time is over.
pub(super) type Timed<T> = Option<T>;

impl Decoder<'_> {
    fn key(&mut self) -> Option<Option<Key>> {
        let words = [self.u64()?, self.u64()?];
        Some(Key::from_words(words))
    }

    fn place(&mut self) -> Option<Place> {
        Some(Place { contract: ContractId(self.u32()?), customer: CustomerId(self.u32()?), lns: At(self.u32()?) })
    }

    fn names(mut self) -> Option<Names> {
        let [number, handle] = [self.u8()?, self.u8()?].map(usize::from);
        let (number, handle) = (self.bytes(number)?, self.bytes(handle)?);
        Some(Names::new(number, self.rest(), handle))
    }

    fn ip(&mut self) -> Option<Option<IpAddr>> {
        Some(match self.u8()? {
            0 => None,
            4 => Some(Ipv4Addr::from(self.array()?).into()),
            16 => Some(Ipv6Addr::from(self.array::<16>()?).into()),
            _ => return None,
        })
    }

    pub(super) fn session(mut self, clock: Clock) -> Option<Timed<Session>> {
        let key = self.key()??;
        let (source, access) = (SourceId(self.u32()?), SourceId(self.u32()?));
        let (device, nas, place) = (self.key()?, NonZeroU64::new(self.u64()?), self.place()?);
        let (started, event, silent) = (self.u32()?, self.u32()?, self.u32()?);
        let (interim, left) = (self.u32()?, self.u32()?);
        let (bearers, flags, framed_ip) = (self.u16()?, Flags(self.u8()?), self.ip()?);
        let (heard, names) = (clock.ago(silent), self.names()?);
        Some(clock.until(left).map(|expires| Session {
            key,
            source,
            access,
            device,
            nas,
            place,
            names,
            framed_ip,
            started,
            event,
            heard,
            interim,
            expires,
            bearers,
            flags,
        }))
    }

    pub(super) fn ended(mut self, clock: Clock) -> Option<Timed<Ended>> {
        let (key, source, event) = (self.key()??, SourceId(self.u32()?), self.u32()?);
        let (left, bearers) = (self.u32()?, self.u16()?);
        Some(clock.until(left).map(|until| Ended { key, source, event, until, bearers }))
    }

    pub(super) fn device(mut self, clock: Clock) -> Option<Timed<Device>> {
        let (key, session) = (self.key()??, NonZeroU64::new(self.u64()?));
        let (source, lns) = (SourceId(self.u32()?), At(self.u32()?));
        let (sticky, left) = (self.u32()?, self.u32()?);
        let until = if session.is_some() { Some(clock.now) } else { clock.until(left) };
        Some(until.map(|until| Device { key, session, source, lns, sticky, until }))
    }

    pub(super) fn reservation(mut self, clock: Clock) -> Option<Timed<Reservation>> {
        let (key, source, place) = (self.key()??, SourceId(self.u32()?), self.place()?);
        let (made, left) = (clock.ago(self.u32()?), self.u32()?);
        let (of_device, accounted) = (self.u8()? != 0, self.u8()? != 0);
        let names = self.names()?;
        Some(clock.until(left).map(|expires| Reservation {
            key,
            source,
            place,
            made,
            expires,
            names,
            of_device,
            accounted,
        }))
    }
}
