//! EAP for hosted accounts: MD5-Challenge and MSCHAPv2, by a server that keeps nothing between two rounds (`state`).
//!
//! What a peer wants instead it gets, if its contract allows that. An unknown user is challenged like any other. A wrong answer gets the
//! Reject at once that ends the conversation (RFC 3579 §2.6.3): the Failure of MSCHAPv2, which its peer would have to acknowledge,
//! could only tell it the same.

use std::sync::Arc;

use arrayvec::ArrayVec;
use sekisho_abi::Reason;
use sekisho_wire::{
    attr,
    build::turn_into_reply,
    code::Code,
    eap::{
        self, MAX_MESSAGE, kind, request,
        response::{Answer, MsChapV2, parse},
    },
    mschap::{
        mppe::Keys,
        nt::NtHash,
        v2::{self, Success},
    },
    verify::Verified,
};

use super::{
    Hosted,
    accept::Beside,
    account::Known,
    login::Login,
    refused::Why,
    state::{Bound, Stage, State},
};
use crate::{
    access::said,
    engine::Engine,
    packet::{Action, Packet},
    reasons::unwritable,
    snapshot::Protocols,
    stages::Unsealed,
    verdict::Arrival,
};

/// Who challenges.
const SERVER: &[u8] = b"sekisho";

/// What a round comes to.
enum Turn {
    /// The peer is told this next; with a State, unless nothing has begun yet.
    Say(Box<[u8]>, Option<State>),
    /// The conversation is over, and this is what it has proved.
    End { is_right: bool, beside: Beside },
    /// It is over, having proved nothing.
    Refuse(Why),
}

impl Engine {
    /// The next round of a conversation.
    pub(super) fn answer_eap(
        &mut self,
        arrival: &Arrival<'_>,
        login: &Login<'_>,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let request = verified.layout().packet(packet.buf.bytes());
        let account = self.account(login, request);
        let known = self.or_nobody(login, account.as_ref()).into_owned();
        match self.turn((login, &known), account.as_ref(), request) {
            Turn::Say(message, state) => self.challenge(arrival, (login, &known), &message, state, verified, packet),
            Turn::End { is_right, beside } => {
                let admitted = self.admit(login, account, request, is_right);
                self.conclude_login(arrival, login, admitted, &beside, (verified, packet), unsealed)
            }
            Turn::Refuse(why) => self.refuse_login(arrival, login, why, verified, packet),
        }
    }

    /// `known` is the account, or nobody's.
    fn turn(&mut self, (login, known): (&Login<'_>, &Known), account: Option<&Arc<Known>>, request: &[u8]) -> Turn {
        let mut room = [0; MAX_MESSAGE];
        let Ok(Some(message)) = eap::gather(request, &mut room) else { return Turn::Refuse(Why::Protocol) };
        if message.is_empty() {
            return Turn::Say(request::identity(0).into(), None);
        }
        let Ok(response) = parse(message) else { return Turn::Refuse(Why::Protocol) };
        let name = said::octets(said::plain(request, attr::USER_NAME).unwrap_or_default());
        let shown = said::plain(request, attr::STATE).unwrap_or_default();
        let hosted = Arc::clone(&self.settings.hosted);
        let state = State::verify(shown, &bound(&hosted, login, known, &name), self.settings.wall(login.now));
        let asked = state.filter(|state| state.id == response.id);
        match (response.answer, asked) {
            (Answer::Identity(identity), _) if identity != &name[..] && identity != login.client.typed(&name) => {
                Turn::Refuse(Why::Protocol)
            }
            (Answer::Identity(_), _) => self.offer(login, response.id, [kind::MSCHAPV2, kind::MD5_CHALLENGE]),
            (Answer::Nak(wanted), Some(State { stage: Stage::Md5 | Stage::MsChapV2, .. })) => {
                self.offer(login, response.id, wanted.types())
            }
            (Answer::Md5(md5), Some(State { stage: Stage::Md5, challenge, .. })) => {
                self.count_comparison(login);
                let is_right = md5.is_by(response.id, &challenge, known.secret());
                Turn::End { is_right, beside: Beside::Eap(response.id, name[..].into(), None) }
            }
            (Answer::MsChapV2(MsChapV2::Response(said, by)), Some(state)) if state.stage == Stage::MsChapV2 => {
                self.count_comparison(login);
                let success = NtHash::of(known.secret()).ok().and_then(|hash| {
                    // The name that the peer puts beside it, which need not be the one that it is known by here.
                    v2::verify(&state.challenge, &said, by, &hash).filter(|_| said.ident == state.ident)
                });
                let state = State { nt: *said.nt, ..state };
                self.prove_to(login, account, request, (response.id, success), state)
            }
            (Answer::MsChapV2(MsChapV2::Success), Some(state)) if state.stage == Stage::Acknowledge => {
                // Its answer was right, or there would be no such State.
                let keys = NtHash::of(known.secret()).ok().map(|hash| Keys::of(&hash, &state.nt));
                Turn::End { is_right: keys.is_some(), beside: Beside::Eap(response.id, name[..].into(), keys) }
            }
            _ => Turn::Refuse(Why::Protocol),
        }
    }

    /// Challenges by the first of these methods that the contract allows.
    fn offer(&mut self, login: &Login<'_>, id: u8, wanted: impl IntoIterator<Item = u8>) -> Turn {
        let allowed = |kind: &u8| match *kind {
            kind::MD5_CHALLENGE => login.group.protocols.has(Protocols::EAP_MD5),
            kind::MSCHAPV2 => login.group.protocols.has(Protocols::EAP_MSCHAPV2),
            _ => false,
        };
        let Some(chosen) = wanted.into_iter().find(allowed) else { return Turn::Refuse(Why::Protocol) };
        let (id, challenge, wall) = (id.wrapping_add(1), self.random.authenticator(), self.settings.wall(login.now));
        let (stage, message) = match chosen {
            kind::MD5_CHALLENGE => (Stage::Md5, request::md5_challenge(id, &challenge, SERVER)),
            _ => (Stage::MsChapV2, request::mschapv2_challenge(id, id, &challenge, SERVER)),
        };
        match message {
            Ok(message) => Turn::Say(message.octets().into(), Some(State::offered(stage, id, wall, challenge))),
            Err(_) => Turn::Refuse(Why::Protocol),
        }
    }

    /// The peer has proved itself, or not; now the server does, to one that may in.
    fn prove_to(
        &mut self,
        login: &Login<'_>,
        account: Option<&Arc<Known>>,
        request: &[u8],
        (id, success): (u8, Option<Success>),
        state: State,
    ) -> Turn {
        if let Err(why) = self.vet(login, account, request, success.is_some()) {
            return Turn::Refuse(why);
        }
        let Some(success) = success else { return Turn::Refuse(Why::Password) };
        let time = self.settings.wall(login.now);
        let next = State { stage: Stage::Acknowledge, id: id.wrapping_add(1), time, ..state };
        match request::mschapv2_success(next.id, next.ident, &success) {
            Ok(message) => Turn::Say(message.octets().into(), Some(next)),
            Err(_) => Turn::Refuse(Why::Protocol),
        }
    }
    /// Sends a Challenge.
    fn challenge(
        &mut self,
        arrival: &Arrival<'_>,
        (login, known): (&Login<'_>, &Known),
        message: &[u8],
        state: Option<State>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let request = verified.layout().packet(packet.buf.bytes());
        let name = said::octets(said::plain(request, attr::USER_NAME).unwrap_or_default());
        let bound = bound(&self.settings.hosted, login, known, &name);
        let signed = match state {
            Some(state) => Some(state.sign(&bound).ok_or(Reason::TooLong)?),
            None => None,
        };
        let attributes = [Some((attr::EAP_MESSAGE, message)), signed.as_ref().map(|it| (attr::STATE, &it[..]))];
        let attributes: ArrayVec<(u8, &[u8]), 2> = attributes.into_iter().flatten().collect();
        turn_into_reply(&mut packet.buf, verified, Code::ACCESS_CHALLENGE, login.secret(), &attributes)
            .map_err(unwritable)?;
        login.group.stats.worker(self.settings.worker).challenges.increment();
        Ok(self.answered(arrival, login, packet).0)
    }
}

/// What the State of a conversation is good for.
fn bound<'a>(hosted: &'a Hosted, login: &Login<'_>, known: &'a Known, name: &'a [u8]) -> Bound<'a> {
    let (client, group) = (login.client.id, login.group.id);
    Bound { key: &hosted.state_key, client, realm: login.realm, group, password: known.secret(), name }
}
