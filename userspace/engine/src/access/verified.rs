//! A home server's answer to an access network's login: what of it goes on, and the tunnels that join an Accept.

use sekisho_wire::{buf::Buf, build::extend_reply, code::Code, forward::RewriteError, verify::VerifiedReply};

use super::tunnels::{self, Caller, Hiding};
use crate::{
    engine::Engine,
    refusal::Cause,
    snapshot::{Access, Client, ClientRole, RoutingSnapshot, Verify, Vpdn},
    table::Request,
    time::Time,
};

/// An access network's login under way to a home server.
#[derive(Clone, Copy)]
pub(crate) struct Login<'s> {
    access: &'s Access,
    pub(crate) contract: &'s Vpdn,
}

/// Why an Accept becomes a Reject.
pub(crate) struct NoTunnel<'s> {
    pub(crate) cause: Cause,
    /// What the subscriber is told.
    pub(crate) message: Option<&'s str>,
}

impl<'s> Login<'s> {
    /// The request's, if it came from an access network.
    pub(crate) fn of(routed: &'s RoutingSnapshot, client: &'s Client, request: &Request) -> Option<Login<'s>> {
        let ClientRole::AccessNetwork(kind) = client.role else { return None };
        let realm = routed.realm(request.realm?)?;
        let contract = routed.vpdn(realm.vpdn.get(kind.index()).copied().flatten()?)?;
        Some(Login { access: client.access.as_deref()?, contract })
    }

    /// Takes out of a reply what a customer's home server has no business to say to the operator's equipment.
    pub(crate) fn restrict(&self, reply: &mut VerifiedReply, buf: &mut Buf) -> Result<(), RewriteError> {
        match &self.contract.verify {
            Verify::Proxy { allowed, .. } => allowed.edit_reply(buf, reply),
            Verify::Realm | Verify::Group(_) => Ok(()),
        }
    }

    /// What an Accept may give as address; empty: anything that is allowed at all.
    pub(crate) fn framed_networks(&self) -> &'s [(std::net::IpAddr, u8)] {
        match &self.contract.verify {
            Verify::Proxy { framed_networks, .. } => framed_networks,
            Verify::Realm | Verify::Group(_) => &[],
        }
    }
}

impl Engine {
    /// Appends the tunnels to an Accept that is complete but for its seal; `salt` begins those that it has not used.
    pub(crate) fn join_tunnels<'s>(
        &self,
        now: Time,
        routed: &RoutingSnapshot,
        login: &Login<'s>,
        (client, request): (&Client, &Request),
        salt: u16,
        buf: &mut Buf,
    ) -> Result<Option<NoTunnel<'s>>, RewriteError> {
        if buf.bytes().first() != Some(&Code::ACCESS_ACCEPT.0) {
            return Ok(None);
        }
        let Login { access, contract } = *login;
        let sessions = &*self.settings.sessions;
        let sent = self.store.bytes(&request.bytes);
        let user = match &request.whole_name {
            Some(whole) => self.store.bytes(&whole.name),
            None => super::said::plain(sent, sekisho_wire::attr::USER_NAME).unwrap_or_default(),
        };
        let caller = Caller::of(sessions, routed, contract, sent, user);
        let chosen = tunnels::choose(now, sessions, contract, client.source(), &caller);
        let result = chosen.as_ref().map(|chosen| chosen.why).map_err(|refused| *refused);
        tunnels::counter(contract.stats.worker(self.settings.worker), result).increment();
        let chosen = match chosen {
            Ok(chosen) => chosen,
            Err(refused) => {
                tracing::debug!(contract = contract.contract, ?refused, "no LNS");
                let message = contract.full_message.as_deref().filter(|_| tunnels::is_full(refused));
                return Ok(Some(NoTunnel { cause: tunnels::cause(refused), message }));
            }
        };
        let secret = client.secret_of(request.by_previous);
        let hiding = Hiding { secret, authenticator: &request.fingerprint.authenticator, salt };
        extend_reply(buf, |buf| tunnels::write(buf, access, contract, &chosen, &hiding))?;
        if tunnels::attach(now, sessions, routed, (contract, client.source()), &caller, &chosen) {
            self.stats.sessions_superseded.increment();
        }
        Ok(None)
    }
}
