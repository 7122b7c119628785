//! What contracts change in packets on their way: attributes by policy, and User-Name where a pool's servers want it without its
//! realm. Nothing of it costs anything where no contract asks for it.

use arrayvec::ArrayVec;
use sekisho_abi::Reason;
use sekisho_wire::{
    attr,
    buf::Buf,
    forward::RewriteError,
    nai::{Place, Stripped},
    verify::{Verified, VerifiedReply},
};

use crate::{
    access::Login,
    engine::Engine,
    reasons::unwritable,
    refusal::pool_of,
    snapshot::{Client, Pool, RoutingSnapshot, Strip},
    store::Stored,
    table::{FlowKey, Request, State},
};

/// A User-Name as its client wrote it, of which the home server got a part.
#[derive(Debug)]
pub struct WholeName {
    /// The name.
    pub name: Stored,
    /// Where its realm was found in it.
    pub place: Option<Place>,
}

/// A request after its edits.
pub(crate) struct Edited {
    pub(crate) verified: Verified,
    whole_name: Option<ArrayVec<u8, 253>>,
}

/// Changes a verified request as its client's and its pool's contracts ask; `None`: they ask for nothing. `place` is where in its
/// name the realm was found.
pub(crate) fn edit_request(
    client: &Client,
    pool: &Pool,
    place: Option<Place>,
    verified: &Verified,
    buf: &mut Buf,
) -> Result<Option<Edited>, Reason> {
    if client.request_policies.is_empty() && pool.strip == Strip::Nothing {
        return Ok(None);
    }
    let mut edited = Edited { verified: apply_policies(client, verified, buf)?, whole_name: None };
    let Some(span) = edited.verified.layout().user_name else { return Ok(Some(edited)) };
    let whole: ArrayVec<u8, 253> = span.of(buf.bytes()).iter().copied().collect();
    let name = stripped(&whole, client, pool, place);
    if name.user().len() < whole.len() {
        edited.verified.set_first(buf, attr::USER_NAME, name.user()).map_err(unwritable)?;
        edited.whole_name = Some(whole);
    }
    Ok(Some(edited))
}

/// Changes a verified request as its client's contract asks.
pub(crate) fn apply_policies(client: &Client, verified: &Verified, buf: &mut Buf) -> Result<Verified, Reason> {
    let mut edited = *verified;
    for policy in &client.request_policies {
        policy.edit_request(buf, &mut edited).map_err(unwritable)?;
    }
    Ok(edited)
}

/// Changes a reply that was made here as its client's contract asks; it lacks only its seal, which stays right.
pub(crate) fn edit_own_reply(client: &Client, buf: &mut Buf) -> Result<(), RewriteError> {
    client.reply_policies.iter().try_for_each(|policy| policy.edit_unsealed(buf))
}

/// Changes a verified reply as its client's contract asks, takes out what must not go on to an access network, and gives User-Name back what was taken off in the request; `None`:
/// there is nothing to change.
pub(crate) fn edit_reply(
    engine: &Engine,
    routed: &RoutingSnapshot,
    (client, login): (&Client, Option<Login<'_>>),
    request: &Request,
    reply: &VerifiedReply,
    buf: &mut Buf,
) -> Result<Option<VerifiedReply>, RewriteError> {
    if client.reply_policies.is_empty() && request.whole_name.is_none() && login.is_none() {
        return Ok(None);
    }
    let mut edited = *reply;
    if let Some(login) = login {
        login.restrict(&mut edited, buf)?;
    }
    for policy in &client.reply_policies {
        policy.edit_reply(buf, &mut edited)?;
    }
    if let Some(WholeName { name, place }) = &request.whole_name
        && let Some(span) = edited.layout().user_name
        && let Some(pool) = pool_of(routed, request)
    {
        let mut whole = [0; 253];
        let taken_off = stripped(engine.store.bytes(name), client, pool, *place);
        if let Some(whole) = taken_off.restore(span.of(buf.bytes()), &mut whole) {
            edited.set_first(buf, attr::USER_NAME, whole)?;
        }
    }
    Ok(Some(edited))
}

impl Engine {
    /// Keeps the whole name of the request with this key, if it was forwarded.
    pub(crate) fn keep_whole_name(&mut self, key: &FlowKey, edited: &Edited, place: Option<Place>) {
        let Some(whole) = &edited.whole_name else { return };
        let Some(index) = self.table.find(key) else { return };
        if let Some(request) = self.table.at_mut(index)
            && matches!(request.state, State::InFlight(_))
            && request.whole_name.is_none()
        {
            request.whole_name = Some(WholeName { name: self.store.put(whole), place });
            self.whole_names += 1;
        }
    }
}

/// The name as this pool's servers get it.
fn stripped<'n>(name: &'n [u8], client: &Client, pool: &Pool, place: Option<Place>) -> Stripped<'n> {
    let mut left = Stripped::of(name);
    if pool.strip == Strip::Nothing {
        return left;
    }
    if let Some(outer) = &client.outer_suffix {
        left = left.without_outer(outer);
    }
    match place {
        Some(place) if pool.strip == Strip::Realm => left.without_realm(place),
        _ => left,
    }
}
