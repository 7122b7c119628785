//! Limits while two processors charge the same buckets at once, attached natively and by the kernel's own clock.

use std::{
    sync::Barrier,
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_setaffinity};
use sekisho_abi::{BucketParams, Ingress, IngressKey, Limits, Outcome, Reason, Roles, Source};
use sekisho_kernel::{Attached, Gate, GateOptions, Mode, testing::Frame};

use crate::{
    raw::{Raw, up, veth},
    world::*,
};

const RATE: u32 = 50_000;
/// Half a second's packets: as long as a sender may be kept waiting without anything being lost.
const BURST: u32 = 25_000;
const LASTS: Duration = Duration::from_secs(1);
/// Both ends of two ways in, one for each processor.
const WAYS: [[&str; 2]; 2] = [["one", "one-far"], ["two", "two-far"]];

/// Keeps this thread, and what the kernel does for the frames that it sends, on a processor.
fn stay(processor: usize) {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get());
    let mut only = CpuSet::new();
    only.set(processor % processors);
    sched_setaffinity(None, &only).unwrap();
}

/// Sends requests of one session, or each of another, for so long, or so many.
struct Sender {
    raw: Raw,
    frame: Vec<u8>,
    name: u64,
    is_new_each_time: bool,
}

impl Sender {
    fn new(way: usize, is_new_each_time: bool) -> Sender {
        let payload = radius_with(1, &attribute(44, [0; 8]));
        let frame = Frame::udp(at(CLIENT), at(AUTH), payload).build();
        Sender { raw: Raw::new(WAYS[way][1]), frame, name: (way as u64) << 32, is_new_each_time }
    }

    fn send(&mut self) {
        if self.is_new_each_time {
            self.name += 1;
            let value = self.frame.len() - 8;
            self.frame[value..].copy_from_slice(&self.name.to_be_bytes());
        }
        self.raw.send(&self.frame);
    }
}

fn open(limits: Limits) -> Gate {
    let mut table = table();
    for ([near, far], bit) in WAYS.into_iter().zip(0..) {
        veth(near, far);
        up(&[near, far]);
        table.ingresses.insert(IngressKey::untagged(index(near)), Ingress { domain: DOMAIN, index: bit });
    }
    let source = Source { limits, ..Source::unlimited(Roles::CLIENT, 30) };
    table.sources.insert(source_key(DOMAIN, CLIENT), source);
    let interfaces = WAYS.map(|[near, _]| near.to_owned()).to_vec();
    let options = GateOptions { interfaces, mode: Mode::Native, max_sources: 100, ..GateOptions::default() };
    let gate = opened(Gate::open(&options, &table));
    assert!(gate.attached().iter().all(|way| way.attached == Attached::Native));
    up(&WAYS.concat());
    gate
}

/// Both processors send as fast as they can; then what is left in the bucket is taken out by one of them.
fn is_held(limits: Limits, over: Reason, is_new_each_time: bool) {
    in_namespace(move || {
        let gate = open(limits);
        let barrier = Barrier::new(2);
        let first = std::thread::scope(|scope| {
            let threads: Vec<_> = [0, 1]
                .into_iter()
                .map(|way| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        stay(way);
                        let mut sender = Sender::new(way, is_new_each_time);
                        barrier.wait();
                        let begin = Instant::now();
                        sender.send();
                        let sent = Instant::now();
                        while begin.elapsed() < LASTS {
                            (0..64).for_each(|_| sender.send());
                        }
                        [begin, sent]
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        let before = Instant::now();
        stay(0);
        let mut sender = Sender::new(0, is_new_each_time);
        sender.name += 1 << 40;
        (0..BURST + 1000).for_each(|_| sender.send());
        let end = Instant::now();

        let counters = gate.counters().unwrap();
        let (passed, contended) = (counters.get(Outcome::Passed), counters.get(dropped(Reason::Contended)));
        assert!(counters.get(dropped(over)) > 1000, "more came than could pass: {}", counters.get(dropped(over)));
        let due = |from: Instant, to: Instant| f64::from(RATE) * (to - from).as_secs_f64() + f64::from(BURST);
        let most = due(first.iter().map(|[begin, _]| *begin).min().unwrap(), end);
        let least = due(first.iter().map(|[_, sent]| *sent).min().unwrap(), before);
        println!("{passed} passed of {least:.0} to {most:.0}, {contended} contended");
        assert!(passed as f64 <= most * 1.001 + 1.0, "{passed}, at most {most}");
        assert!((passed + contended) as f64 >= least * 0.999 - 1.0, "{passed} and {contended}, at least {least}");
    });
}

#[test]
fn two_processors_do_not_get_more_out_of_a_clients_bucket_than_is_in_it() {
    let limits = Limits { client: BucketParams::per_second(RATE, BURST), ..Limits::NONE };
    is_held(limits, Reason::ClientRate, false);
}

#[test]
fn two_processors_do_not_get_more_out_of_a_sessions_bucket_than_is_in_it() {
    let limits = Limits { session: BucketParams::per_second(RATE, BURST), ..Limits::NONE };
    is_held(limits, Reason::SessionRate, false);
}

#[test]
fn two_processors_begin_no_more_sessions_than_may_begin() {
    let limits = Limits { new_session: BucketParams::per_second(RATE, BURST), ..Limits::NONE };
    is_held(limits, Reason::NewSessionRate, true);
}
