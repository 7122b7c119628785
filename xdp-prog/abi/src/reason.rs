//! Why a packet was dropped, and the counter that every packet ends in.

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $value:literal, $name:literal;)+) => {
        /// Why a packet was dropped. Kernel and userspace give the same reason for the same packet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum Reason { $($(#[$doc])* $variant = $value,)+ }

        impl Reason {
            /// Every reason, in the order of its number.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)+];

            /// The name in metrics, logs and `sekisho status`.
            pub const fn name(self) -> &'static str {
                match self { $(Reason::$variant => $name,)+ }
            }
        }
    };
}

reasons! {
    // Frames: these exist in the kernel only.
    /// The frame ends inside its Ethernet, VLAN, IP or UDP header.
    FrameTruncated = 0, "frame_truncated";
    /// A fragment from a source without a role, to a service address declared `dedicated`.
    FragmentUnregistered = 1, "fragment_unregistered";
    /// IPv4 options or IPv6 extension headers from a source without a role.
    OptionsUnregistered = 2, "options_unregistered";

    // Sources.
    /// The source address has no entry in the domain of its ingress.
    Unregistered = 3, "unregistered";
    /// The source is registered, but not for the ingress that it came in by.
    WrongIngress = 4, "wrong_ingress";
    /// The source is registered, but may not use this service address.
    WrongService = 5, "wrong_service_address";
    /// The source is registered, but has no role that may use this port.
    WrongRole = 6, "wrong_role";

    // RADIUS header.
    /// The datagram is shorter than a RADIUS header (RFC 2865 §3: 20 octets).
    TooShort = 7, "too_short";
    /// The Length field is below 20, above 4096, or beyond the end of the datagram (RFC 2865 §3).
    BadLength = 8, "bad_length";
    /// The code is not one that this port takes (RFC 2865 §3: invalid codes are silently discarded).
    BadCode = 9, "bad_code";

    // Attributes.
    /// An attribute's length is below 2, or the attributes do not exactly fill the packet (RFC 6613 §2.6.4).
    BadAttribute = 10, "bad_attribute";

    // Limits, kept by the kernel's buckets or by the workers' table.
    /// The client is over its rate.
    ClientRate = 11, "client_rate";
    /// The session is over its rate.
    SessionRate = 12, "session_rate";
    /// The client begins more sessions per second than it may.
    NewSessionRate = 13, "new_session_rate";
    /// A bucket changed under every one of a few attempts to charge it.
    Contended = 14, "contended";

    // Retransmissions and overload.
    /// An identical request is in flight and its window has not passed: absorbed.
    DuplicateInFlight = 15, "duplicate_in_flight";
    /// Shed under overload: an Interim-Update.
    ShedInterim = 16, "shed_interim";
    /// Shed under overload: an accounting Start.
    ShedStart = 17, "shed_start";

    // Verification: userspace only from here on.
    /// A Message-Authenticator is required and absent.
    MessageAuthenticatorMissing = 18, "message_authenticator_missing";
    /// The Message-Authenticator does not verify.
    MessageAuthenticatorBad = 19, "message_authenticator_bad";
    /// More than one Message-Authenticator (RFC 2869 §5.14).
    MessageAuthenticatorRepeated = 20, "message_authenticator_repeated";
    /// EAP-Message without Message-Authenticator (RFC 3579 §3.2).
    EapWithoutMessageAuthenticator = 21, "eap_without_message_authenticator";
    /// Proxy-State without Message-Authenticator from a client with `limit_proxy_state` (CVE-2024-3596).
    ProxyStateWithoutMessageAuthenticator = 22, "proxy_state_without_message_authenticator";
    /// The Request Authenticator of an accounting request does not verify (RFC 2866 §3): most often a wrong secret.
    AuthenticatorBad = 23, "authenticator_bad";
    /// A User-Password that is no multiple of 16 octets, empty, or over 128 (RFC 2865 §5.2).
    PasswordLength = 24, "password_length";
    /// ARAP, which no proxy can carry (RFC 2869 §2.2).
    Arap = 25, "arap";
    /// An attribute that this code must not carry (RFC 2866 §5.13).
    ForbiddenAttribute = 26, "forbidden_attribute";
    /// An accounting request without Acct-Session-Id (RFC 2866 §5.5).
    SessionIdMissing = 27, "session_id_missing";

    // The engine.
    /// Identical to a request in flight, within `retransmit_window`: absorbed in userspace.
    Absorbed = 28, "absorbed";
    /// Accounting for a realm that nobody serves: no reply, so that the NAS keeps the record.
    Unrouted = 29, "unrouted";
    /// Every server of the pool is dead.
    NoServer = 30, "no_server";
    /// No identifier is free toward the home server.
    NoIdentifier = 31, "no_identifier";
    /// The table of requests is full.
    TableFull = 32, "table_full";
    /// The packet would be longer than 4096 octets after our additions.
    TooLong = 33, "too_long";

    // Replies.
    /// A reply that no request waits for: late, repeated, or never asked for.
    ReplyUnmatched = 34, "reply_unmatched";
    /// A reply whose Response Authenticator or Message-Authenticator does not verify.
    ReplyForged = 35, "reply_forged";
    /// A reply whose client is gone, or whose request was superseded.
    ReplyUnwanted = 36, "reply_unwanted";
    /// A reply code that does not answer the request's code.
    ReplyCode = 37, "reply_code";
    /// The socket would not take the packet.
    SendFailed = 38, "send_failed";

    // Policies.
    /// NAS-IP-Address, NAS-IPv6-Address or NAS-Identifier is none of this client's (RFC 3579 §4.3.2).
    NasMismatch = 39, "nas_mismatch";
    /// An Access-Request without Message-Authenticator from a client that has sent one before (`auto`).
    MessageAuthenticatorDowngrade = 40, "message_authenticator_downgrade";
    /// A reply without Message-Authenticator from a home server that has sent one before (`auto`).
    ReplyDowngrade = 41, "reply_downgrade";
    /// An Access-Request that proves nothing would take the place of one in flight that did.
    Unproven = 42, "unproven";
    /// A dynamic-authorization request for a realm or NAS that is not its sender's (RFC 5176 §6.1).
    ReversePath = 43, "reverse_path";
    /// A Status-Server while this node drains (RFC 5997 §4.2).
    Draining = 44, "draining";
    /// A new conversation while hardly any room is left: those in progress go first (RFC 5080 §2.2.3).
    Overload = 45, "overload";
    /// Accounting that ends here, while too many records wait to be written.
    JournalFull = 46, "journal_full";
}

impl Reason {
    /// How many reasons there are.
    pub const COUNT: usize = Reason::ALL.len();
}

/// Where a packet that the gate saw ended: the index into the gate's per-CPU counters.
///
/// `seen = not_ours + passed + redirected + replied + Σ dropped`, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every packet that the program ran for.
    Seen,
    /// Not RADIUS on one of our service addresses: passed untouched.
    NotOurs,
    /// Admitted, to userspace by the normal stack.
    Passed,
    /// Admitted, to userspace by AF_XDP.
    Redirected,
    /// Answered by the gate itself.
    Replied,
    /// Dropped.
    Dropped(Reason),
}

impl Outcome {
    /// Length of the counter array.
    pub const SLOTS: u32 = 5 + Reason::COUNT as u32;

    /// The index into the counter array, below [`Outcome::SLOTS`].
    #[inline(always)]
    pub const fn slot(self) -> u32 {
        match self {
            Outcome::Seen => 0,
            Outcome::NotOurs => 1,
            Outcome::Passed => 2,
            Outcome::Redirected => 3,
            Outcome::Replied => 4,
            Outcome::Dropped(reason) => 5 + reason as u32,
        }
    }
}

impl From<Reason> for Outcome {
    #[inline(always)]
    fn from(reason: Reason) -> Outcome {
        Outcome::Dropped(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_number_in_order_and_its_own_name() {
        for (index, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
            assert!(Reason::ALL.iter().filter(|other| other.name() == reason.name()).count() == 1);
        }
    }
}
