//! What comes after the end, and targets that go in the middle.

use std::{net::SocketAddr, time::Duration};

use sekisho_lns::l2tp::{
    Outcome, PORT, Target,
    packet::{Kind, Message},
};

use crate::l2tp::{
    lns::Manners,
    world::{World, address, deep, target},
};

#[test]
fn a_tunnel_whose_opening_came_too_late_is_closed_all_the_same() {
    // Its SCCRP arrives at the fourth try, seven seconds after the request.
    let mut world = World::with(target(1), Manners { loses_replies: 3, ..Manners::default() });
    assert_eq!(world.next_outcome(), Outcome::Silent);
    assert_eq!((world.prober.in_flight(), world.lns().open()), (0, 1));
    world.run(Duration::from_secs(4));
    assert_eq!(world.lns().open(), 0);
    assert_eq!(world.probed.len(), 1, "it counts nothing");
    assert!(world.prober.counts().strays > 0);
}

#[test]
fn a_late_answer_is_closed_while_the_next_probe_is_under_way() {
    let mut world = World::with(target(1), Manners { loses_replies: 4, ..Manners::default() });
    assert_eq!([world.next_outcome(), world.next_outcome()], [Outcome::Silent, Outcome::Up]);
    world.run(Duration::from_secs(8));
    assert_eq!(world.lns().open(), 0);
}

#[test]
fn a_refusal_that_is_repeated_is_acknowledged_again() {
    let slow = Target { interval: Duration::from_secs(600), ..target(1) };
    let mut world = World::with(slow, Manners { refuses: Some((4, 0)), ..Manners::default() });
    world.next_outcome();
    let acknowledgement = world.sent.last().unwrap().1.clone();
    let refusal = {
        let own = Message::parse(&world.sent[0].1.bytes).unwrap().assigned.unwrap();
        let theirs = Message::parse(&acknowledgement.bytes).unwrap().header.tunnel;
        let body = [
            0x80,
            8,
            0,
            0,
            0,
            0,
            0,
            4,
            0x80,
            8,
            0,
            0,
            0,
            9,
            (theirs >> 8) as u8,
            theirs as u8,
            0x80,
            8,
            0,
            0,
            0,
            1,
            0,
            4,
        ];
        let fields = [0xc802, 36, own, 0, 0, 1].map(u16::to_be_bytes);
        [fields.concat(), body.to_vec()].concat()
    };
    let before = world.sent.len();
    world.arrives(SocketAddr::new(address(1), PORT), &refusal);
    assert_eq!(world.sent[before..].iter().map(|(_, sent)| sent).collect::<Vec<_>>(), [&acknowledgement]);
    assert_eq!(world.probed.len(), 1);
    // Somebody else's is not, nor is one that is much too late.
    world.arrives(SocketAddr::new(address(2), PORT), &refusal);
    world.run(Duration::from_secs(101));
    world.arrives(SocketAddr::new(address(1), PORT), &refusal);
    assert_eq!(world.sent.len(), before + 1);
}

#[test]
fn where_no_end_of_a_tunnel_has_arrived_the_next_hello_is_answered_by_one() {
    let slow = Target { interval: Duration::from_secs(600), ..target(1) };
    let mut world = World::with(slow, Manners { acknowledges_stop: false, ..Manners::default() });
    world.next_outcome();
    world.run(Duration::from_secs(30));
    world.lns().manners.acknowledges_stop = true;
    assert_eq!((world.prober.in_flight(), world.lns().open()), (0, 1));
    world.run(Duration::from_secs(31));
    assert_eq!(world.lns().open(), 0);
}

#[test]
fn a_second_tunnel_for_a_request_that_came_twice_is_closed_as_well() {
    let mut world = World::with(target(1), Manners { forgets: true, ..Manners::default() });
    world.next_outcome();
    world.run(Duration::from_secs(1));
    // The network doubles the request, long after.
    let request = world.lns().requests[0].clone();
    let now = world.now;
    let answers = world.lns().handle(now, crate::l2tp::world::HERE, PORT, &request);
    assert_eq!(world.lns().open(), 1);
    for answer in answers {
        world.arrives(SocketAddr::new(address(1), PORT), &answer.bytes);
    }
    world.run(Duration::from_secs(1));
    assert_eq!((world.lns().open(), world.probed.len()), (0, 1));
}

#[test]
fn a_target_that_goes_in_the_middle_is_torn_down_and_nobody_hears_of_it() {
    let secret = Some("s3cr3t");
    for pause in 0..6 {
        let mut world = World::with(deep(1, "s3cr3t"), Manners { secret, challenges: true, ..Manners::default() });
        while world.sent.is_empty() {
            world.run(Duration::from_millis(1));
        }
        world.run(Duration::from_millis(pause));
        let before = world.probed.len();
        let now = world.now;
        world.prober.set_targets(now, Vec::new());
        world.run(Duration::from_secs(30));
        assert_eq!((world.lns().open(), world.prober.in_flight()), (0, 0), "after {pause} ms");
        assert_eq!(world.probed.len(), before);
        assert_eq!(world.prober.poll_timeout(), None);
    }
}

#[test]
fn a_request_is_not_repeated_once_its_target_is_gone() {
    let mut world = World::with(target(1), Manners { silent: true, ..Manners::default() });
    while world.sent.is_empty() {
        world.run(Duration::from_millis(1));
    }
    let now = world.now;
    world.prober.set_targets(now, Vec::new());
    world.run(Duration::from_secs(30));
    assert_eq!((world.sent.len(), world.probed.len(), world.prober.in_flight()), (1, 0, 0));
}

#[test]
fn a_target_that_moves_is_asked_at_its_new_place_and_torn_down_at_the_old() {
    let mut world = World::with(deep(1, "s3cr3t"), Manners { secret: Some("s3cr3t"), ..Manners::default() });
    world.lnss.insert(address(2), crate::l2tp::lns::Lns::new(Manners { refuses: Some((2, 4)), ..Manners::default() }));
    while world.lns().open() == 0 {
        world.run(Duration::from_millis(1));
    }
    let now = world.now;
    world.prober.set_targets(now, vec![Target { address: address(2), ..target(1) }]);
    assert_eq!(world.next_outcome(), Outcome::Full);
    assert_eq!(world.lns().open(), 0);
    assert_eq!(world.lns().heard.last(), Some(&Kind::StopCcn));
}
