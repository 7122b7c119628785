//! What workers publish, read as the kernel's program reads it.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use sekisho_abi::cached::{Flow, MAX_REPLY, MAX_REQUEST};
use sekisho_kernel::{Gate, GateOptions, Mode, Publisher, testing::Repeated};

use crate::world::*;

const SECOND: u64 = 1_000_000_000;
const WINDOW: Duration = Duration::from_secs(2);

fn gate(max_replies: u32) -> (Gate, Publisher) {
    let options = GateOptions {
        mode: Mode::Generic,
        max_sources: 100,
        max_sessions: 100,
        max_replies,
        injected_clock: true,
        ..GateOptions::default()
    };
    let gate = opened(Gate::open(&options, &table()));
    gate.set_clock(10 * SECOND);
    let publisher = gate.publisher().unwrap();
    (gate, publisher)
}

fn flow(port: u16) -> Flow {
    Flow {
        source: octets(CLIENT),
        destination: octets(AUTH),
        domain: DOMAIN,
        source_port: port,
        destination_port: 1812,
    }
}

/// A packet of this length, told from others by a number.
fn packet(code: u8, number: u32, length: usize) -> Vec<u8> {
    let mut packet: Vec<u8> = number.to_be_bytes().into_iter().cycle().take(length).collect();
    packet[0] = code;
    packet[1] = number as u8;
    packet[2..4].copy_from_slice(&(length as u16).to_be_bytes());
    packet
}

#[test]
fn a_request_is_absorbed_while_in_flight_and_answered_afterwards_until_its_time_is_over() {
    let (gate, publisher) = gate(64);
    let (request, reply) = (packet(1, 7, 61), packet(2, 8, 45));
    let now = 10 * SECOND;
    assert_eq!(gate.repeated(&flow(1), &request, now), Repeated::Unknown);
    let ticket = publisher.publish(None, &flow(1), Some(&request), None, WINDOW).unwrap();
    assert_eq!(gate.repeated(&flow(1), &request, now), Repeated::Absorbed);
    assert_eq!(gate.repeated(&flow(1), &request, now + 2 * SECOND), Repeated::Unknown, "the window is over");
    let ticket = publisher.publish(Some(ticket), &flow(1), None, Some(&reply), 2 * WINDOW).unwrap();
    assert_eq!(gate.repeated(&flow(1), &request, now + 3 * SECOND), Repeated::Answered(reply));
    assert_eq!(gate.repeated(&flow(1), &request, now + 4 * SECOND), Repeated::Unknown);
    publisher.withdraw(ticket);
    assert_eq!(gate.repeated(&flow(1), &request, now), Repeated::Unknown);
}

#[test]
fn nothing_but_the_same_request_byte_for_byte_is_answered() {
    let (gate, publisher) = gate(64);
    let (request, reply) = (packet(1, 7, 61), packet(2, 8, 45));
    publisher.publish(None, &flow(1), Some(&request), Some(&reply), WINDOW).unwrap();
    for at in 0..request.len() {
        let mut other = request.clone();
        other[at] ^= 1;
        assert_eq!(gate.repeated(&flow(1), &other, 10 * SECOND), Repeated::Unknown, "octet {at}");
    }
    assert_eq!(gate.repeated(&flow(2), &request, 10 * SECOND), Repeated::Unknown);
    assert_eq!(gate.repeated(&flow(1), &request, 10 * SECOND), Repeated::Answered(reply));
}

#[test]
fn a_flush_forgets_everything_and_what_was_published_can_be_published_again() {
    let (gate, publisher) = gate(64);
    let (request, reply) = (packet(1, 7, 61), packet(2, 8, 45));
    let ticket = publisher.publish(None, &flow(1), Some(&request), None, WINDOW).unwrap();
    publisher.flush();
    assert_eq!(gate.repeated(&flow(1), &request, 10 * SECOND), Repeated::Unknown);
    let late = publisher.publish(Some(ticket), &flow(1), None, Some(&reply), WINDOW);
    assert_eq!(late, None, "what was flushed does not come back by its ticket");
    assert_eq!(gate.repeated(&flow(1), &request, 10 * SECOND), Repeated::Unknown);
    publisher.publish(None, &flow(1), Some(&request), Some(&reply), WINDOW).unwrap();
    assert_eq!(gate.repeated(&flow(1), &request, 10 * SECOND), Repeated::Answered(reply));
}

#[test]
fn a_ticket_is_void_once_its_place_is_anothers() {
    let (gate, publisher) = gate(8);
    let requests: Vec<Vec<u8>> = (0..9).map(|number| packet(1, number, 60)).collect();
    let tickets: Vec<_> = requests
        .iter()
        .zip(1..)
        .map(|(request, lasts)| {
            publisher.publish(None, &flow(1), Some(request), None, Duration::from_secs(lasts)).unwrap()
        })
        .collect();
    // One set of eight places: the ninth took the place of the one that would have ended first.
    assert_eq!(gate.repeated(&flow(1), &requests[0], 10 * SECOND), Repeated::Unknown);
    assert_eq!(gate.repeated(&flow(1), &requests[8], 10 * SECOND), Repeated::Absorbed);
    publisher.withdraw(tickets[0]);
    assert_eq!(publisher.publish(Some(tickets[0]), &flow(1), None, None, WINDOW), None);
    for request in &requests[1..] {
        assert_eq!(gate.repeated(&flow(1), request, 10 * SECOND), Repeated::Absorbed, "the others are as they were");
    }
}

#[test]
fn what_is_too_long_or_no_packet_is_not_published_and_an_answer_too_long_ends_the_absorbing() {
    let (gate, publisher) = gate(64);
    let reply = packet(2, 8, 45);
    let publish =
        |request: &[u8], reply: Option<&[u8]>| publisher.publish(None, &flow(1), Some(request), reply, WINDOW);
    assert!(publish(&packet(1, 1, MAX_REQUEST), Some(&reply)).is_some());
    assert!(publish(&packet(1, 1, MAX_REQUEST + 1), Some(&reply)).is_none());
    assert!(publish(&packet(1, 1, 60)[..59], Some(&reply)).is_none());
    assert!(publish(&[1, 2, 0, 4], Some(&reply)).is_none());
    assert!(publish(&packet(1, 1, 60), Some(&[2; 19])).is_none());
    assert_eq!(publisher.max_reply(), MAX_REPLY);
    let longest = packet(2, 9, MAX_REPLY);
    let request = packet(1, 2, 60);
    let ticket = publish(&request, Some(&longest)).unwrap();
    assert_eq!(gate.repeated(&flow(1), &request, 10 * SECOND), Repeated::Answered(longest));
    let too_long = packet(2, 9, MAX_REPLY + 1);
    assert_eq!(publisher.publish(Some(ticket), &flow(1), None, Some(&too_long), WINDOW), None);
    assert_eq!(gate.repeated(&flow(1), &request, 10 * SECOND), Repeated::Unknown);
}

#[test]
fn readers_see_whole_replies_only_while_workers_write_the_same_places() {
    let (gate, publisher) = gate(8);
    let request = |number| packet(1, number, 60);
    // Each reply tells which request it is for, in every word.
    let reply = |number| packet(2, number, 40 + 8 * (number as usize % 60));
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|worker| {
                let (publisher, done) = (publisher.clone(), &done);
                scope.spawn(move || {
                    let mut published = 0_u64;
                    for round in 0.. {
                        if done.load(Relaxed) {
                            break;
                        }
                        let number = (round * 7 + worker * 3) % 24;
                        let ticket = publisher.publish(None, &flow(1), Some(&request(number)), None, WINDOW);
                        let ticket = publisher.publish(ticket, &flow(1), None, Some(&reply(number)), WINDOW);
                        published += u64::from(ticket.is_some());
                        if round % 5 == 0 {
                            ticket.into_iter().for_each(|ticket| publisher.withdraw(ticket));
                        }
                    }
                    published
                })
            })
            .collect();
        let mut answered = 0;
        for round in 0..60_000 {
            let number = round % 24;
            if let Repeated::Answered(found) = gate.repeated(&flow(1), &request(number), 10 * SECOND) {
                assert_eq!(found, reply(number));
                answered += 1;
            }
        }
        done.store(true, Relaxed);
        assert!(workers.into_iter().map(|worker| worker.join().unwrap()).sum::<u64>() > 0);
        answered
    });
    assert!(seen > 0);
}

#[test]
fn there_is_no_publisher_where_the_kernel_does_not_answer() {
    let none = GateOptions { mode: Mode::Generic, max_sources: 10, max_replies: 0, ..GateOptions::default() };
    assert!(opened(Gate::open(&none, &Default::default())).publisher().is_none());
    in_namespace(|| {
        ip("link add near type veth peer name far");
        let on = |interface: &str| {
            let interfaces = vec![interface.to_owned()];
            let options = GateOptions { interfaces, mode: Mode::Auto, max_sources: 10, ..GateOptions::default() };
            opened(Gate::open(&options, &Default::default())).publisher().map(|publisher| publisher.max_reply())
        };
        assert_eq!(on("lo"), None, "generic");
        assert_eq!(on("near"), Some(1500 - 48));
    });
}
