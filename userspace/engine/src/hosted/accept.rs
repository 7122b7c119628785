//! What an Accept for a hosted account says.

use std::sync::Arc;

use sekisho_wire::{
    attr,
    buf::{Buf, TooLong},
    build::write_reply_unsealed,
    code::Code,
    eap::request,
    forward::RewriteError,
    mschap::{
        mppe::{EncryptionPolicy, EncryptionTypes, Keys, append_encryption, append_v1_keys},
        nt::NtHash,
        v2::Success,
    },
    select::AttributeId,
    vendor::{MICROSOFT, MS_MPPE_ENCRYPTION_POLICY},
};

use super::{account::Known, login::Login, octets};
use crate::{
    access::{
        said,
        tunnels::{self, Hiding},
    },
    edits::edit_own_reply,
    snapshot::{Access, Client, Group, Vpdn},
};

/// Salts that MPPE keys use; tunnels' begin behind them, since no two in a packet may be the same (RFC 2868 §3.5).
const SALTS: u16 = 2;

/// A login that gets an Accept.
pub(super) struct Admitted<'s> {
    pub(super) account: Arc<Known>,
    pub(super) tunnels: Option<(&'s Access, &'s Vpdn, tunnels::Found<'s>)>,
}

/// What an Accept says because of how the login proved itself.
pub(super) enum Beside {
    /// PAP and CHAP.
    Nothing,
    /// MS-CHAP: its keys are made from the hash.
    MsChap(NtHash),
    /// MS-CHAPv2: the identifier of its response, the server's own proof, and the keys.
    MsChapV2(u8, Success),
    /// EAP: the identifier of its last response, the name, and what keys there are.
    Eap(u8, Box<[u8]>, Option<Keys>),
}

impl Admitted<'_> {
    /// Appends what an Accept says.
    pub(super) fn write(
        &self,
        login: &Login<'_>,
        beside: &Beside,
        hiding: &Hiding<'_>,
        buf: &mut Buf,
    ) -> Result<(), TooLong> {
        let (general, own) = (&login.group.reply, self.account.reply());
        octets::append(buf, general, own)?;
        let has = |kind| octets::has(general, kind) || octets::has(own, kind);
        beside.write(hiding, has, buf)?;
        let Some((access, contract, found)) = &self.tunnels else { return Ok(()) };
        let hiding = Hiding { salt: hiding.salt.wrapping_add(SALTS), ..*hiding };
        tunnels::write(buf, access, contract, &found.chosen, &hiding)
    }
}

/// What an Accept for an account has told its NAS.
pub(super) enum Told<'a> {
    /// The contract's attributes, and the account's own in their place.
    AsGiven(&'a [u8], &'a [u8]),
    /// What its client's policies have made of them.
    Edited(Box<Buf>),
}

impl<'a> Told<'a> {
    pub(super) fn new(client: &Client, group: &'a Group, own: &'a [u8]) -> Told<'a> {
        let given = Told::AsGiven(&group.reply, own);
        if client.reply_policies.is_empty() {
            return given;
        }
        let mut accept = Box::new(Buf::new());
        let attributes = |buf: &mut Buf| octets::append(buf, &group.reply, own);
        let written = write_reply_unsealed(&mut accept, Code::ACCESS_ACCEPT, 0, &[0; 16], &[], attributes);
        match written.map_err(RewriteError::from).and_then(|_seal| edit_own_reply(client, &mut accept)) {
            Ok(()) => Told::Edited(accept),
            // There never was one.
            Err(_too_long) => given,
        }
    }

    /// The number in the first of its attributes of this kind.
    pub(super) fn number(&self, kind: u8) -> Option<u32> {
        match self {
            Told::AsGiven(general, own) => octets::number(own, kind).or_else(|| octets::number(general, kind)),
            Told::Edited(accept) => said::number(accept.bytes(), kind),
        }
    }
}

impl Beside {
    /// `has` says what the Accept has already.
    fn write(&self, hiding: &Hiding<'_>, has: impl Fn(AttributeId) -> bool, buf: &mut Buf) -> Result<(), TooLong> {
        let Hiding { secret, authenticator, salt } = *hiding;
        match self {
            Beside::Nothing => return Ok(()),
            Beside::MsChap(hash) => append_v1_keys(buf, hash, (secret, authenticator))?,
            Beside::MsChapV2(ident, success) => {
                success.append(buf, *ident)?;
                success.keys().append(buf, (secret, authenticator, salt))?;
            }
            Beside::Eap(id, name, keys) => {
                if let Some(keys) = keys {
                    keys.append(buf, (secret, authenticator, salt))?;
                }
                if !has(AttributeId::Plain(attr::USER_NAME)) {
                    buf.append_attribute(attr::USER_NAME, name)?;
                }
                return buf.append_attribute(attr::EAP_MESSAGE, &request::success(*id));
            }
        }
        // 128 bits, unless the operator says otherwise: keys of 40 are broken by anybody.
        if has(AttributeId::Vendor(MICROSOFT, MS_MPPE_ENCRYPTION_POLICY)) {
            return Ok(());
        }
        append_encryption(buf, EncryptionPolicy::Allowed, EncryptionTypes::Strong)
    }
}
