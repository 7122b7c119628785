//! Hosted accounts: logins for realms with a `group` contract, answered from a registry. One file a behaviour; `land` is where most begin.

mod accounting;
mod attributes;
mod changes;
mod eap;
mod guessing;
mod hashes;
mod isolation;
mod land;
mod many;
mod passwords;
mod refusals;
mod secrets;
mod sessions;
mod tunnels;
