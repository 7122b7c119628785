//! How a login proves itself, and whether that is right.
//!
//! The same is done for a user that there is not as for one that there is: a comparison with a password that nobody has.

use sekisho_wire::{
    attr,
    chap::ChapLogin,
    mschap::{MsChapLogin, nt::NtHash, v1, v2},
    password,
    scan::Layout,
    secret::Secret,
};
use zeroize::Zeroize;

use super::{accept::Beside, account::Known};
use crate::{
    access::said,
    snapshot::{Client, Protocols},
};

/// What a login shows, but for EAP, which takes several rounds (`eap`).
#[derive(Clone, Copy)]
pub(super) enum Shown<'p> {
    /// A hidden password.
    Pap(&'p [u8]),
    /// A response to a challenge.
    Chap(ChapLogin<'p>),
    /// Microsoft's, and the names one of which is part of its digest: User-Name, and that without a carrier's suffix.
    MsChap(MsChapLogin<'p>, [&'p [u8]; 2]),
}

impl<'p> Shown<'p> {
    /// What is in a request; `None`: nothing, more than one thing, or none of its form.
    pub(super) fn of(client: &Client, layout: &Layout, packet: &'p [u8]) -> Option<Shown<'p>> {
        match (layout.user_password, layout.chap_password) {
            (Some(hidden), None) => Some(Shown::Pap(hidden.of(packet))),
            (None, Some(_)) => ChapLogin::find(packet, layout).ok()?.map(Shown::Chap),
            (Some(_), Some(_)) => None,
            (None, None) => {
                let name = said::plain(packet, attr::USER_NAME).unwrap_or_default();
                MsChapLogin::find(packet).ok()?.map(|login| Shown::MsChap(login, [name, client.typed(name)]))
            }
        }
    }

    /// What the contract has to allow for it.
    pub(super) fn protocol(&self) -> Protocols {
        match self {
            Shown::Pap(_) => Protocols::PAP,
            Shown::Chap(_) => Protocols::CHAP,
            Shown::MsChap(MsChapLogin::V1(..), _) => Protocols::MSCHAP,
            Shown::MsChap(MsChapLogin::V2(..), _) => Protocols::MSCHAPV2,
        }
    }

    /// What an Accept says because it proves that the account's password is known; `None`: it does not.
    pub(super) fn prove(&self, known: &Known, secret: &Secret, authenticator: &[u8; 16]) -> Option<Beside> {
        match self {
            Shown::Pap(hidden) => {
                password::verify(hidden, secret, authenticator, known.secret()).then_some(Beside::Nothing)
            }
            Shown::Chap(login) => login.is_by(known.secret()).then_some(Beside::Nothing),
            Shown::MsChap(MsChapLogin::V1(challenge, response), _) => {
                let hash = NtHash::of(known.secret()).ok()?;
                v1::verify(challenge, response, &hash).then(|| Beside::MsChap(hash))
            }
            Shown::MsChap(MsChapLogin::V2(challenge, response), [name, typed]) => {
                let hash = NtHash::of(known.secret()).ok()?;
                let again = || (name != typed).then(|| v2::verify(challenge, response, typed, &hash)).flatten();
                let success = v2::verify(challenge, response, name, &hash).or_else(again)?;
                Some(Beside::MsChapV2(response.ident, success))
            }
        }
    }
}

/// Whether a request's password is text, as under the wrong secret it hardly ever is; `None`: it has none.
pub(super) fn is_text(request: &[u8], secret: &Secret) -> Option<bool> {
    let hidden = said::plain(request, attr::USER_PASSWORD)?;
    let authenticator = request.get(4..)?.first_chunk()?;
    let mut shown = unhidden(hidden, secret, authenticator);
    let text = str::from_utf8(password::without_padding(&shown));
    let is_text = text.is_ok_and(|text| !text.chars().any(char::is_control));
    shown.zeroize();
    Some(is_text)
}

/// Lays a hidden password open, with its padding, for whoever checks a hash.
pub(super) fn unhidden(hidden: &[u8], secret: &Secret, authenticator: &[u8; 16]) -> [u8; password::MAX_PASSWORD] {
    let mut shown = [0; password::MAX_PASSWORD];
    if let Some(room) = shown.get_mut(..hidden.len()) {
        room.copy_from_slice(hidden);
        // One of a wrong length has not been verified.
        if password::unhide(room, secret, authenticator).is_err() {
            room.zeroize();
        }
    }
    shown
}
