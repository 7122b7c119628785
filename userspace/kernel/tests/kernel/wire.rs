//! A request answered by the kernel's program over real interfaces, to a NAS with a socket of its own.

use std::{
    net::UdpSocket,
    process::Command,
    sync::mpsc::{self, TryRecvError},
    time::Duration,
};

use sekisho_abi::{Ingress, IngressKey, Outcome, Roles, Source, cached::Flow};
use sekisho_kernel::{Gate, GateOptions, GateTable, Mode};

use crate::{
    answers::{reply, sound},
    raw::{up, veth},
    world::*,
};

/// The NAS's addresses and ours, of each family.
const FLOWS: [(&str, &str); 2] = [("192.0.2.7:0", AUTH), ("[2001:db8::7]:0", AUTH_V6)];

/// Octets of requests, and of replies to them: shorter, longer, odd, and as long as the wire takes.
const LENGTHS: [(usize, usize); 6] = [(20, 20), (300, 45), (61, 700), (22, 1452), (1452, 20), (1452, 1452)];

fn addresses(interface: &str, v4: &str, v6: &str) {
    ip(&format!("addr add {v4}/24 dev {interface}"));
    ip(&format!("addr add {v6}/64 dev {interface} nodad"));
}

fn bound(address: &str, waits: Duration) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(waits)).unwrap();
    socket
}

fn table_by(interface: &str) -> GateTable {
    let mut table = table();
    table.ingresses.insert(IngressKey::untagged(index(interface)), Ingress { domain: DOMAIN, index: 0 });
    for (id, (from, _)) in (60..).zip(FLOWS) {
        table.sources.insert(source_key(DOMAIN, from), Source::unlimited(Roles::CLIENT, id));
    }
    table
}

fn native(interface: &str) -> GateOptions {
    let interfaces = vec![interface.to_owned()];
    GateOptions { interfaces, mode: Mode::Native, max_sources: 100, ..GateOptions::default() }
}

fn offload(interface: &str, settings: &[&str]) {
    let status = Command::new("ethtool").args(["-K", interface]).args(settings).status();
    assert!(status.expect("`ethtool` of the package ethtool").success());
}

/// The NAS: in a namespace of its own, it sends each request that it is told to and gives what comes back.
fn nas(
    ready: mpsc::Sender<u32>,
    moved: mpsc::Receiver<()>,
    requests: mpsc::Receiver<(usize, Vec<u8>)>,
    replies: mpsc::Sender<(u16, Vec<u8>)>,
) {
    // SAFETY: a system call without pointers; only this thread changes its namespace.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "{}", std::io::Error::last_os_error());
    ready.send(rustix::thread::gettid().as_raw_nonzero().get() as u32).unwrap();
    moved.recv().unwrap();
    addresses("far", "192.0.2.7", "2001:db8::7");
    // What the kernel sends back over a veth arrives where a program is attached as well: this one passes all.
    let _gate = opened(Gate::open(&native("far"), &GateTable::default()));
    offload("far", &["tx", "off"]);
    up(&["far"]);
    let sockets = FLOWS.map(|(from, _)| bound(from, Duration::from_secs(10)));
    ready.send(0).unwrap();
    for (family, request) in requests {
        let socket = &sockets[family];
        socket.send_to(&request, at(FLOWS[family].1)).unwrap();
        let mut buffer = [0; 5000];
        let (octets, from) = socket.recv_from(&mut buffer).expect("a reply");
        assert_eq!(from, at(FLOWS[family].1));
        replies.send((socket.local_addr().unwrap().port(), buffer[..octets].to_vec())).unwrap();
    }
}

#[test]
fn a_nas_gets_identical_octets_from_the_kernel_and_from_userspace_where_they_do_not_fit() {
    in_namespace(|| {
        veth("near", "far");
        let (ready, told) = mpsc::channel();
        let (go, moved) = mpsc::channel();
        let (ask, requests) = mpsc::channel();
        let (replies, answers) = mpsc::channel();
        let nas = std::thread::spawn(|| nas(ready, moved, requests, replies));
        ip(&format!("link set far netns {}", told.recv().unwrap()));
        addresses("near", "192.0.2.1", "2001:db8::1");
        ip("link set near up");
        let gate = opened(Gate::open(&native("near"), &table_by("near")));
        go.send(()).unwrap();
        told.recv().unwrap();
        up(&["near"]);
        let publisher = gate.publisher().unwrap();
        let servers = FLOWS.map(|(_, to)| bound(to, Duration::from_millis(5)));
        // Userspace answers what comes to it; how often that was is told with the answer and the NAS's port.
        let exchange = |family: usize, request: &Vec<u8>, reply: &Vec<u8>| {
            ask.send((family, request.clone())).unwrap();
            let mut up = 0;
            loop {
                let mut buffer = [0; 5000];
                if let Ok((octets, nas)) = servers[family].recv_from(&mut buffer) {
                    assert_eq!(&buffer[..octets], request);
                    servers[family].send_to(reply, nas).unwrap();
                    up += 1;
                }
                match answers.try_recv() {
                    Ok((port, answer)) => break (up, port, answer),
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => panic!("the NAS got no reply"),
                }
            }
        };
        for (family, (from, to)) in FLOWS.into_iter().enumerate() {
            for (identifier, (asked, answered)) in (0..).zip(LENGTHS) {
                let (request, reply) = (sound(1, identifier, asked), reply(answered));
                let (up, source_port, answer) = exchange(family, &request, &reply);
                assert_eq!((up, answer), (1, reply.clone()), "nothing is published yet");
                let flow = Flow {
                    source: octets(from),
                    destination: octets(to),
                    domain: DOMAIN,
                    source_port,
                    destination_port: at(to).port(),
                };
                publisher.publish(None, &flow, Some(&request), Some(&reply), Duration::from_secs(60)).unwrap();
                let replied = || gate.counters().unwrap().get(Outcome::Replied);
                let (before, mut up) = (replied(), 0);
                for _ in 0..3 {
                    let (more, _, answer) = exchange(family, &request, &reply);
                    assert_eq!(answer, reply, "{asked} {answered}");
                    up += more;
                }
                assert_eq!(replied() - before + up, 3, "{asked} {answered}");
                // A veth makes frames' buffers as large as the frames: there may be no room for more.
                assert!(up == 0 || answered > asked, "userspace was asked {up} times: {asked} {answered}");
            }
        }
        drop(ask);
        nas.join().unwrap();
    });
}
