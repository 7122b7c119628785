//! What accounting says of a session, and what that made of it.

use std::{net::IpAddr, time::Duration};

use super::{Handle, Key};
use crate::{ContractId, CustomerId, LnsId, SourceId};

/// An Accounting-Request about one session. Its Acct-Status-Type is the method that takes it.
///
/// The caller has verified the packet's source, found the contract, and made sure that this source is the one which accounts for
/// the contract's sessions: `accounting = lac` or `lns`. A session that both report has two identities, and would count twice.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Whose packet it is, by its verified source: the scope of `nas` and `session`. Nothing that a packet claims reaches further.
    pub source: SourceId,
    /// The NAS that it names, if any ([`super::Sessions::nas_restarted`]).
    pub nas: Option<Key>,
    /// The session: NAS and Acct-Session-Id, or GGSN-Address and 3GPP-Charging-Id.
    pub session: Key,
    /// 3GPP-NSAPI: which of the session's bearers; of a number above 15 its last four bits.
    pub bearer: Option<u8>,
    /// 3GPP-Session-Stop-Indicator: with this bearer the session ends.
    pub last: bool,
    /// The device, as in [`super::Who::Device`].
    pub device: Option<Key>,
    /// The contract of its realm.
    pub contract: ContractId,
    /// Whose that is.
    pub customer: CustomerId,
    /// The LNS by Tunnel-Server-Endpoint (67); `None` where there is none, or none that is known.
    pub lns: Option<LnsId>,
    /// User-Name.
    pub user: &'a [u8],
    /// The canonical number.
    pub number: &'a [u8],
    /// Framed-IP-Address or Framed-IPv6-Address.
    pub framed_ip: Option<IpAddr>,
    /// Where the session can be ended, if it can.
    pub handle: Option<Handle<'a>>,
    /// When it happened, by the source's clock: Event-Timestamp (55), or the time of arrival less Acct-Delay-Time. Unix seconds.
    pub event: u64,
    /// Acct-Session-Time (46), in seconds.
    pub session_time: Option<u32>,
    /// Session-Timeout (27).
    pub session_timeout: Option<Duration>,
    /// How far apart the contract's Interims are, where that is known. Without it, it is learned from two of them.
    pub interim: Option<Duration>,
    /// How long the device's LNS is remembered after its session, where the contract wants that.
    pub sticky: Option<Duration>,
}

/// What a report made of its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What happened.
    pub effect: Effect,
    /// The session's LNS, where that is known.
    pub lns: Option<LnsId>,
    /// The access network it came from: failures and successes are its. The report's source, if no other is known.
    pub access: SourceId,
    /// It was given to another LNS than it is on: a soft failure of that one.
    pub failed_over: Option<FailedOver>,
    /// It ended right after it began: a soft failure of its LNS.
    pub short: bool,
    /// It has now lived longer than that: a success of its LNS. Once a session.
    pub lived: bool,
    /// The same device's session before it ended now: its Stop was lost.
    pub superseded: bool,
}

/// What happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It has started.
    Started,
    /// An Interim showed it: its Start was lost.
    Healed,
    /// It goes on.
    Updated,
    /// One more of its bearers has started, or one that is not its last has stopped.
    Bearer,
    /// It has ended.
    Ended,
    /// Known already; nothing changed.
    Duplicate,
    /// It came after what it preceded: about a session that has ended, or about an earlier one of the same identity. Nothing changed.
    Late,
    /// A Stop of a session that is not known; should its Start come yet, it counts nothing.
    Unknown,
    /// It is not counted: the table is full.
    Untracked,
}

impl Effect {
    /// Every effect.
    pub const ALL: [Effect; 9] = [
        Effect::Started,
        Effect::Healed,
        Effect::Updated,
        Effect::Bearer,
        Effect::Ended,
        Effect::Duplicate,
        Effect::Late,
        Effect::Unknown,
        Effect::Untracked,
    ];

    /// The name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Effect::Started => "started",
            Effect::Healed => "healed",
            Effect::Updated => "updated",
            Effect::Bearer => "bearer",
            Effect::Ended => "ended",
            Effect::Duplicate => "duplicate",
            Effect::Late => "late",
            Effect::Unknown => "unknown",
            Effect::Untracked => "untracked",
        }
    }
}

/// A session that the access network did not bring up where it was told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailedOver {
    /// The LNS that it was given to.
    pub from: LnsId,
    /// The LNS that has it.
    pub to: LnsId,
}

impl Report<'_> {
    /// The bearer as one bit; none where the session has but one.
    pub(super) fn bearer_bit(&self) -> u16 {
        self.bearer.map_or(0, |bearer| 1 << (bearer & 15))
    }
}

impl Outcome {
    /// This effect, and nothing to be told beside it.
    pub(super) fn nothing(effect: Effect, report: &Report<'_>) -> Outcome {
        Outcome {
            effect,
            lns: report.lns,
            access: report.source,
            failed_over: None,
            short: false,
            lived: false,
            superseded: false,
        }
    }
}
