//! RADIUS packets in place.
//!
//! This crate knows what a RADIUS packet is, who sent it, and how a proxy has to change it on its way; it knows no
//! socket, clock, randomness, configuration or routing. A packet lives in a [`buf::Buf`], memory allocated once with
//! room before and behind, and everything on the forwarding path happens there without allocating.
//!
//! A request's way through a proxy, and the module for each step:
//!
//! 1. [`mod@scan`]: one pass over the datagram says whether it is well-formed and gives a [`scan::Layout`].
//! 2. [`verify`]: authenticators and the rules of its code, with the client's [`secret::Secret`], give a
//!    [`verify::Verified`], which nothing else can make.
//! 3. [`nai`]: the realm in its User-Name, in the one form that realms are compared in.
//! 4. [`forward`]: rewritten for a home server, or for another one after the first stayed silent.
//! 5. [`verify`] again: the home server's reply, against the request that was sent.
//! 6. [`mod@reply`]: rewritten for the client, with every secret inside taken from one hop's key to the other's.
//!
//! A CoA- or Disconnect-Request goes the other way, to a NAS, by [`dynauth`]; its answer comes back by [`mod@reply`].
//!
//! What many packets need at once is done side by side: [`verify::verify_requests`], [`verify::verify_replies`] and
//! [`seal::seal_all`]. Replies that the proxy makes itself, and requests for tools and tests, come from [`build`];
//! where an L2TP session shall end, [`tunnel`] writes into them.
//!
//! Who answers logins from accounts of their own finds the proof of a password with [`fn@password::verify`], [`chap`],
//! [`mschap`] and, inside of EAP, [`eap`]; they know no account and no conversation.
//!
//! Below these lie [`password`] and [`salted`] (what is hidden, and how), [`attribute`] and [`vendor`] (walking),
//! [`md5`], and the names in [`code`] and [`attr`]. [`select`] finds an attribute by
//! name for [`policy`], which changes what an operator wants changed, and for keys, as does [`number`].
//!
//! The rules and their sources: RFC 1994, 2433, 2548, 2759, 2865, 2866, 2868, 3079, 3579, 3748, 5080, 5176, 5997, 6929, 8559, and
//! draft-ietf-radext-deprecating-radius for what was learned from BlastRADIUS. No input makes this crate panic, and no secret is ever formatted.

#![forbid(unsafe_code)]

pub mod attr;
pub mod attribute;
pub mod buf;
pub mod build;
pub mod chap;
pub mod code;
pub mod dynauth;
pub mod eap;
mod edit;
pub mod forward;
pub mod md5;
pub mod mschap;
pub mod nai;
pub mod number;
pub mod password;
pub mod policy;
pub mod reply;
pub mod salted;
pub mod scan;
pub mod seal;
pub mod secret;
pub mod select;
mod sign;
pub mod tunnel;
pub mod vendor;
pub mod verify;
