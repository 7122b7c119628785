//! A login for a realm that is answered here: Accept or Reject, at once where the password itself is kept.
//!
//! Whatever is wrong with it, it gets one and the same Reject, `reject_delay` after it came, and the same work is done before that
//! for a user that there is not. What is wrong is counted, and told at DEBUG.

use std::{borrow::Cow, sync::Arc};

use sekisho_abi::Reason;
use sekisho_wire::{
    attr,
    build::turn_into_reply_unsealed,
    code::Code,
    nai::{Place, Stripped},
    secret::Secret,
    verify::Verified,
};

use super::{
    accept::{Admitted, Beside},
    account::Known,
    guard::Attempt,
    proof::{self, Shown},
    refused::{Refused, Why},
    sessions::Whose,
};
use crate::{
    access::{
        said::{self, Octets},
        tunnels::{self, Caller, Hiding},
    },
    edits::edit_own_reply,
    engine::Engine,
    packet::{Action, Packet},
    snapshot::{Access, Calling, Client, ClientRole, Group, PasswordForm, Protocols, RealmId, RoutingSnapshot, Vpdn},
    stages::{Signer, Unsealed},
    table::{State, Token},
    time::Time,
    verdict::Arrival,
};

/// A login for a realm that is answered here.
#[derive(Clone, Copy)]
pub(crate) struct Login<'s> {
    pub(crate) now: Time,
    /// The snapshot that it is routed by.
    pub(crate) snapshot: &'s RoutingSnapshot,
    pub(crate) client: &'s Client,
    pub(crate) group: &'s Group,
    pub(crate) realm: RealmId,
    /// Where in its name the realm was found.
    pub(crate) place: Option<Place>,
    /// The contract whose tunnels join its Accept, and how its access network wants them.
    pub(crate) tunnel: Option<(&'s Access, &'s Vpdn)>,
    /// It was made with its client's previous secret.
    pub(crate) by_previous: bool,
    /// Only a holder of the secret can have made it.
    pub(crate) proven: bool,
}

impl<'s> Login<'s> {
    /// Of a request that has just come.
    pub(crate) fn new(
        arrival: &Arrival<'s>,
        group: &'s Group,
        (realm, place): (RealmId, Option<Place>),
        tunnel: Option<(&'s Access, &'s Vpdn)>,
    ) -> Login<'s> {
        let Arrival { now, snapshot, client, by_previous, proven, .. } = *arrival;
        Login { now, snapshot, client, group, realm, place, tunnel, by_previous, proven }
    }

    /// What it was made with, and is answered with.
    pub(super) fn secret(&self) -> &'s Secret {
        self.client.secret_of(self.by_previous)
    }

    fn is_of_an_access_network(&self) -> bool {
        matches!(self.client.role, ClientRole::AccessNetwork(_))
    }
}

impl Engine {
    /// Answers a login from hosted accounts.
    pub(crate) fn answer_login(
        &mut self,
        arrival: &Arrival<'_>,
        login: &Login<'_>,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        if verified.layout().eap_message.is_some() {
            let by_eap = Protocols::EAP_MD5.with(Protocols::EAP_MSCHAPV2);
            if login.group.form == PasswordForm::Argon2id || !login.group.protocols.has_any(by_eap) {
                return self.refuse_login(arrival, login, Why::Protocol, verified, packet);
            }
            return self.answer_eap(arrival, login, verified, packet, unsealed);
        }
        let request = verified.layout().packet(packet.buf.bytes());
        let shown =
            Shown::of(login.client, verified.layout(), request).filter(|it| login.group.protocols.has(it.protocol()));
        match (shown, login.group.form) {
            (Some(shown), PasswordForm::Recoverable) => {
                let account = self.account(login, request);
                self.count_comparison(login);
                let proved = shown.prove(
                    &self.or_nobody(login, account.as_ref()),
                    login.secret(),
                    &arrival.fingerprint.authenticator,
                );
                let admitted = self.admit(login, account, request, proved.is_some());
                let (proved, request) = (proved.unwrap_or(Beside::Nothing), (verified, packet));
                self.conclude_login(arrival, login, admitted, &proved, request, unsealed)
            }
            (Some(Shown::Pap(_)), PasswordForm::Argon2id) => self.look_up(arrival, login, verified, packet),
            _ => self.refuse_login(arrival, login, Why::Protocol, verified, packet),
        }
    }

    /// The account that a login names, with a password in the contract's form.
    pub(super) fn account(&self, login: &Login<'_>, request: &[u8]) -> Option<Arc<Known>> {
        let Login { group, realm, .. } = *login;
        let user = local_part(login.client, login.place, request);
        let found = self.settings.hosted.accounts.find(group.id, realm, user);
        found.filter(|account| account.is_hashed() == (group.form == PasswordForm::Argon2id))
    }

    /// What a login is compared with: its account, or what stands in the place of one.
    pub(super) fn or_nobody<'a>(&self, login: &Login<'_>, account: Option<&'a Arc<Known>>) -> Cow<'a, Arc<Known>> {
        match account {
            Some(account) => Cow::Borrowed(account),
            None => Cow::Owned(self.settings.hosted.accounts.nobody(login.group)),
        }
    }

    /// Whether a login may in. `account` is the one that it names, and `is_right` whether it has shown its password, or nobody's.
    pub(super) fn admit<'s>(
        &self,
        login: &Login<'s>,
        account: Option<Arc<Known>>,
        request: &[u8],
        is_right: bool,
    ) -> Result<Admitted<'s>, Refused<'s>> {
        let Login { now, group, .. } = *login;
        self.vet(login, account.as_ref(), request, is_right).map_err(Refused::Login)?;
        let account = account.ok_or(Refused::Login(Why::Unknown))?;
        let tunnels = match login.tunnel {
            Some((access, contract)) => Some((access, contract, self.find_lns(login, contract, request)?)),
            None => None,
        };
        let limit = account.simultaneous(group.simultaneous);
        if limit == 0 && group.max_sessions == 0 {
            return Ok(Admitted { account, tunnels });
        }
        let reserved =
            self.with_session(login, request, |whose| self.settings.hosted.sessions.reserve(now, whose, limit));
        match reserved {
            Ok(()) => Ok(Admitted { account, tunnels }),
            Err(_full) => Err(Refused::Login(Why::Sessions)),
        }
    }

    /// Whose session a login's is.
    pub(super) fn with_session<T>(&self, login: &Login<'_>, request: &[u8], then: impl FnOnce(&Whose<'_>) -> T) -> T {
        let Login { now, snapshot, client, group, realm, .. } = *login;
        let (user, calling) = (local_part(client, login.place, request), said::calling(snapshot, request));
        let nas = if login.is_of_an_access_network() { said::nas_name(request).unwrap_or_default() } else { &[] };
        let event = self.settings.wall(now);
        then(&Whose { snapshot, group, realm, user, calling: &calling, client, nas, event })
    }

    /// The same without what it takes: an LNS, and a place for its session.
    pub(super) fn vet(
        &self,
        login: &Login<'_>,
        account: Option<&Arc<Known>>,
        request: &[u8],
        is_right: bool,
    ) -> Result<(), Why> {
        let Login { now, client, group, realm, .. } = *login;
        let guard = &self.settings.hosted.guard;
        let calling = said::calling(login.snapshot, request);
        let attempt = Attempt {
            now,
            policy: &group.lockout,
            group: group.id,
            client: (!login.is_of_an_access_network()).then_some(client.id),
            realm,
            user: local_part(client, login.place, request),
            calling: &calling,
        };
        if guard.is_locked(&attempt) {
            return Err(Why::Locked);
        }
        let Some(account) = account.filter(|_| is_right) else {
            self.count_failure(login, &attempt, account.is_some(), request);
            return Err(if account.is_some() { Why::Password } else { Why::Unknown });
        };
        guard.succeeded(&attempt);
        check(account, group.calling, &calling, self.settings.wall(now))
    }

    /// Counts a failure, as far as it is its client's: whoever knows only where a client's requests come from must not be able to have it
    /// locked out. Under the wrong secret a password becomes no text, and is nobody's guess. What else is not proven (CHAP without
    /// Message-Authenticator) counts for its account and number, and not for the client.
    fn count_failure(&self, login: &Login<'_>, attempt: &Attempt<'_>, is_known: bool, request: &[u8]) {
        let guard = &self.settings.hosted.guard;
        match login.proven.then_some(true).or_else(|| proof::is_text(request, login.secret())) {
            Some(true) => guard.failed(attempt, is_known),
            Some(false) => {}
            None => guard.failed(&Attempt { client: None, ..*attempt }, is_known),
        }
    }

    /// The LNSs for a login whose account may in.
    fn find_lns<'s>(
        &self,
        login: &Login<'s>,
        contract: &'s Vpdn,
        request: &[u8],
    ) -> Result<tunnels::Found<'s>, Refused<'s>> {
        let user = said::plain(request, attr::USER_NAME).unwrap_or_default();
        let caller = Caller::of(&self.settings.sessions, login.snapshot, contract, request, user);
        let chosen = tunnels::choose(login.now, &self.settings.sessions, contract, login.client.source(), &caller);
        let result = chosen.as_ref().map(|chosen| chosen.why).map_err(|refused| *refused);
        tunnels::counter(contract.stats.worker(self.settings.worker), result).increment();
        match chosen {
            Ok(chosen) => Ok(tunnels::Found { chosen, caller }),
            Err(refused) => {
                tracing::debug!(contract = contract.contract, ?refused, "no LNS");
                let message = contract.full_message.as_deref().filter(|_| tunnels::is_full(refused));
                Err(Refused::Tunnel(tunnels::cause(refused), message))
            }
        }
    }

    /// Answers a login that has been judged; `beside` is what its Accept says because of how it has proved itself.
    pub(super) fn conclude_login(
        &mut self,
        arrival: &Arrival<'_>,
        login: &Login<'_>,
        admitted: Result<Admitted<'_>, Refused<'_>>,
        beside: &Beside,
        (verified, packet): (&Verified, &mut Packet),
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(Refused::Login(why)) => return self.refuse_login(arrival, login, why, verified, packet),
            Err(Refused::Tunnel(cause, message)) => {
                return self.refuse_saying(arrival, Some(login.realm), cause, message, verified, packet);
            }
        };
        let (authenticator, salt) = (&arrival.fingerprint.authenticator, self.random.salt());
        let hiding = Hiding { secret: login.secret(), authenticator, salt };
        self.scratch.load(verified.layout().packet(packet.buf.bytes())).map_err(|_| Reason::TooLong)?;
        let written = turn_into_reply_unsealed(&mut packet.buf, verified, Code::ACCESS_ACCEPT, |buf| {
            admitted.write(login, beside, &hiding, buf)
        });
        let written = written.and_then(|seal| edit_own_reply(login.client, &mut packet.buf).map(|()| seal));
        let Ok(seal) = written else { return self.refuse_unwritten(arrival, login, packet) };
        self.count_accept(login, &admitted);
        let (action, token) = self.answered(arrival, login, packet);
        let signer = Signer::Here(login.client.id, login.by_previous);
        match token {
            Some(token) => *unsealed = Some(Unsealed { token, seal, signer }),
            None => seal.apply(packet.buf.bytes_mut(), login.secret()),
        }
        Ok(action)
    }

    /// The answer that stands in the packet is remembered, and leaves.
    pub(super) fn answered(
        &mut self,
        arrival: &Arrival<'_>,
        login: &Login<'_>,
        packet: &Packet,
    ) -> (Action, Option<Token>) {
        let request = self.record(arrival, Some(login.realm), State::Answered, packet.buf.bytes());
        let index = self.table.insert(request);
        self.remember(arrival.now, index);
        self.count_reply(arrival.snapshot, index, arrival.now);
        (Action::Send(arrival.key.path()), self.table.token(index))
    }

    /// An Accept has been written: its session is counted where its tunnel leads.
    pub(super) fn count_accept(&self, login: &Login<'_>, admitted: &Admitted<'_>) {
        login.group.stats.worker(self.settings.worker).accepts.increment();
        if let Some((_, contract, found)) = &admitted.tunnels {
            let whose = (*contract, login.client.source());
            let tunnels::Found { chosen, caller } = found;
            if tunnels::attach(login.now, &self.settings.sessions, login.snapshot, whose, caller, chosen) {
                self.stats.sessions_superseded.increment();
            }
        }
        tracing::debug!(client = login.client.contract, contract = login.group.contract, "accepted");
    }

    pub(super) fn count_comparison(&self, login: &Login<'_>) {
        login.group.stats.worker(self.settings.worker).compared.increment();
    }
}

/// What an account's own state says of a login that has shown its password.
fn check(account: &Known, binding: Calling, calling: &Octets, wall: u64) -> Result<(), Why> {
    let is_bound = match binding {
        Calling::Any => false,
        Calling::WhereListed => account.lists_numbers(),
        Calling::Listed => true,
    };
    if !account.is_enabled() {
        Err(Why::Disabled)
    } else if account.has_expired(wall) {
        Err(Why::Expired)
    } else if is_bound && !account.lists(calling) {
        Err(Why::Calling)
    } else {
        Ok(())
    }
}

/// What accounts are found by: User-Name without a carrier's suffix, and without the realm that was found at this place of it.
pub(super) fn local_part<'p>(client: &Client, place: Option<Place>, request: &'p [u8]) -> &'p [u8] {
    let name = Stripped::of(client.typed(said::plain(request, attr::USER_NAME).unwrap_or_default()));
    place.map_or(name, |place| name.without_realm(place)).user()
}
