//! Where an EAP conversation stands: in the State that its client brings back, and nowhere else (RFC 2865 §5.24).
//!
//! So a conversation costs no memory here, and any worker may continue it. The State is signed, with what it is bound to: the client,
//! the realm and the name, and the account as it was: where its password is another meanwhile, or its contract, nothing counts that was
//! shown before. It holds no secret, and says nothing that its client has not seen.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::snapshot::{ClientId, GroupId, RealmId};

/// How long a peer may take for its answer, in seconds.
const LIFE: u64 = 30;
/// Of this form. Another one is nobody's.
const VERSION: u8 = 1;
/// Version, stage, identifier, time, challenge, response and its identifier.
const FIELDS: usize = 1 + 1 + 1 + 8 + 16 + 24 + 1;
const SIGNATURE: usize = 16;

/// What the value of a State has as octets.
pub(super) type Octets = [u8; FIELDS + SIGNATURE];

/// What the peer was last asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// To answer an MD5-Challenge.
    Md5 = 1,
    /// To answer the Challenge of MSCHAPv2.
    MsChapV2 = 2,
    /// To acknowledge the Success of MSCHAPv2.
    Acknowledge = 3,
}

/// Where a conversation stands.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub(super) stage: Stage,
    /// The identifier of the last Request.
    pub(super) id: u8,
    /// Unix time of it.
    pub(super) time: u64,
    /// What the peer was challenged with.
    pub(super) challenge: [u8; 16],
    /// What it answered; zeros before that.
    pub(super) nt: [u8; 24],
    pub(super) ident: u8,
}

/// What a State is good for, and nothing else.
#[derive(Clone, Copy)]
pub(super) struct Bound<'a> {
    pub(super) key: &'a [u8; 32],
    pub(super) client: ClientId,
    pub(super) realm: RealmId,
    pub(super) group: GroupId,
    /// What the account's password is, or nobody's.
    pub(super) password: &'a [u8],
    /// User-Name.
    pub(super) name: &'a [u8],
}

impl State {
    /// After an offer.
    pub(super) fn offered(stage: Stage, id: u8, time: u64, challenge: [u8; 16]) -> State {
        State { stage, id, time, challenge, nt: [0; 24], ident: id }
    }

    /// The value of the attribute; `None` is for a key that HMAC does not take, which there is not.
    pub(super) fn sign(&self, bound: &Bound<'_>) -> Option<Octets> {
        let mut octets = [0; FIELDS + SIGNATURE];
        let (fields, signature) = octets.split_at_mut(FIELDS);
        let head = [VERSION, self.stage as u8, self.id];
        let pieces = [&head[..], &self.time.to_be_bytes(), &self.challenge, &self.nt, &[self.ident]];
        for (to, octet) in fields.iter_mut().zip(pieces.into_iter().flatten()) {
            *to = *octet;
        }
        signature.copy_from_slice(bound.mac(fields)?.finalize().into_bytes().get(..SIGNATURE)?);
        Some(octets)
    }

    /// From the value of the attribute: `None` where it is another's, too old, or none of ours.
    pub(super) fn verify(octets: &[u8], bound: &Bound<'_>, now: u64) -> Option<State> {
        let octets: &Octets = octets.try_into().ok()?;
        let (fields, signature) = octets.split_at(FIELDS);
        bound.mac(fields)?.verify_truncated_left(signature).ok()?;
        let (&[version, stage, id], rest) = fields.split_first_chunk()?;
        let stage = [Stage::Md5, Stage::MsChapV2, Stage::Acknowledge].into_iter().find(|it| *it as u8 == stage)?;
        let (time, rest) = rest.split_first_chunk()?;
        let (challenge, rest) = rest.split_first_chunk()?;
        let (nt, rest) = rest.split_first_chunk()?;
        let time = u64::from_be_bytes(*time);
        let is_alive = version == VERSION && time <= now && now - time <= LIFE;
        let (challenge, nt, ident) = (*challenge, *nt, *rest.first()?);
        is_alive.then_some(State { stage, id, time, challenge, nt, ident })
    }
}

impl Bound<'_> {
    fn mac(&self, fields: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key).ok()?;
        mac.update(fields);
        mac.update(&self.client.0.to_be_bytes());
        mac.update(&self.realm.0.to_be_bytes());
        mac.update(&self.group.0.to_be_bytes());
        mac.update(&(self.password.len() as u64).to_be_bytes());
        mac.update(self.password);
        // Last, and the only one whose length is not said.
        mac.update(self.name);
        Some(mac)
    }
}

/// Without challenges and response.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("stage", &(self.stage as u8)).field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn bound(name: &[u8]) -> Bound<'_> {
        Bound { key: &KEY, client: ClientId(1), realm: RealmId(2), group: GroupId(3), password: b"wonderland", name }
    }

    #[test]
    fn a_state_comes_back_for_half_a_minute_and_only_where_it_is_bound_to() {
        let state = State::offered(Stage::MsChapV2, 9, 1000, [3; 16]);
        let octets = state.sign(&bound(b"alice")).unwrap();
        let back = |octets: &[u8], bound: &Bound<'_>, now| State::verify(octets, bound, now).map(|it| it.challenge);
        assert_eq!(back(&octets, &bound(b"alice"), 1000), Some([3; 16]));
        assert_eq!(back(&octets, &bound(b"alice"), 1030), Some([3; 16]));
        assert_eq!(back(&octets, &bound(b"alice"), 1031), None);
        assert_eq!(back(&octets, &bound(b"alice"), 999), None);
        assert_eq!(back(&octets, &bound(b"alicf"), 1000), None);
        let others = [
            Bound { client: ClientId(3), ..bound(b"alice") },
            Bound { realm: RealmId(3), ..bound(b"alice") },
            Bound { group: GroupId(4), ..bound(b"alice") },
            Bound { password: b"wonderlamp", ..bound(b"alice") },
            Bound { password: b"wonderlanda", ..bound(b"lice") },
            Bound { key: &[8; 32], ..bound(b"alice") },
        ];
        assert!(others.iter().all(|other| back(&octets, other, 1000).is_none()));
    }

    #[test]
    fn no_octet_of_it_can_be_changed() {
        let octets = State::offered(Stage::Md5, 9, 1000, [3; 16]).sign(&bound(b"alice")).unwrap();
        for at in 0..octets.len() {
            let mut changed = octets;
            changed[at] ^= 1;
            assert!(State::verify(&changed, &bound(b"alice"), 1000).is_none(), "{at}");
        }
        assert!(State::verify(&octets[1..], &bound(b"alice"), 1000).is_none());
        assert!(State::verify(&[], &bound(b"alice"), 1000).is_none());
    }
}
