//! Accounting of hosted accounts' sessions: counted, and recorded here.

use std::time::Duration;

use sekisho_abi::Reason;
use sekisho_wire::{attr, nai::Place, verify::Verified};

use super::{
    accept::Told,
    login::local_part,
    sessions::{Report, Whose},
};
use crate::{
    access::{
        accounting::{INTERIM, START, STOP, TUNNEL_LINK_START, TUNNEL_LINK_STOP},
        said,
    },
    edits::apply_policies,
    engine::Engine,
    fanout::accounting_pools,
    packet::{Action, Packet},
    recording::{Claim, Holder},
    snapshot::{Access, Customer, Group, PoolId, RealmId},
    time::Time,
    verdict::Arrival,
};

/// From one look for expired sessions to the next, each on another part of them.
const SWEEP: Duration = Duration::from_millis(250);

impl Engine {
    /// A record of a session whose realm is answered here.
    pub(crate) fn account_login(
        &mut self,
        arrival: &Arrival<'_>,
        group: &Group,
        (realm, place): (RealmId, Option<Place>),
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let request = verified.layout().packet(packet.buf.bytes());
        let status = verified.layout().acct_status(packet.buf.bytes());
        self.count_hosted(arrival, group, (realm, place), None, status, request);
        let contract = Some(Holder::Group(group.id));
        let claim = Claim { customer: Some(group.customer), contract, realm: Some(realm) };
        self.record_here(arrival, claim, verified, packet)
    }

    /// Counts what a record says of a hosted account's session.
    pub(crate) fn count_hosted(
        &self,
        arrival: &Arrival<'_>,
        group: &Group,
        (realm, place): (RealmId, Option<Place>),
        access: Option<&Access>,
        status: Option<u32>,
        request: &[u8],
    ) {
        let id = said::plain(request, attr::ACCT_SESSION_ID).filter(|id| !id.is_empty());
        let (nas, session) = match access {
            Some(access) => {
                (said::nas_name(request).unwrap_or_default(), said::session_parts(access.session_name, request))
            }
            // A terminal is one NAS, whatever it calls itself.
            None => (&[][..], id.map(|id| [&b"session"[..], &[], id])),
        };
        let Some(session) = session else { return };
        let (user, calling) = (local_part(arrival.client, place, request), said::calling(arrival.snapshot, request));
        let hosted = &self.settings.hosted;
        let account = hosted.accounts.find(group.id, realm, user);
        let own = account.as_ref().map_or(&[][..], |account| account.reply());
        let told = Told::new(arrival.client, group, own);
        let promised = |kind| said::number(request, kind).or_else(|| told.number(kind));
        let lasts = hosted.sessions.lasts(promised(attr::ACCT_INTERIM_INTERVAL), promised(attr::SESSION_TIMEOUT));
        let (snapshot, client, event) = (arrival.snapshot, arrival.client, self.event(arrival, request));
        let whose = Whose { snapshot, group, realm, user, calling: &calling, client, nas, event };
        let report = Report { whose, session: &session, lasts };
        let links = access.is_some_and(|access| access.counts_links);
        // One of several bearers has ended, but not the last.
        let goes_on =
            access.is_some_and(|it| it.multi_bearer) && said::bearer(request).is_some() && !said::is_last(request);
        match status {
            Some(START) => hosted.sessions.is_alive(arrival.now, &report),
            Some(TUNNEL_LINK_START) if links => hosted.sessions.is_alive(arrival.now, &report),
            Some(INTERIM) => hosted.sessions.is_alive(arrival.now, &report),
            Some(STOP) if goes_on => hosted.sessions.is_alive(arrival.now, &report),
            Some(STOP) => hosted.sessions.stop(arrival.now, &report),
            Some(TUNNEL_LINK_STOP) if links => hosted.sessions.stop(arrival.now, &report),
            _ => {}
        }
    }

    /// A terminal of a customer's with `group` contracts begins or ends: its sessions are over. Recorded here, and told to the customer's
    /// home servers where it has any.
    pub(crate) fn restart_hosted(
        &mut self,
        arrival: &Arrival<'_>,
        customer: &Customer,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let event = self.event(arrival, verified.layout().packet(packet.buf.bytes()));
        self.settings.hosted.sessions.restarted(arrival.snapshot, arrival.client, &[], event);
        let claim = Claim { customer: Some(customer.id), ..Claim::default() };
        let pools: Vec<PoolId> = accounting_pools(arrival.snapshot, customer).collect();
        if pools.is_empty() {
            return self.record_here(arrival, claim, verified, packet);
        }
        let verified = apply_policies(arrival.client, verified, &mut packet.buf)?;
        self.fan_out(arrival, pools.into_iter(), Some(claim), &verified, packet)
    }

    /// Forgets sessions that have expired, a few times a second.
    pub(crate) fn sweep_hosted(&mut self, now: Time) {
        if now >= self.next_sweep {
            self.next_sweep = now + SWEEP;
            self.settings.hosted.sessions.sweep(now);
        }
    }
}
