//! Why a login for a hosted account is refused, and the Reject that does not say so.

use sekisho_abi::Reason;
use sekisho_wire::{
    build::{turn_into_reply, write_reply},
    code::Code,
    verify::Verified,
};

use super::login::Login;
use crate::{
    engine::Engine,
    packet::{Action, Packet},
    reasons::unwritable,
    refusal::{Attributes, Cause},
    stats::{Counter, Rejected},
    table::State,
    verdict::Arrival,
};

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Unknown,
    Password,
    Disabled,
    Expired,
    Calling,
    Sessions,
    Locked,
    Protocol,
    Busy,
}

impl Why {
    fn counter(self, rejected: &Rejected) -> &Counter {
        match self {
            Why::Unknown => &rejected.unknown,
            Why::Password => &rejected.password,
            Why::Disabled => &rejected.disabled,
            Why::Expired => &rejected.expired,
            Why::Calling => &rejected.calling,
            Why::Sessions => &rejected.sessions,
            Why::Locked => &rejected.locked,
            Why::Protocol => &rejected.protocol,
            Why::Busy => &rejected.busy,
        }
    }
}

/// A login that gets no Accept.
pub(super) enum Refused<'s> {
    /// For what it is.
    Login(Why),
    /// There is no LNS for it; and what the subscriber is told.
    Tunnel(Cause, Option<&'s str>),
}

impl Engine {
    /// The Reject that every login gets that is refused for what it is.
    pub(super) fn refuse_login(
        &mut self,
        arrival: &Arrival<'_>,
        login: &Login<'_>,
        why: Why,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        self.count_refusal(login, why);
        let challenge = self.random.authenticator();
        let attributes = Attributes::unexplained(verified.layout().packet(packet.buf.bytes()), &challenge);
        turn_into_reply(&mut packet.buf, verified, Code::ACCESS_REJECT, login.secret(), &attributes.all())
            .map_err(unwritable)?;
        let request = self.record(arrival, Some(login.realm), State::Answered, packet.buf.bytes());
        let index = self.table.insert(request);
        Ok(self.reject_in_time(arrival.now, arrival.snapshot, index, login.client.reject_delay))
    }

    /// The Accept would be longer than a packet may be. Its request stands in the scratch buffer; a Reject fits.
    pub(super) fn refuse_unwritten(
        &mut self,
        arrival: &Arrival<'_>,
        login: &Login<'_>,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        warn_of_length(login);
        let request = self.scratch.bytes();
        self.with_session(login, request, |whose| self.settings.hosted.sessions.give_back(whose));
        let (id, authenticator) = (arrival.key.id, &arrival.fingerprint.authenticator);
        let attributes = Attributes::of(Cause::InvalidValue, request);
        let (code, secret) = (Code::ACCESS_REJECT, login.secret());
        write_reply(&mut packet.buf, code, id, authenticator, secret, request, &attributes.all())
            .map_err(|_| Reason::TooLong)?;
        let request = self.record(arrival, Some(login.realm), State::Answered, packet.buf.bytes());
        let index = self.table.insert(request);
        Ok(self.reject_in_time(arrival.now, arrival.snapshot, index, login.client.reject_delay))
    }

    pub(super) fn count_refusal(&self, login: &Login<'_>, why: Why) {
        why.counter(&login.group.stats.worker(self.settings.worker).rejected).increment();
        tracing::debug!(client = login.client.contract, contract = login.group.contract, ?why, "refused");
    }
}

/// Tells the operator of reply attributes that do not fit.
pub(super) fn warn_of_length(login: &Login<'_>) {
    tracing::warn!(
        contract = login.group.contract,
        "an Accept would be longer than 4096 octets, and has become a Reject: give the contract, its accounts, or the \
         terminal's reply_policy fewer attributes"
    );
}
