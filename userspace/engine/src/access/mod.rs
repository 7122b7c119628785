//! Requests from an access network: the operator's own equipment, which all customers share.
//!
//! A login from there gets an answer whatever becomes of it. A few that get none make a gateway take this node for dead, and then
//! no customer is served; so what is refused, what comes too often for its realm, and what there is no room for all gets a
//! Reject. Accounting that nobody records gets silence, here as elsewhere, since an acknowledged record is gone (RFC 2866 §4.1).
//!
//! A realm is looked for among those of all customers, and its customer's contract of the kind `vpdn` and of the network's type
//! would serve it.

use sekisho_abi::Reason;
use sekisho_wire::{build::turn_into_reply, code::Code, verify::Verified};

use crate::{
    engine::Engine,
    packet::{Action, Packet},
    reasons::unwritable,
    refusal::{Attributes, Cause},
    route::access_realm,
    verdict::Arrival,
};

impl Engine {
    /// The verdict table for an access network. No contract serves its logins yet, so each of them is refused.
    pub(crate) fn follow_access(
        &mut self,
        arrival: &Arrival<'_>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let Arrival { now, snapshot, client, .. } = *arrival;
        let layout = verified.layout();
        if self.loops(layout, packet.buf.bytes()) {
            self.stats.loops.increment();
            tracing::debug!(client = client.contract, "proxy loop: the request has been here before");
            return self.refuse(arrival, None, Cause::NotRoutable, verified, packet);
        }
        let realm = access_realm(snapshot, packet.buf.bytes(), layout);
        let is_login = layout.code == Code::ACCESS_REQUEST;
        let (cause, verdict) = if is_login && !self.settings.limiter.admits(now, client, realm) {
            self.stats.rejected_limited.increment();
            (Cause::NoResources, "refused: too many for its realm")
        } else {
            (Cause::NotRoutable, "refused: no contract serves the realm")
        };
        let name = realm.and_then(|id| snapshot.realm(id)).map(|realm| realm.name.as_str());
        tracing::debug!(client = client.contract, code = layout.code.name(), realm = name, verdict, "request");
        self.refuse(arrival, realm, cause, verified, packet)
    }

    /// A login from an access network for which there is no room gets a Reject at once. It is not remembered: a repetition is
    /// judged anew.
    pub(crate) fn refuse_for_room(
        &mut self,
        arrival: &Arrival<'_>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let attributes = Attributes::of(Cause::NoResources, verified.layout().packet(packet.buf.bytes()));
        turn_into_reply(&mut packet.buf, verified, Code::ACCESS_REJECT, arrival.secret(), &attributes.all())
            .map_err(unwritable)?;
        self.stats.rejected_full.increment();
        self.stats.replies.reject.increment();
        Ok(Action::Send(arrival.key.path()))
    }
}
