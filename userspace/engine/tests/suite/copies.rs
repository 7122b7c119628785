//! A pool may copy accounting to further servers: fire and forget, counted, and without any effect on the client's answer.

use std::time::Duration;

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    health::Health,
    packet::{Action, Socket},
    snapshot::{HomeKind, PoolId, RoutingSnapshot},
};
use sekisho_wire::{attr, code::Code};

const BILLING: &str = "198.51.100.21:1813";
const ARCHIVE: &str = "198.51.100.22:1813";
const ACCT_2: &str = "198.51.100.2:1813";
const START: u32 = 1;

/// `a.example`'s pool has two servers, and copies its accounting to two others.
struct Net {
    world: World,
    billing: Extra,
    archive: Extra,
}

impl Net {
    fn new() -> Net {
        let (billing, archive) = (Extra::new(20, BILLING, HomeKind::Acct), Extra::new(21, ARCHIVE, HomeKind::Acct));
        let all = [billing.clone(), archive.clone()];
        let shape = move |snapshot: &mut RoutingSnapshot| {
            all.iter().for_each(|server| server.join(snapshot, 0));
            snapshot.pools[0].copies = all.iter().map(Extra::id).collect();
        };
        let plan = Plan { acct: vec![ACCT_1, ACCT_2], ..Plan::shaped(shape) };
        Net { world: World::with(plan, Limits::default()), billing, archive }
    }

    fn copies(&mut self) -> Vec<Sent> {
        self.world.pass(Duration::from_millis(10)).into_iter().map(|(_, sent)| sent).collect()
    }

    fn counts(&self) -> [u64; 6] {
        let [billing, archive] = [&self.billing, &self.archive];
        [
            billing.count(|stats| &stats.copies),
            billing.count(|stats| &stats.copies_skipped),
            billing.count(|stats| &stats.replies.accounting),
            archive.count(|stats| &stats.copies),
            archive.count(|stats| &stats.copies_skipped),
            archive.count(|stats| &stats.replies.accounting),
        ]
    }
}

fn acknowledgement(sent: &Sent, index: usize) -> Vec<u8> {
    home_reply(sent, index, Code::ACCOUNTING_RESPONSE, &[])
}

#[test]
fn a_record_is_copied_when_it_is_first_forwarded_and_the_client_hears_of_its_pool_only() {
    let mut net = Net::new();
    let request = accounting(1, "alice@a.example", START);
    let sent = net.world.ask_acct(&request).unwrap();
    let copies = net.copies();
    assert_eq!(copies.iter().map(|copy| copy.path.peer).collect::<Vec<_>>(), [address(BILLING), address(ARCHIVE)]);
    let original = verified_at_home(&sent, 2);
    for (copy, index) in copies.iter().zip([20, 21]) {
        assert_eq!(verified_at_home(copy, index), original, "the same record");
        assert_ne!(copy.bytes[4..20], sent.bytes[4..20], "under an authenticator of its own");
    }
    assert_eq!(net.world.answer(&copies[0], &acknowledgement(&copies[0], 20)), (Action::Hold, None));
    assert_eq!(net.world.engine.in_flight(), 1, "the client waits for its pool");
    let reply = net.world.answer(&sent, &acknowledgement(&sent, 2)).1.unwrap();
    verified_at_nas(&reply, &request);
    assert_eq!(net.world.engine.in_flight(), 0, "and not for the archive");
    assert_eq!(net.world.answer(&copies[1], &acknowledgement(&copies[1], 21)), (Action::Hold, None));
    assert_eq!(net.counts(), [1, 0, 1, 1, 0, 1]);
    let stats = &net.world.stats;
    assert_eq!((stats.forwarded.read(), stats.replies.accounting.read()), (1, 1));
    assert_eq!(net.world.pass(Duration::from_secs(30)), []);
}

#[test]
fn a_repeated_record_is_not_copied_again_nor_one_that_fails_over() {
    let mut net = Net::new();
    let request = accounting(1, "alice@a.example", START);
    net.world.ask_acct(&request).unwrap();
    assert_eq!(net.copies().len(), 2);
    net.world.pass(Duration::from_millis(1_100));
    assert!(net.world.ask_acct(&request).is_some(), "repeated to the pool");
    assert_eq!(net.copies(), []);
    let later = net.world.pass(Duration::from_secs(3));
    assert_eq!(later.iter().map(|(_, sent)| sent.path.peer).collect::<Vec<_>>(), [address(ACCT_2)]);
    let reply = net.world.answer(&later[0].1, &acknowledgement(&later[0].1, 3)).1.unwrap();
    assert_eq!(net.world.ask_acct(&request), Some(reply), "repeated from memory");
    assert_eq!(net.copies(), []);
    assert_eq!(net.counts(), [1, 0, 0, 1, 0, 0]);
}

#[test]
fn silence_after_a_copy_is_neither_repeated_nor_forgiven() {
    let mut net = Net::new();
    let sent = net.world.ask_acct(&accounting(1, "alice@a.example", START)).unwrap();
    net.world.answer(&sent, &acknowledgement(&sent, 2));
    assert_eq!(net.copies().len(), 2);
    assert_eq!(net.world.pass(Duration::from_secs(5)), []);
    for server in [&net.billing, &net.archive] {
        assert_eq!(server.count(|stats| &stats.timeouts), 1);
        assert_eq!(server.count(|stats| &stats.outstanding), 0);
        assert_eq!(server.state.health(), Health::Zombie);
    }
    assert_eq!(net.world.stats.expired.read(), 0, "no client has missed anything");
    // Twenty seconds later they are dead, and skipped; the client's record is forwarded as ever.
    net.world.pass(Duration::from_secs(25));
    assert_eq!(net.billing.state.health(), Health::Dead);
    let sent = net.world.ask_acct(&accounting(2, "alice@a.example", START)).unwrap();
    assert_eq!(net.copies(), []);
    assert_eq!(net.counts(), [1, 1, 0, 1, 1, 0]);
    assert!(net.world.answer(&sent, &acknowledgement(&sent, 2)).1.is_some());
}

#[test]
fn a_copys_late_or_forged_answer_is_dropped() {
    let mut net = Net::new();
    net.world.ask_acct(&accounting(1, "alice@a.example", START)).unwrap();
    let copies = net.copies();
    let forged = acknowledgement(&copies[0], 21);
    assert_eq!(net.world.answer(&copies[0], &forged).0, Action::Drop(Reason::ReplyForged));
    assert_eq!(net.billing.count(|stats| &stats.forged), 1);
    net.world.pass(Duration::from_secs(4));
    let late = acknowledgement(&copies[0], 20);
    assert_eq!(net.world.answer(&copies[0], &late).0, Action::Drop(Reason::ReplyUnmatched));
}

#[test]
fn a_full_server_is_skipped_and_counted() {
    let mut net = Net::new();
    net.world.reload(|plan| {
        plan.reshape(move |snapshot| {
            home(snapshot, 21).max_outstanding = 2;
        });
    });
    for id in 0..5 {
        net.world.ask_acct(&accounting(id, "alice@a.example", START)).unwrap();
    }
    assert_eq!(net.copies().len(), 7);
    assert_eq!(net.counts(), [5, 0, 0, 2, 3, 0]);
}

#[test]
fn logins_are_not_copied() {
    let mut net = Net::new();
    assert!(net.world.ask(&pap(1, "alice@a.example", 1)).is_some());
    assert_eq!(net.copies(), []);
}

#[test]
fn a_client_that_uses_its_identifier_again_takes_nothing_from_the_copy() {
    let mut net = Net::new();
    net.world.ask_acct(&accounting(1, "alice@a.example", START)).unwrap();
    let copies = net.copies();
    net.world.ask_acct(&accounting(1, "bob@a.example", START)).unwrap();
    assert_eq!(net.copies().len(), 2);
    assert_eq!(net.world.answer(&copies[0], &acknowledgement(&copies[0], 20)).0, Action::Hold);
    assert_eq!(net.counts(), [2, 0, 1, 2, 0, 0]);
}

#[test]
fn a_reload_that_takes_the_copying_away_lets_copies_under_way_end() {
    let mut net = Net::new();
    let request = accounting(1, "alice@a.example", START);
    let sent = net.world.ask_acct(&request).unwrap();
    let copies = net.copies();
    net.world.reload(|plan| plan.shape = Plan::default().shape);
    assert_eq!(net.world.answer(&copies[1], &acknowledgement(&copies[1], 21)).0, Action::Hold);
    assert!(net.world.answer(&sent, &acknowledgement(&sent, 2)).1.is_some());
    net.world.ask_acct(&accounting(2, "alice@a.example", START)).unwrap();
    assert_eq!(net.copies(), []);
    assert_eq!(net.world.pass(Duration::from_secs(10)).len(), 1, "the second record fails over; nothing else happens");
}

#[test]
fn parts_of_a_fan_out_are_copied_by_their_pools() {
    let mut net = Net::new();
    let second = Extra::new(30, "198.51.100.30:1813", HomeKind::Acct);
    net.world.reload(|plan| {
        plan.reshape(move |snapshot| {
            second.join(snapshot, 0);
            snapshot.pools.push(acct_pool("second", 0, &[&second]));
            customer(snapshot, 0).acct_pools = vec![PoolId(0), PoolId(1)];
        });
    });
    let request = accounting(1, "", 7);
    net.world.receive(Socket::Service(ACCT), address(NAS), &request);
    let sent = net.world.pass(Duration::from_millis(200));
    let receivers: Vec<String> = sent.iter().map(|(_, sent)| sent.path.peer.to_string()).collect();
    assert_eq!(receivers, [ACCT_1, BILLING, ARCHIVE, "198.51.100.30:1813"]);
    for ((_, part), index) in sent.iter().zip([2, 20, 21, 30]) {
        let attrs = verified_at_home(part, index);
        assert_eq!(attrs[0], (attr::ACCT_STATUS_TYPE, 7u32.to_be_bytes().to_vec()));
    }
}

#[test]
fn copies_leave_room_in_the_table_for_records() {
    let mut net = Net::new();
    net.world.engine.set_limits(Limits { max_requests: 8, ..Limits::default() });
    for id in 0..4 {
        let record = accounting(id, "alice@a.example", START);
        assert!(net.world.ask_acct(&record).is_some(), "record {id} is forwarded");
    }
    assert_eq!(net.copies().len(), 4, "of the first two records");
    assert_eq!(net.counts(), [2, 2, 0, 2, 2, 0]);
}
