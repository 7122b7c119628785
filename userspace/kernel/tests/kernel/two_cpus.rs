//! Limits while two processors charge the same buckets at once, attached natively and by the kernel's own clock.

use std::{
    sync::{
        Barrier,
        atomic::{
            AtomicU64,
            Ordering::{AcqRel, Acquire},
        },
    },
    time::{Duration, Instant},
};

use rustix::thread::{CpuSet, sched_setaffinity};
use sekisho_abi::{BucketParams, Ingress, IngressKey, Limits, Outcome, Reason, Roles, Source, gcra};
use sekisho_kernel::{Attached, Counters, Gate, GateOptions, Mode, testing::Frame};

use crate::{
    raw::{Raw, up, veth},
    world::*,
};

const RATE: u32 = 20_000;
/// Half a second's packets: as long as both senders may be kept waiting without anything being lost.
const BURST: u32 = 10_000;
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

/// When a bucket was seen to be empty, between two moments, and what had passed by then.
struct Empty {
    since: Instant,
    by: Instant,
    counters: Counters,
}

/// Sends until something is refused.
fn drain(gate: &Gate, sender: &mut Sender, over: Reason) -> Empty {
    let refused = gate.counters().unwrap().get(dropped(over));
    loop {
        let since = Instant::now();
        (0..64).for_each(|_| sender.send());
        let counters = gate.counters().unwrap();
        if counters.get(dropped(over)) > refused {
            return Empty { since, by: Instant::now(), counters };
        }
    }
}

/// Both processors send as fast as they can, from one moment at which the bucket is empty to another.
fn is_held(limits: Limits, over: Reason, is_new_each_time: bool) {
    in_namespace(move || {
        let gate = open(limits);
        let [mut first, mut second] = [0, 1].map(|way| Sender::new(way, is_new_each_time));
        stay(0);
        let begin = Instant::now();
        let full = drain(&gate, &mut first, over);
        let passed = |empty: &Empty| empty.counters.get(Outcome::Passed);
        assert!(passed(&full) >= u64::from(BURST), "the burst: {}", passed(&full));
        assert!(passed(&full) as f64 <= due(begin, full.by) + f64::from(BURST) + 1.0, "the burst: {}", passed(&full));

        let barrier = Barrier::new(2);
        std::thread::scope(|scope| {
            for (processor, sender) in [&mut first, &mut second].into_iter().enumerate() {
                let barrier = &barrier;
                scope.spawn(move || {
                    stay(processor);
                    barrier.wait();
                    let begin = Instant::now();
                    while begin.elapsed() < LASTS {
                        (0..64).for_each(|_| sender.send());
                    }
                });
            }
        });
        let end = drain(&gate, &mut first, over);

        let count = (passed(&end) - passed(&full)) as f64;
        let contended = end.counters.get(dropped(Reason::Contended)) as f64;
        let (least, most) = (due(full.by, end.since), due(full.since, end.by));
        println!("{count} passed of {least:.0} to {most:.0}, {contended} contended");
        assert!(count <= most * 1.001 + 1.0, "{count} passed, {most} at most");
        assert!(count + contended >= least * 0.999 - 1.0, "{count} passed, {contended} contended, {least} at least");
        let refused = end.counters.get(dropped(over)) - full.counters.get(dropped(over));
        assert!(refused > 1000, "more came than may pass: {refused}");
    });
}

/// What the rate gives between two moments.
fn due(from: Instant, to: Instant) -> f64 {
    f64::from(RATE) * (to - from).as_secs_f64()
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

#[test]
fn a_session_that_two_processors_begin_at_once_is_one_session_from_then_on() {
    const SESSIONS: u64 = 500;
    in_namespace(|| {
        // One packet in an hour: however long it takes here, nobody's second one is due.
        let hourly = BucketParams { increment: 3600 * SECOND * gcra::TICKS, tolerance: 0 };
        let gate = open(Limits { session: hourly, ..Limits::NONE });
        let (arrived, [first, second]) = (AtomicU64::new(0), [0, 1].map(|way| Sender::new(way, true)));
        std::thread::scope(|scope| {
            for (processor, mut sender) in [first, second].into_iter().enumerate() {
                let arrived = &arrived;
                scope.spawn(move || {
                    stay(processor);
                    sender.name = 0;
                    for round in 1..=SESSIONS {
                        arrived.fetch_add(1, AcqRel);
                        while arrived.load(Acquire) < 2 * round {
                            std::thread::yield_now();
                        }
                        sender.send();
                    }
                });
            }
        });
        let at_once = gate.counters().unwrap();
        let (passed, contended) = (at_once.get(Outcome::Passed), at_once.get(dropped(Reason::Contended)));
        println!("{passed} of {SESSIONS} passed, {contended} contended");
        assert!(passed + contended >= SESSIONS && passed <= 2 * SESSIONS, "{passed} passed, {contended} contended");

        stay(0);
        let mut again = Sender::new(0, true);
        again.name = 0;
        (0..SESSIONS).for_each(|_| again.send());
        let later = gate.counters().unwrap();
        assert_eq!(later.get(Outcome::Passed), passed, "all have had theirs");
        assert_eq!(later.get(dropped(Reason::SessionRate)) - at_once.get(dropped(Reason::SessionRate)), SESSIONS);
    });
}
