//! One bucket, charged by two processors at once: no update is lost between them.

use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};
use sekisho_tests::documents::Documents;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, Host, Network, auth};
use sekisho_tests::sekisho::Sekisho;
use serde_json::{Value, json};

/// Packets sent between two looks at the clock.
const SOME: usize = 64;

/// Floods a client's bucket from two links, each by a processor of its own, and holds that what gets through is what the rate and
/// the burst allow: within a thousandth, and one.
fn is_accurate(rate: u64, burst: u64, time: Duration) -> Value {
    let mut network = Network::new();
    let links = ["left", "right"].map(|name| network.host(name));
    // Of all contracts this one has several addresses, and so several links.
    let addresses: Vec<String> = links.iter().map(|host| host.v4.to_string()).collect();
    let carrier = format!(
        "[[access_network]]\nname = \"carrier\"\ntype = \"D\"\naddresses = {addresses:?}\nsecret = \"secret-of-the-carrier\"\n\
         client_rate = {rate}\nclient_burst = {burst}\nreject_delay = \"0s\""
    );
    let documents = Documents::new(&[&links[0], &links[1]]).xdp_key("max_replies = 0").with(&carrier);
    let sekisho = Sekisho::start(&network, &documents);
    let begun = Instant::now();
    let floods: Vec<[Instant; 2]> = std::thread::scope(|scope| {
        let start = |(processor, host)| scope.spawn(move || flood(host, processor, begun + time));
        let started: Vec<_> = links.iter().enumerate().map(start).collect();
        started.into_iter().map(|flood| flood.join().expect("a flood")).collect()
    });
    // Between the first packet and the last the bucket was never full; before and behind them, while this machine did something else, it
    // may have been. So the most that may pass is of the whole time, and the least that has to is of the flood's.
    let took = begun.elapsed();
    let first = floods.iter().map(|[first, _]| *first).min().expect("two floods");
    let last = floods.iter().map(|[_, last]| *last).max().expect("two floods");
    let metrics = sekisho.metrics();
    sekisho.assert_every_packet_is_counted_once();
    let of = |outcome| metrics.sum("sekisho_client_packets_total", &[("client", "carrier"), ("outcome", outcome)]);
    let (passed, over, contended) = (of("passed"), of("client_rate"), of("contended"));
    assert!(over > passed, "this is no flood: {passed} passed, {over} did not");
    let in_time = |time: Duration| burst as f64 + rate as f64 * time.as_secs_f64();
    let (allowed, due) = (in_time(took), in_time(last - first));
    let slack = allowed / 1000.0 + 1.0;
    assert!(passed as f64 <= allowed + slack, "{passed} passed, {allowed:.1} are allowed");
    assert!((passed + contended) as f64 >= due - slack, "{passed} passed, {contended} contended of {due:.1}");
    json!({"rate": rate, "burst": burst, "seconds": took.as_secs_f64(), "allowed": allowed, "passed": passed,
           "over": over, "contended": contended})
}

/// Sends all that goes out until `end`, and then as much again as a pause just before it may have left in the bucket. When the first
/// packets had gone out, and when those began that take what was left.
fn flood(host: &Host, processor: usize, end: Instant) -> [Instant; 2] {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut only = CpuSet::new();
    only.set(processor % processors);
    sched_setaffinity(None, &only).expect("a processor of its own");
    // Nobody who is asked answers: the secret is wrong, and that is found out behind the gate.
    let nas = Nas::new(host, host.v4, "not the secret at all");
    let login = nas.login(1, "alice@acme.example", "wonderland");
    let some = || (0..SOME).for_each(|_| nas.send(auth(Family::V4), &login));
    some();
    let first = Instant::now();
    while Instant::now() < end {
        some();
    }
    let last = Instant::now();
    (0..32).for_each(|_| some());
    [first, last]
}

#[test]
fn two_processors_at_once_let_through_what_the_rate_allows_within_a_thousandth() {
    is_accurate(2_000, 1_000, Duration::from_secs(2));
}

#[test]
#[ignore = "takes minutes: make soak"]
fn soak_of_a_rate_at_two_processors() {
    let results: Vec<Value> = [5_000, 20_000].map(|rate| is_accurate(rate, rate, Duration::from_secs(20))).into();
    crate::soak::keep("two-cpus", &json!(results));
}
