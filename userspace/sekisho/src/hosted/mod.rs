//! Hosted accounts beside the workers: where passwords are checked that take long ([`pool`]), and their sessions over a restart
//! ([`tables`](crate::tables)).

pub mod pool;

use sekisho_config::Node;
use sekisho_engine::{
    Time,
    hosted::{Hosted, Restored, Sessions, Settings},
    snapshot::RoutingSnapshot,
};

use crate::{clock::wall_seconds, tables::Keeper};

/// Their sessions' file below `node.state`.
const FILE: &str = "hosted-sessions";

/// Without accounts yet; with the sessions that an earlier run has left, as far as this routing has a name for them.
pub fn open(node: &Node, snapshot: &RoutingSnapshot, now: Time) -> (Hosted, Keeper) {
    let bounds = Settings { max_sessions: node.hosted.max_sessions as usize, ..Settings::default() };
    let (keeper, left) =
        Keeper::open(&node.state, FILE, |file| Sessions::restore(bounds, file, now, wall_seconds(), snapshot));
    let sessions = match left {
        Some((sessions, restored)) => {
            tell(&restored);
            sessions
        }
        None => Sessions::new(bounds, rand::random()),
    };
    (Hosted::new(rand::random(), sessions), keeper)
}

fn tell(restored: &Restored) {
    let Restored { records, expired, dropped, no_room } = *restored;
    tracing::info!(records, expired, "the sessions of hosted accounts of the last run are restored");
    if dropped > 0 {
        tracing::warn!(
            dropped,
            "sessions of hosted accounts are not restored whose client, realm or contract is in no document"
        );
    }
    if no_room > 0 {
        tracing::warn!(no_room, "sessions of hosted accounts are not restored: raise hosted.max_sessions");
    }
}
