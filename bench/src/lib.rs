//! Load generator, home server, relay, and side-by-side runs against peers.
//!
//! Six programs, thin over the modules here, answer one question: what does a transaction cost, and who pays?
//!
//! - `sekisho-load` ([`load`]) plays many NASes: it sends accounting records or logins in a closed or an open loop from
//!   packets signed beforehand, retransmits as a NAS does, verifies every reply, and reports what became of each request.
//! - `sekisho-home` ([`home`]) plays a home server: it checks authenticators and passwords and answers; asked to, it
//!   answers late, wrongly, twice or not at all. It is also what stands beside the proxy in a first try-out.
//! - `sekisho-relay` ([`relay`]) moves datagrams to a home server and back and does no RADIUS: the floor that no proxy on
//!   the same sockets can go below.
//! - `sekisho-compare` ([`compare`]) runs relay, sekisho, FreeRADIUS and radsecproxy in turn under the same load and counts
//!   each one's processor time per *completed* transaction.
//! - `sekisho-hosted-bench` ([`hosted`]) does the same for servers that have the accounts themselves: sekisho, and FreeRADIUS with
//!   a `users` file and with SQLite.
//! - `sekisho-gate-bench` ([`gate`]) measures what a packet costs in the kernel's XDP program, and what a retransmit costs
//!   there and in userspace. It needs root.
//!
//! All of them use sekisho's own codec and sockets, so what they say about correctness is sekisho's own opinion;
//! independent judges (radclient, FreeRADIUS as home server) stand in the tests, not here. The tools are made to be cheap,
//! since they share the processors with what they measure, and that share is reported too.

#![forbid(unsafe_code)]

pub mod compare;
pub mod gate;
pub mod home;
pub mod hosted;
pub mod load;
pub mod options;
pub mod ports;
pub mod process;
pub mod relay;
pub mod stop;
pub mod wait;
