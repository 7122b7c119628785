//! Passwords that are kept as a hash: checked elsewhere, since that takes tens of milliseconds.
//!
//! The engine hands each out by [`Engine::poll_lookup`], with a token; whoever checks hashes says by [`Engine::handle_verdict`] what
//! came of it. Meanwhile the request is in flight like any other: its repetitions are absorbed, and a verdict on one that has been
//! superseded, or is out of time, is ignored. So many are out at a time, and no more ([`crate::Limits::max_lookups`]).

use std::{fmt, sync::Arc};

use sekisho_abi::Reason;
use sekisho_wire::{
    build::{write_reply, write_reply_unsealed},
    code::Code,
    forward::RewriteError,
    password::without_padding,
    verify::Verified,
};
use zeroize::{Zeroize, Zeroizing};

use super::{
    accept::Beside,
    login::Login,
    proof,
    refused::{Refused, Why, warn_of_length},
};
use crate::{
    access::tunnels::Hiding,
    edits::edit_own_reply,
    engine::{Engine, Transmit},
    packet::{Action, Packet},
    refusal::{Attributes, Cause},
    snapshot::{ClientRole, GroupId, RealmService, RoutingSnapshot, Verdict, Verify},
    table::{Request, State, Token},
    time::Time,
    verdict::Arrival,
};

/// A password to be checked against a hash.
pub struct Lookup {
    /// Says which request it is for, when the verdict comes.
    pub token: Token,
    /// The hash, as text (`$argon2id$v=19$…`). Of a user that there is not, one that no password fits.
    pub phc: Arc<str>,
    /// What the login has shown. It is wiped when it is dropped.
    pub password: Zeroizing<Box<[u8]>>,
}

/// Without password and hash.
impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").field("token", &self.token).finish_non_exhaustive()
    }
}

/// What is said of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// It is the one.
    Right,
    /// It is not; or the hash is none.
    Wrong,
    /// It was not checked: there is too much to do.
    Busy,
}

impl Engine {
    /// Keeps a login until its password has been checked.
    pub(super) fn look_up(
        &mut self,
        arrival: &Arrival<'_>,
        login: &Login<'_>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        if !self.may_look_up(login.group.id) {
            return self.refuse_busy(arrival, login, verified, packet);
        }
        let request = verified.layout().packet(packet.buf.bytes());
        let known = self.account(login, request);
        let known = known.unwrap_or_else(|| self.settings.hosted.accounts.nobody(login.group));
        let hidden = verified.layout().user_password.map_or(&[][..], |span| span.of(request));
        let mut shown = proof::unhidden(hidden, login.secret(), &arrival.fingerprint.authenticator);
        let password = Zeroizing::new(Box::from(without_padding(&shown)));
        shown.zeroize();
        let phc = Arc::from(str::from_utf8(known.secret()).unwrap_or_default());
        let request = self.record(arrival, Some(login.realm), State::Looking(login.place), request);
        let deadline = request.deadline;
        let index = self.table.insert(request);
        self.timers.arm(index, deadline);
        self.snapshots.hold();
        self.looking += 1;
        if let Some(token) = self.table.token(index) {
            self.looked_for.push((token, login.group.id, Arc::clone(&phc)));
            self.lookups.push_back(Lookup { token, phc, password });
        }
        login.group.stats.worker(self.settings.worker).lookups.increment();
        Ok(Action::Hold)
    }

    /// Whether a contract may have one more checked: it has fewer than are free. So one contract's storm takes half of the room, two
    /// contracts' two thirds, and who has none finds some.
    fn may_look_up(&self, group: GroupId) -> bool {
        let own = self.looked_for.iter().filter(|(_, of, _)| *of == group).count();
        own < (self.settings.limits.max_lookups as usize).saturating_sub(self.looked_for.len())
    }

    /// There is no room to have another one checked. An access network takes silence for a dead server, so it gets a Reject at once.
    fn refuse_busy(
        &mut self,
        arrival: &Arrival<'_>,
        login: &Login<'_>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let client = login.client;
        match (client.role, client.when_unanswered) {
            (ClientRole::AccessNetwork(_), _) => {
                self.count_refusal(login, Why::Busy);
                self.refuse_for_room(arrival, verified, packet)
            }
            (_, Verdict::Reject) => self.refuse_login(arrival, login, Why::Busy, verified, packet),
            (_, Verdict::Silence) => {
                self.count_refusal(login, Why::Busy);
                Err(Reason::Overload)
            }
        }
    }

    /// Hands out the next password that is to be checked.
    pub fn poll_lookup(&mut self) -> Option<Lookup> {
        loop {
            let lookup = self.lookups.pop_front()?;
            if self.table.live(lookup.token).is_some() {
                return Some(lookup);
            }
            // Nobody waits for it any more.
            self.looked_for.retain(|(token, ..)| *token != lookup.token);
        }
    }

    /// What has come of a password that [`Engine::poll_lookup`] gave out; [`Engine::poll_transmit`] afterwards.
    pub fn handle_verdict(&mut self, now: Time, token: Token, verdict: PasswordVerdict) {
        let Some(place) = self.looked_for.iter().position(|(it, ..)| *it == token) else { return };
        // Also of one that nobody waits for any more: until now it took room.
        let (_, _, phc) = self.looked_for.swap_remove(place);
        if let Some(index) = self.table.live(token) {
            self.conclude(now, index, verdict, &phc);
        }
    }

    /// Nobody has said in time what the password is.
    pub(crate) fn lookup_overdue(&mut self, now: Time, index: u32) {
        self.stats.expired.increment();
        self.conclude(now, index, PasswordVerdict::Busy, "");
    }

    /// A request waits no more for its password to be checked.
    pub(crate) fn looked_up(&mut self, version: u64) {
        self.looking = self.looking.saturating_sub(1);
        self.snapshots.release(version);
    }

    /// `phc` is the hash that the verdict is about.
    fn conclude(&mut self, now: Time, index: u32, verdict: PasswordVerdict, phc: &str) {
        let Some(request) = self.table.at(index) else { return };
        let State::Looking(_) = request.state else { return };
        let version = request.version;
        let (current, routed) = (Arc::clone(self.snapshots.current()), self.snapshots.version(version).map(Arc::clone));
        // A reload may have removed the client, who is a stranger then.
        let is_known = current.client(request.client).is_some();
        let login = routed.as_deref().filter(|_| is_known).and_then(|routed| login_of(now, routed, request));
        let Some(login) = login else { return self.give_up(now, index) };
        let answer = self.answer_looked_up(&login, index, verdict, phc);
        let Some(answer) = answer else { return self.give_up(now, index) };
        self.looked_up(version);
        let sends = match answer {
            Code::ACCESS_ACCEPT => {
                if let Some(request) = self.table.at_mut(index) {
                    request.state = State::Answered;
                }
                self.remember(now, index);
                self.publish_answer(now, index);
                self.count_reply(&current, index, now);
                true
            }
            _ => matches!(self.reject_in_time(now, &current, index, login.client.reject_delay), Action::Send(_)),
        };
        if let (true, Some(token)) = (sends, self.table.token(index)) {
            self.ready.push_back(Transmit::Reply(token));
        }
    }

    /// Puts the answer in the place of the stored request, and says what it is; `None`: there is none to be given.
    fn answer_looked_up(&mut self, login: &Login<'_>, index: u32, verdict: PasswordVerdict, phc: &str) -> Option<Code> {
        let request = self.table.at(index)?;
        let bytes = self.store.bytes(&request.bytes);
        let (id, authenticator) = (request.key.id, request.fingerprint.authenticator);
        let admitted = match verdict {
            PasswordVerdict::Busy => Err(Refused::Login(Why::Busy)),
            // Found anew: it may have been changed meanwhile, and of a former password nothing is right.
            _ => {
                let account = self.account(login, bytes);
                let is_it = account.as_ref().is_some_and(|account| account.secret() == phc.as_bytes());
                self.admit(login, account, bytes, verdict == PasswordVerdict::Right && is_it)
            }
        };
        let Engine { scratch, store, random, .. } = self;
        let bytes = store.bytes(&request.bytes);
        let mut is_too_long = false;
        let admitted = admitted.and_then(|admitted| {
            let hiding = Hiding { secret: login.secret(), authenticator: &authenticator, salt: random.salt() };
            let write = |buf: &mut _| admitted.write(login, &Beside::Nothing, &hiding, buf);
            let code = Code::ACCESS_ACCEPT;
            let written = write_reply_unsealed(scratch, code, id, &authenticator, bytes, write);
            match written
                .map_err(RewriteError::from)
                .and_then(|seal| edit_own_reply(login.client, scratch).map(|()| seal))
            {
                Ok(seal) => {
                    seal.apply(scratch.bytes_mut(), login.secret());
                    Ok(admitted)
                }
                Err(_too_long) => {
                    is_too_long = true;
                    warn_of_length(login);
                    Err(Refused::Tunnel(Cause::InvalidValue, None))
                }
            }
        });
        let code = match &admitted {
            Ok(admitted) => {
                self.count_accept(login, admitted);
                Code::ACCESS_ACCEPT
            }
            Err(refused) => {
                let attributes = match refused {
                    // PAP only: MS-CHAP's challenge is not needed.
                    Refused::Login(_) => Attributes::unexplained(bytes, &[0; 16]),
                    Refused::Tunnel(cause, message) => Attributes::of(*cause, bytes).saying(*message),
                };
                let (code, secret) = (Code::ACCESS_REJECT, login.secret());
                write_reply(scratch, code, id, &authenticator, secret, bytes, &attributes.all()).ok()?;
                if is_too_long {
                    let request = self.store.bytes(&request.bytes);
                    self.with_session(login, request, |whose| self.settings.hosted.sessions.give_back(whose));
                }
                if let Refused::Login(why) = refused {
                    self.count_refusal(login, *why);
                    let is_silent = login.client.when_unanswered == Verdict::Silence && login.tunnel.is_none();
                    if *why == Why::Busy && is_silent {
                        return None;
                    }
                }
                code
            }
        };
        let request = self.table.at_mut(index)?;
        self.store.replace(&mut request.bytes, self.scratch.bytes());
        Some(code)
    }
}

/// The login that a stored request is.
fn login_of<'s>(now: Time, routed: &'s RoutingSnapshot, request: &Request) -> Option<Login<'s>> {
    let State::Looking(place) = request.state else { return None };
    let (client, realm) = (routed.client(request.client)?, routed.realm(request.realm?)?);
    let (group, tunnel) = match (client.role, realm.service) {
        (ClientRole::AccessNetwork(kind), _) => {
            let contract = routed.vpdn(realm.vpdn.get(kind.index()).copied().flatten()?)?;
            let Verify::Group(group) = contract.verify else { return None };
            (group, Some((client.access.as_deref()?, &**contract)))
        }
        (_, Some(RealmService::Group(group))) => (group, None),
        _ => return None,
    };
    let (group, by_previous, proven) = (routed.group(group)?, request.by_previous, request.proven);
    Some(Login { now, snapshot: routed, client, group, realm: realm.id, place, tunnel, by_previous, proven })
}
