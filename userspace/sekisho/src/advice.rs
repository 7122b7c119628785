//! What a reason to drop means for the operator, and what to do about it.

use sekisho_abi::Reason;

/// One line: meaning and remedy.
pub const fn of(reason: Reason) -> &'static str {
    match reason {
        Reason::FrameTruncated => "frames end inside their headers: look at the link or at who sends them",
        Reason::FragmentUnregistered => "fragments from an address that no contract names",
        Reason::OptionsUnregistered => "IP options from an address that no contract names",
        Reason::Unregistered => {
            "the source address is no client's (or server's) in the domain of its interface: \
             add a [[client]] with that address, or correct its `domain`"
        }
        Reason::WrongIngress => {
            "the address is registered, but not for the interface that it came in by: correct the contract's `ingress`, \
             or find out who forges the address"
        }
        Reason::WrongService => "the source may not use this address of ours",
        Reason::WrongRole => "the source is registered as something else: a home server asks, or a client answers",
        Reason::TooShort | Reason::BadLength | Reason::BadAttribute => "not well-formed RADIUS: look at who sends it",
        Reason::BadCode => {
            "a code that this port does not take: are the ports for authentication and accounting swapped?"
        }
        Reason::ClientRate => {
            "a client sends more than `client_rate` and `client_burst` allow: `sekisho drops` names it. Raise its own, or find out \
             what it repeats"
        }
        Reason::SessionRate => {
            "one session sends more than `session_rate` and `session_burst` allow: a device or NAS that tries again without end. \
             Mend it there, or raise the client's own limits"
        }
        Reason::NewSessionRate => {
            "a client begins more sessions than `new_session_rate` and `new_session_burst` allow: after an outage at the NAS raise \
             the client's own; otherwise somebody invents sessions"
        }
        Reason::Contended => {
            "many processors charged one bucket at once, and one gave up: a client or session that sends in bursts. Some are \
             harmless; if it goes on, spread the NAS's load over several contracts"
        }
        Reason::DuplicateInFlight | Reason::Absorbed => {
            "repetitions of requests that are in flight: the home server is slow, or the client repeats too soon"
        }
        Reason::ShedInterim | Reason::ShedStart => {
            "accounting that can be spared, shed since tables or receive queues are nearly full: look at `sekisho_backlog_ratio`; \
             raise `limits.max_requests`, add workers, or find out why answers take so long"
        }
        Reason::MessageAuthenticatorMissing => {
            "`require_message_authenticator` is set (and Status-Server needs one in any case) and the client sends none: \
             have it send one, or set \"no\""
        }
        Reason::MessageAuthenticatorBad => "the Message-Authenticator is wrong: most often the secrets differ",
        Reason::MessageAuthenticatorRepeated => "more than one Message-Authenticator in a packet",
        Reason::EapWithoutMessageAuthenticator => "EAP without Message-Authenticator, which RFC 3579 forbids",
        Reason::ProxyStateWithoutMessageAuthenticator => {
            "Proxy-State without Message-Authenticator (CVE-2024-3596): have the client send a Message-Authenticator, \
             or clear the contract's `limit_proxy_state`"
        }
        Reason::AuthenticatorBad => {
            "the accounting request is signed with another secret: correct the client's `secret`"
        }
        Reason::PasswordLength => "a User-Password of impossible length: look at the client",
        Reason::Arap => "ARAP, which no proxy can carry",
        Reason::ForbiddenAttribute => "accounting with a password, Reply-Message or State in it: look at the client",
        Reason::SessionIdMissing => "accounting without Acct-Session-Id: look at the client",
        Reason::Unrouted => {
            "accounting for a realm that nobody serves for this client: check the realm, and that a [[proxy]] serves it, \
             with a port `accounting`"
        }
        Reason::NoServer => {
            "every home server of the realm is dead or out of service: see `sekisho status`, and look at them"
        }
        Reason::NoIdentifier => {
            "too much outstanding at one home server: raise `upstream.max_ports` or `max_outstanding`"
        }
        Reason::TableFull => "too many requests in flight and answers remembered: raise `limits.max_requests`",
        Reason::TooLong => "longer than 4096 octets once our own attributes are added",
        Reason::ReplyUnmatched => "replies that nobody waits for: late or repeated ones",
        Reason::ReplyForged => {
            "replies that do not verify: the home server's secret differs from the contract's, or somebody forges"
        }
        Reason::ReplyUnwanted => "replies to requests whose client has gone or asked anew",
        Reason::ReplyCode => "a home server answers with a code that is no answer to the request",
        Reason::SendFailed => "the kernel would not send: look at routes, firewall and socket buffers",
        Reason::NasMismatch => {
            "a NAS gives an address or identifier that is not its own: complete `nas_addresses` and `nas_identifiers`, \
             or find out who speaks for another"
        }
        Reason::MessageAuthenticatorDowngrade => {
            "a client that sends Message-Authenticator sent a request without one: a forger (CVE-2024-3596), or another \
             device in its place; for that set `require_message_authenticator` to \"no\""
        }
        Reason::ReplyDowngrade => {
            "a home server that sends Message-Authenticator sent a reply without one: a forger (CVE-2024-3596), or another \
             server in its place; for that set its `require_message_authenticator` to \"no\""
        }
        Reason::Unproven => {
            "a request without Message-Authenticator that would displace one with it: a forger, or a client that sends it \
             now and then"
        }
        Reason::ReversePath => {
            "CoA or Disconnect for a realm that its sender does not serve: look at who sends it (RFC 5176 §6.1)"
        }
        Reason::Draining => "Status-Server while draining: as was asked for; `sekisho drain --off` ends it",
        Reason::Overload => {
            "new logins while hardly any room is left for requests: raise `limits.max_requests`, or find out why answers \
             take so long"
        }
        Reason::JournalFull => {
            "accounting comes faster than the disk takes it: look at the disk of `journal.directory`, or raise \
             `journal.queue`; NASes keep what is not acknowledged"
        }
    }
}

/// The same for the name of a reason, as reports have it.
pub fn of_name(name: &str) -> Option<&'static str> {
    Reason::ALL.iter().find(|reason| reason.name() == name).map(|reason| of(*reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_explained_in_one_line() {
        for reason in Reason::ALL {
            let advice = of_name(reason.name()).unwrap();
            assert!(!advice.is_empty() && !advice.contains('\n') && !advice.contains("  "), "{advice}");
        }
    }

    #[test]
    fn the_page_for_operators_has_every_reason_and_no_other() {
        const PAGE: &str = include_str!("../../../docs/operation.md");
        let (_, part) = PAGE.split_once("## Why was this packet dropped?").unwrap();
        let part = part.split("\n## ").next().unwrap();
        let words = part.split('`').skip(1).step_by(2);
        let first_cells = part.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
        let listed = first_cells.flat_map(|(cell, _)| cell.split(", ").map(|name| name.trim_matches('`')));
        for name in listed {
            assert!(of_name(name).is_some(), "{name} is no reason");
        }
        for reason in Reason::ALL {
            assert!(words.clone().any(|word| word == reason.name()), "{} is not on the page", reason.name());
        }
    }
}
