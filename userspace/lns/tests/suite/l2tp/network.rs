//! Networks that lose, double and reorder.

use std::{net::SocketAddr, time::Duration};

use proptest::prelude::*;
use sekisho_lns::l2tp::{Outcome, PORT, Refusal, TEARDOWN, packet::Message};

use crate::l2tp::{
    lns::{Lns, Manners},
    world::{GOOD, Way, World, address, deep, target},
};

const SECRET: &str = "s3cr3t";
/// For a hundred seconds an LNS's Hellos are answered; one that takes no end clears its tunnel after a minute of rest and half a
/// minute of Hellos that nobody answers.
const CLEARED: Duration = Duration::from_secs(200);

fn manners() -> impl Strategy<Value = Manners> {
    let refuses = prop_oneof![3 => Just(None), 1 => Just(Some((4, 0))), 1 => Just(Some((2, 4)))];
    let port = prop_oneof![Just(1701), Just(31_701)];
    let secret = prop_oneof![Just(Some(SECRET)), Just(Some("other"))];
    (refuses, port, secret, any::<bool>(), any::<bool>(), 0u32..9).prop_map(
        |(refuses, port, secret, challenges, acknowledges_stop, misses_hellos)| Manners {
            port,
            secret,
            challenges,
            refuses,
            acknowledges_stop,
            misses_hellos,
            ..Manners::default()
        },
    )
}

fn way() -> impl Strategy<Value = Way> {
    (0u32..600, 0u32..500, 1u32..2_000).prop_map(|(loss, duplication, delay_ms)| Way { loss, duplication, delay_ms })
}

/// A message that a hostile or broken LNS may send into our tunnel.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let attribute = (
        prop_oneof![Just(1u16), Just(9), Just(11), Just(13), any::<u16>()],
        proptest::collection::vec(any::<u8>(), 0..18),
    )
        .prop_map(|(kind, value)| {
            let first = 0x8000 | (6 + value.len()) as u16;
            [&first.to_be_bytes()[..], &[0, 0], &kind.to_be_bytes(), &value].concat()
        });
    let kind = prop_oneof![Just(None), (0u8..8).prop_map(Some)];
    (kind, 0u16..4, 0u16..5, proptest::collection::vec(attribute, 0..4), 0usize..40).prop_map(
        |(kind, ns, nr, attributes, number)| {
            let kind = kind.map(|kind| vec![0x80, 8, 0, 0, 0, 0, 0, kind]).unwrap_or_default();
            let assigned = if number < 35 { vec![0x80, 8, 0, 0, 0, 9, 0, 1 + number as u8] } else { Vec::new() };
            let body = [kind, assigned, attributes.concat()].concat();
            let fields = [0xc802, (12 + body.len()) as u16, 0, 0, ns, nr].map(u16::to_be_bytes);
            [fields.concat(), body].concat()
        },
    )
}

proptest! {
    #[test]
    fn whatever_an_lns_says_its_probe_ends_and_every_word_gets_two_at_most(
        messages in proptest::collection::vec((message(), 0u64..3_000), 1..30),
        is_deep: bool,
    ) {
        let target = if is_deep { deep(1, SECRET) } else { target(1) };
        let mut world = World::with(target, Manners { silent: true, ..Manners::default() });
        let own = Message::parse(&world.reply()).unwrap().header.tunnel;
        for (mut message, pause) in messages {
            message[4..6].copy_from_slice(&own.to_be_bytes());
            let before = world.sent.len();
            world.arrives(SocketAddr::new(address(1), PORT), &message);
            prop_assert!(world.sent.len() <= before + 2);
            prop_assert!(world.prober.in_flight() <= 1);
            world.run(Duration::from_millis(pause));
        }
        let now = world.now;
        world.prober.set_targets(now, Vec::new());
        world.run(Duration::from_secs(4) + TEARDOWN);
        prop_assert_eq!((world.prober.in_flight(), world.prober.poll_timeout()), (0, None));
    }

    #[test]
    fn whatever_the_network_does_probes_end_and_nothing_is_left(
        seed: u64,
        way in way(),
        manners in proptest::collection::vec(manners(), 1..4),
        leave_after in 0u64..60_000,
    ) {
        let mut world = World::new(seed);
        world.way = way;
        let mut targets = Vec::new();
        for (number, manners) in (1..).zip(manners) {
            world.lnss.insert(address(number), Lns::new(manners));
            targets.push(if number % 2 == 0 { target(number) } else { deep(number, SECRET) });
        }
        let (now, all) = (world.now, targets.len());
        world.prober.set_targets(now, targets);
        world.run(Duration::from_millis(leave_after));
        prop_assert!(world.prober.in_flight() <= all, "one at a time for each");

        // No exchange lives longer than its bound.
        let now = world.now;
        world.prober.set_targets(now, Vec::new());
        world.run(Duration::from_secs(4) + TEARDOWN);
        prop_assert_eq!((world.prober.in_flight(), world.prober.poll_timeout()), (0, None));

        // No LNS has opened two tunnels for one probe, nor keeps one.
        world.run(CLEARED);
        for lns in world.lnss.values() {
            prop_assert!(lns.opened.values().all(|count| *count == 1), "{:?}", lns.opened);
            prop_assert_eq!(lns.open(), 0);
        }
    }

    /// After the bad times whoever is alive is found alive, and is left without a tunnel long before it would clear one itself.
    #[test]
    fn a_network_that_is_good_again_shows_everybody_as_they_are(seed: u64, way in way(), manners in manners()) {
        let manners = Manners { acknowledges_stop: true, misses_hellos: 0, secret: Some(SECRET), ..manners };
        let expected = match manners.refuses {
            None => Outcome::Up,
            Some((2, _)) => Outcome::Full,
            Some(_) => Outcome::Refused(Refusal { result: 4, error: 0 }),
        };
        let mut world = World::new(seed);
        world.way = way;
        world.lnss.insert(address(1), Lns::new(manners));
        let now = world.now;
        world.prober.set_targets(now, vec![deep(1, SECRET)]);
        world.run(Duration::from_secs(45));
        world.way = GOOD;
        world.run(Duration::from_secs(30));
        prop_assert_eq!(world.next_outcome(), expected);
        world.run(Duration::from_secs(1));
        let now = world.now;
        world.prober.set_targets(now, Vec::new());
        world.run(Duration::from_secs(45));
        prop_assert_eq!(world.lns().open(), 0);
    }
}
