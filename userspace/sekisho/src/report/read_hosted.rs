//! Reading `group` contracts and the registry into a report.

use sekisho_engine::{
    hosted::Sessions,
    snapshot::{self, CustomerId, PasswordForm, RoutingSnapshot},
    stats::{Counter, GroupStats},
};

use super::{Count, Group, Hashes, Histogram, HostedSessions};
use crate::hosted::pool::PoolStats;

/// A customer's `group` contracts, by name.
pub(super) fn groups(snapshot: &RoutingSnapshot, customer: CustomerId) -> Vec<Group> {
    let of = snapshot.groups.iter().flatten().filter(|group| group.customer == customer);
    let mut groups: Vec<Group> = of.map(|one| group(one)).collect();
    groups.sort_by(|a, b| a.contract.cmp(&b.contract));
    groups
}

fn group(from: &snapshot::Group) -> Group {
    let sum = |counter: fn(&GroupStats) -> &Counter| from.stats.sum(counter);
    let rejected = [
        ("unknown", sum(|it| &it.rejected.unknown)),
        ("password", sum(|it| &it.rejected.password)),
        ("disabled", sum(|it| &it.rejected.disabled)),
        ("expired", sum(|it| &it.rejected.expired)),
        ("calling", sum(|it| &it.rejected.calling)),
        ("sessions", sum(|it| &it.rejected.sessions)),
        ("locked", sum(|it| &it.rejected.locked)),
        ("protocol", sum(|it| &it.rejected.protocol)),
        ("busy", sum(|it| &it.rejected.busy)),
    ];
    Group {
        contract: from.contract.clone(),
        passwords: match from.form {
            PasswordForm::Recoverable => "recoverable",
            PasswordForm::Argon2id => "argon2id",
        }
        .to_owned(),
        sessions: from.sessions.now(),
        max_sessions: from.max_sessions,
        accepts: sum(|it| &it.accepts),
        challenges: sum(|it| &it.challenges),
        rejected: rejected.iter().map(|(name, count)| Count::new(name, *count)).collect(),
    }
}

/// The table of hosted accounts' sessions.
pub fn hosted_sessions(sessions: &Sessions) -> HostedSessions {
    let counts = sessions.counts();
    HostedSessions { records: counts.records as u64, superseded: counts.superseded, untracked: counts.untracked }
}

/// What the threads do that check hashes.
pub fn hashes(pool: &PoolStats) -> Hashes {
    Hashes { checked: pool.checked.read(), busy: pool.busy.read(), time: Histogram::sum(std::iter::once(&pool.time)) }
}
