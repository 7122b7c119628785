//! The end: always within its deadline, and without losing what is in flight.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use crate::common::{Node, PASSWORD, home::Home, nas::Nas};
use rustix::process::Signal;
use sekisho_wire::code::Code;

#[test]
fn an_idle_node_stops_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut node = Node::start();
        node.signal(signal);
        let (code, took) = node.wait();
        assert_eq!(code, Some(0));
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn a_node_under_load_stops_within_its_deadline() {
    let mut node = Node::start();
    let _home = Home::start(node.network().home());
    let stop = Arc::new(AtomicBool::new(false));
    let load = {
        let (stop, mut nas) = (Arc::clone(&stop), Nas::new(node.network().nas(), node.network().node()));
        thread::spawn(move || {
            while !stop.load(Relaxed) {
                nas.send_login("alice@acme.example", PASSWORD);
            }
        })
    };
    thread::sleep(Duration::from_millis(500));
    node.signal(Signal::TERM);
    let (code, took) = node.wait();
    stop.store(true, Relaxed);
    load.join().unwrap();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn what_is_in_flight_is_answered_before_the_end() {
    let mut node = Node::start();
    let home = Home::start(node.network().home());
    home.be_slow(Duration::from_millis(400));
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    let sent = nas.send_login("alice@acme.example", PASSWORD);
    thread::sleep(Duration::from_millis(100));
    node.signal(Signal::TERM);
    assert_eq!(nas.answer(&sent), Some(Code::ACCESS_ACCEPT));
    let (code, took) = node.wait();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_silent_home_server_does_not_hold_the_end_up() {
    let mut node = Node::start();
    let home = Home::start(node.network().home());
    home.be_silent(true);
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    nas.send_login("alice@acme.example", PASSWORD);
    thread::sleep(Duration::from_millis(100));
    node.signal(Signal::TERM);
    let (code, took) = node.wait();
    assert_eq!(code, Some(0));
    assert!(took > Duration::from_millis(1500) && took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_second_signal_leaves_at_once() {
    let mut node = Node::start();
    let home = Home::start(node.network().home());
    home.be_silent(true);
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    nas.send_login("alice@acme.example", PASSWORD);
    thread::sleep(Duration::from_millis(100));
    node.signal(Signal::TERM);
    thread::sleep(Duration::from_millis(200));
    node.signal(Signal::TERM);
    let (code, took) = node.wait();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(1), "{took:?}");
}
