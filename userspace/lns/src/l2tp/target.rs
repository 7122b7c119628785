//! Whom to probe, and what comes and goes in doing so.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    time::Duration,
};

use super::{Outcome, TunnelSecret};
use crate::ids::LnsId;

/// Where an LNS listens (RFC 2661 §8.1).
pub const PORT: u16 = 1701;

/// How often an LNS may be probed.
pub const INTERVAL: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(600);
/// How long an LNS may take to answer a probe.
pub const TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(8);

/// An LNS that is to be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Which.
    pub lns: LnsId,
    /// Where it listens, at [`PORT`].
    pub address: IpAddr,
    /// Our address toward it; `None`: as the host's routes say.
    pub source: Option<IpAddr>,
    /// From the beginning of one probe to that of the next, a tenth more or less; brought inside [`INTERVAL`].
    pub interval: Duration,
    /// So long after its first datagram, a probe that is not answered completely is [`Outcome::Silent`]; brought inside
    /// [`TIMEOUT`].
    pub timeout: Duration,
    /// The tunnel password. With it the probe is a deep one: both sides prove that they know it, and the tunnel must carry a Hello.
    pub secret: Option<TunnelSecret>,
    /// What we call ourselves; 1017 octets at most, of more the rest is not sent.
    pub host_name: String,
}

impl Target {
    pub(super) fn interval(&self) -> Duration {
        self.interval.clamp(*INTERVAL.start(), *INTERVAL.end())
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout.clamp(*TIMEOUT.start(), *TIMEOUT.end())
    }

    /// Whether a datagram's addresses are those of this LNS's answers. The port may be any (§8.1).
    pub(super) fn answers_from(&self, from: SocketAddr, local: Option<IpAddr>) -> bool {
        let is_ours = |local: IpAddr| self.source.is_none_or(|source| source.to_canonical() == local.to_canonical());
        from.ip().to_canonical() == self.address.to_canonical() && local.is_none_or(is_ours)
    }

    /// Whether it is at the same place: a tunnel with the one is a tunnel with the other.
    pub(super) fn is_where(&self, other: &Target) -> bool {
        (self.address, self.source) == (other.address, other.source)
    }
}

/// A datagram to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// From this address of ours; `None`: as the host's routes say.
    pub source: Option<IpAddr>,
    /// To there.
    pub to: SocketAddr,
    /// The UDP payload.
    pub bytes: Vec<u8>,
}

/// A probe has its outcome. (Its tunnel may still be being torn down.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Of which LNS.
    pub lns: LnsId,
    /// What was found out.
    pub outcome: Outcome,
    /// From the first request to the answer, SCCRP or StopCCN; with a repeated request it is longer than the way. `None` where
    /// nothing answered.
    pub latency: Option<Duration>,
    /// How often the request was sent.
    pub requests: u8,
}
