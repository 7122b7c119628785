//! Rule 13: program, tables and buckets stay while no process runs, and the next one goes on with them.

use std::{
    collections::HashSet,
    fs,
    net::UdpSocket,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use sekisho_abi::{
    BucketParams, ClientCounter, Ingress, IngressKey, Limits, Outcome, PortKind, Reason, Roles, Service, Source,
};
use sekisho_kernel::{Attached, Gate, GateError, GateOptions, GateTable, Mode};

use crate::world::*;

const OWNER: u64 = 0xacce55;

/// Runs a test in network and mount namespaces of its own, with a bpffs there, and a directory to pin in.
fn with_bpffs(test: impl FnOnce(&Path) + Send + 'static) {
    in_namespace(|| {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().to_str().unwrap();
        // SAFETY: a system call without pointers; only this thread changes its namespace.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNS) }, 0);
        run("mount", &["--make-rprivate", "/"]);
        run("mount", &["-t", "bpf", "bpf", at]);
        test(&directory.path().join("sekisho"));
        run("umount", &[at]);
    });
}

fn run(program: &str, arguments: &[&str]) {
    let status = std::process::Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

fn options(pins: &Path) -> GateOptions {
    GateOptions {
        interfaces: vec!["lo".to_owned()],
        mode: Mode::Generic,
        max_sources: 100,
        max_sessions: 1000,
        max_replies: 64,
        pins: Some(pins.to_owned()),
        ..GateOptions::default()
    }
}

/// A server on 127.0.0.1, a client there that is registered or not, and the table that says so.
struct World {
    server: UdpSocket,
    client: UdpSocket,
    table: GateTable,
}

fn world(client: Option<Source>) -> World {
    let socket = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        socket
    };
    let (server, sender) = (socket(), socket());
    let mut table = GateTable::default();
    table.ingresses.insert(IngressKey::untagged(LO), Ingress { domain: DOMAIN, index: 0 });
    let to = server.local_addr().unwrap().to_string();
    table.services.insert(service_key(&to), Service::new(PortKind::Auth, 0));
    if let Some(source) = client {
        table.sources.insert(source_key(DOMAIN, "127.0.0.1:1"), source);
    }
    World { server, client: sender, table }
}

impl World {
    /// Whether a request gets through to the server.
    fn arrives(&self) -> bool {
        self.client.send_to(&radius(1), self.server.local_addr().unwrap()).unwrap();
        self.server.recv(&mut [0; 100]).is_ok()
    }
}

/// One packet in an hour, and so many at once.
fn burst_of(burst: u32) -> Source {
    let hour =
        BucketParams { increment: 3600 * 16_000_000_000, tolerance: u64::from(burst - 1) * 3600 * 16_000_000_000 };
    let limits = Limits { client: hour, ..Limits::NONE };
    Source { limits, owner: OWNER, ..Source::unlimited(Roles::CLIENT, 1) }
}

fn open(pins: &Path, table: &GateTable) -> Gate {
    opened(Gate::open(&options(pins), table))
}

fn settle(gate: &mut Gate) {
    gate.remove(&HashSet::new()).unwrap();
}

fn names(directory: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

#[test]
fn the_gate_stays_closed_to_strangers_and_open_to_clients_while_no_process_runs() {
    with_bpffs(|pins| {
        let stranger = world(None);
        let gate = open(pins, &stranger.table);
        assert_eq!(gate.pinned(), Ok(pins));
        drop(gate);
        assert!(!stranger.arrives());
        let client = world(Some(Source::unlimited(Roles::CLIENT, 1)));
        drop(open(pins, &client.table));
        assert!(client.arrives());
    });
}

#[test]
fn buckets_and_counters_go_on_with_the_next_process_and_in_between() {
    with_bpffs(|pins| {
        let world = world(Some(burst_of(4)));
        let gate = open(pins, &world.table);
        let seed = gate.seed().unwrap();
        assert!(world.arrives() && world.arrives());
        drop(gate);
        assert!(world.arrives(), "limits go on without a process");
        let mut gate = open(pins, &world.table);
        settle(&mut gate);
        assert_eq!(gate.seed(), Some(seed));
        assert!(world.arrives());
        assert!(!world.arrives(), "four in all: no bucket was refilled");
        let counters = gate.counters().unwrap();
        assert_eq!(counters.get(Outcome::Passed), 4);
        assert_eq!(counters.get(Outcome::Dropped(Reason::ClientRate)), 1);
        let clients = gate.clients();
        let (_, counts) = clients.iter().find(|(owner, _)| *owner == OWNER).unwrap();
        assert_eq!(counts[ClientCounter::Passed as usize], 4);
    });
}

#[test]
fn what_the_last_process_knew_and_this_one_does_not_goes_in_the_second_step() {
    with_bpffs(|pins| {
        let old = world(Some(burst_of(100)));
        let gate = open(pins, &old.table);
        gate.ports().open(at("127.0.0.1:40000")).unwrap();
        drop(gate);
        let mut new = old.table.clone();
        new.sources.clear();
        new.sources.insert(source_key(DOMAIN, "127.0.0.2:1"), Source::unlimited(Roles::CLIENT, 2));
        let mut gate = open(pins, &new);
        assert!(old.arrives(), "old and new hold");
        let frame = request("127.0.0.1:9", "127.0.0.1:40000").build();
        assert_eq!(outcome(&gate, &frame), Outcome::NotOurs, "its ports toward home servers are no more");
        settle(&mut gate);
        assert!(!old.arrives());
        let owners: Vec<u64> = gate.clients().into_iter().map(|(owner, _)| owner).collect();
        assert!(!owners.contains(&OWNER), "{owners:?}");
    });
}

#[test]
fn a_program_is_replaced_under_traffic_without_an_open_or_closed_moment() {
    with_bpffs(|pins| {
        let stranger = world(None);
        let client = world(Some(Source::unlimited(Roles::CLIENT, 1)));
        let mut table = client.table.clone();
        table.services.extend(&stranger.table.services);
        // The stranger has an address of its own.
        let outsider = UdpSocket::bind("127.0.0.9:0").unwrap();
        let mut gate = Some(open(pins, &table));
        let done = AtomicBool::new(false);
        let (to, closed) = (client.server.local_addr().unwrap(), stranger.server.local_addr().unwrap());
        let sent = std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                let mut sent = 0_u64;
                while !done.load(Relaxed) {
                    client.client.send_to(&radius(1), to).unwrap();
                    outsider.send_to(&radius(1), closed).unwrap();
                    sent += 1;
                }
                sent
            });
            for round in 0..8 {
                drop(gate.take());
                let options = GateOptions { max_replies: if round < 6 { 64 } else { 128 }, ..options(pins) };
                let mut next = opened(Gate::open(&options, &table));
                // Where tables are made anew they count anew: what is counted there is looked at below.
                settle(&mut next);
                gate = Some(next);
            }
            done.store(true, Relaxed);
            sender.join().unwrap()
        });
        assert!(sent > 1000, "{sent}");
        let counters = gate.unwrap().counters().unwrap();
        assert_eq!(counters.get(Outcome::NotOurs), 0, "{counters:?}");
        assert_eq!(counters.get(Outcome::Seen), counters.ended(), "{counters:?}");
        assert_eq!(
            counters.get(Outcome::Passed) + counters.get(Outcome::Dropped(Reason::Unregistered)),
            counters.get(Outcome::Seen),
            "every client passed, and every stranger was dropped: {counters:?}"
        );
        stranger.server.set_nonblocking(true).unwrap();
        assert!(stranger.server.recv(&mut [0; 100]).is_err(), "not one of {sent} got through");
    });
}

#[test]
fn adopted_tables_miss_no_packet_of_a_client() {
    with_bpffs(|pins| {
        let client = world(Some(Source::unlimited(Roles::CLIENT, 1)));
        let to = client.server.local_addr().unwrap();
        let mut gate = Some(open(pins, &client.table));
        let done = AtomicBool::new(false);
        let sent = std::thread::scope(|scope| {
            let sender = scope.spawn(|| {
                let mut sent = 0_u64;
                while !done.load(Relaxed) {
                    client.client.send_to(&radius(1), to).unwrap();
                    sent += 1;
                }
                sent
            });
            for _ in 0..5 {
                drop(gate.take());
                let mut next = open(pins, &client.table);
                settle(&mut next);
                gate = Some(next);
            }
            done.store(true, Relaxed);
            sender.join().unwrap()
        });
        let counters = gate.unwrap().counters().unwrap();
        assert_eq!(counters.get(Outcome::Seen), sent, "{counters:?}");
        assert_eq!(counters.get(Outcome::Passed), sent, "{counters:?}");
    });
}

#[test]
fn tables_of_another_size_are_made_anew_and_pinned_in_place_of_the_old_ones() {
    with_bpffs(|pins| {
        let world = world(Some(burst_of(2)));
        let gate = open(pins, &world.table);
        let seed = gate.seed();
        assert!(world.arrives() && world.arrives() && !world.arrives());
        drop(gate);
        let options = GateOptions { max_sources: 5000, ..options(pins) };
        let gate = opened(Gate::open(&options, &world.table));
        assert!(world.arrives(), "buckets begin anew");
        assert_ne!(gate.seed(), seed);
        drop(gate);
        let gate = opened(Gate::open(&options, &world.table));
        assert_eq!(gate.counters().unwrap().get(Outcome::Passed), 1, "and these are adopted in their turn");
        assert_eq!(names(pins), [pins.join("link-1-generic"), pins.join("maps")]);
    });
}

#[test]
fn tables_too_full_for_old_and_new_together_are_made_anew() {
    with_bpffs(|pins| {
        let many = |network: u8| {
            let mut table = world(None).table;
            for number in 0..100 {
                let key = source_key(DOMAIN, &format!("10.{network}.0.{number}:1"));
                table.sources.insert(key, Source::unlimited(Roles::CLIENT, 1));
            }
            table
        };
        drop(open(pins, &many(1)));
        let gate = open(pins, &many(2));
        assert_eq!(gate.attached()[0].attached, Attached::Generic);
        assert_eq!(gate.counters().unwrap().get(Outcome::Seen), 0);
    });
}

#[test]
fn a_process_that_died_while_it_made_new_tables_leaves_nothing_in_the_way() {
    with_bpffs(|pins| {
        let world = world(Some(burst_of(2)));
        drop(open(pins, &world.table));
        assert!(world.arrives());
        // Between the two renames.
        fs::rename(pins.join("maps"), pins.join("maps-old")).unwrap();
        let gate = open(pins, &world.table);
        assert_eq!(gate.counters().unwrap().get(Outcome::Passed), 1, "the old ones are still there");
        drop(gate);
        fs::create_dir(pins.join("maps-new")).unwrap();
        let gate = open(pins, &world.table);
        assert_eq!(gate.counters().unwrap().get(Outcome::Passed), 1);
        assert!(!pins.join("maps-new").exists());
    });
}

#[test]
fn two_processes_do_not_share_a_gate() {
    with_bpffs(|pins| {
        let world = world(None);
        let gate = open(pins, &world.table);
        for mode in [Mode::Generic, Mode::Auto] {
            let error = Gate::open(&GateOptions { mode, ..options(pins) }, &world.table).err().unwrap();
            assert!(matches!(error, GateError::InUse { .. }), "{error:?}");
            assert!(error.to_string().contains("xdp.directory"), "{error}");
        }
        drop(gate);
        open(pins, &world.table);
    });
}

#[test]
fn detach_removes_everything_and_says_what_and_then_nothing_is_there() {
    with_bpffs(|pins| {
        let world = world(None);
        drop(open(pins, &world.table));
        assert!(!world.arrives());
        let detached = Gate::detach(pins).unwrap();
        assert_eq!(detached.interfaces, ["lo"]);
        assert!(detached.maps > 10, "{detached:?}");
        assert!(!pins.exists());
        assert!(world.arrives(), "a stranger gets through");
        let error = Gate::detach(pins).unwrap_err();
        assert!(error.to_string().contains("nothing is there"), "{error}");
    });
}

#[test]
fn detach_works_while_a_process_has_the_gate() {
    with_bpffs(|pins| {
        let world = world(None);
        let gate = open(pins, &world.table);
        Gate::detach(pins).unwrap();
        assert!(world.arrives());
        drop(gate);
        open(pins, &world.table);
        assert!(!world.arrives());
    });
}

#[test]
fn an_interface_that_is_no_longer_named_is_detached_and_one_that_is_gone_is_no_hindrance() {
    with_bpffs(|pins| {
        ip("link add near type veth peer name far");
        ip("link add other type veth peer name other-far");
        let world = world(None);
        let on = |interfaces: &[&str]| {
            let interfaces = interfaces.iter().map(|interface| interface.to_string()).collect();
            GateOptions { interfaces, mode: Mode::Auto, ..options(pins) }
        };
        let gate = opened(Gate::open(&on(&["near", "lo", "other"]), &world.table));
        let ways: Vec<Attached> = gate.attached().iter().map(|attachment| attachment.attached).collect();
        assert_eq!(ways, [Attached::Native, Attached::Generic, Attached::Native]);
        drop(gate);
        ip("link del near");
        ip("link add near type veth peer name far");
        let gate = opened(Gate::open(&on(&["near", "other"]), &world.table));
        assert!(gate.attached().iter().all(|attachment| attachment.attached == Attached::Native));
        assert!(world.arrives(), "lo is open");
        let (near, other) = (index("near"), index("other"));
        let mut expected: Vec<PathBuf> =
            [near, other].map(|index| pins.join(format!("link-{index}-native"))).into_iter().collect();
        expected.push(pins.join("maps"));
        expected.sort();
        assert_eq!(names(pins), expected);
    });
}

#[test]
fn another_mode_attaches_anew_and_off_leaves_nothing() {
    with_bpffs(|pins| {
        ip("link add near type veth peer name far");
        let world = world(None);
        let with = |mode| {
            let options = GateOptions { interfaces: vec!["near".to_owned()], mode, ..options(pins) };
            opened(Gate::open(&options, &world.table)).attached()[0].attached
        };
        assert_eq!(with(Mode::Generic), Attached::Generic);
        assert_eq!(with(Mode::Auto), Attached::Generic, "what is there stays");
        assert_eq!(with(Mode::Native), Attached::Native);
        assert_eq!(with(Mode::Auto), Attached::Native);
        assert_eq!(with(Mode::Off), Attached::Off);
        assert!(!pins.exists());
    });
}

#[test]
fn without_a_bpffs_the_operator_is_told_how_to_mount_one_and_auto_goes_on_unpinned() {
    in_namespace(|| {
        let directory = tempfile::tempdir().unwrap();
        let pins = directory.path().join("sekisho");
        let world = world(None);
        let error = Gate::open(&options(&pins), &world.table).err().unwrap();
        assert!(matches!(error, GateError::NoBpffs { .. }), "{error:?}");
        assert!(error.to_string().contains("mount -t bpf bpf"), "{error}");
        let gate = opened(Gate::open(&GateOptions { mode: Mode::Auto, ..options(&pins) }, &world.table));
        assert_eq!(gate.attached()[0].attached, Attached::Generic);
        assert!(gate.pinned().unwrap_err().contains("mount -t bpf bpf"));
        assert!(!world.arrives());
        drop(gate);
        assert!(!pins.exists());
    });
}

#[test]
fn one_bad_interface_leaves_pinned_what_was_pinned_before_and_nothing_else() {
    with_bpffs(|pins| {
        ip("link add near type veth peer name far");
        let world = world(None);
        let on = |interfaces: &[&str]| {
            let interfaces = interfaces.iter().map(|interface| interface.to_string()).collect();
            GateOptions { interfaces, mode: Mode::Native, ..options(pins) }
        };
        let error = Gate::open(&on(&["near", "lo"]), &world.table).err().unwrap();
        assert!(matches!(error, GateError::NoNative { .. }), "{error:?}");
        assert_eq!(names(pins), Vec::<PathBuf>::new());
        drop(opened(Gate::open(&on(&["near"]), &world.table)));
        assert!(Gate::open(&on(&["near", "lo"]), &world.table).is_err());
        assert_eq!(names(pins).len(), 2);
    });
}
