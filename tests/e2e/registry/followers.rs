//! Two nodes on one PostgreSQL: both follow, and both outlive it.

use std::time::{Duration, Instant};

use sekisho_tests::documents::Documents;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, auth};
use sekisho_tests::postgresql::PostgreSql;
use sekisho_tests::registry::{Desk, Office};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::within;

use super::scene::{ALICE, BOB, PASSWORD, SAKURA_GROUP, SAKURA_NAS, Town, login, try_login};

/// A change is followed so soon.
const SOON: Duration = Duration::from_secs(2);
/// A command says what is the matter so soon: a database that does not answer at all is given up after eight seconds.
const SAID: Duration = Duration::from_secs(12);
/// A node notices that a database that is there again is there so soon.
const BACK: Duration = Duration::from_secs(15);

/// Two towns with a node each, and the registry that they share.
struct Pair {
    office: Office,
    towns: [Town; 2],
}

impl Pair {
    fn new(database: &PostgreSql) -> Pair {
        let office = Office::with(&database.database("registry"));
        office.write_key("0123456789abcdef");
        let pair = Pair { office, towns: [Town::new(), Town::new()] };
        pair.towns[0].serve_sakura(&pair.office, &pair.desk(0));
        pair
    }

    fn documents(&self, n: usize) -> Documents {
        let town = &self.towns[n];
        self.office.node_in(&[&town.acme, &town.home, &town.sakura], &format!("state-{n}"))
    }

    fn desk(&self, n: usize) -> Desk<'_> {
        Desk::new(&self.towns[n].network, &self.documents(n))
    }

    fn start(&self) -> [Sekisho<'_>; 2] {
        [0, 1].map(|n| Sekisho::start(&self.towns[n].network, &self.documents(n)))
    }

    fn terminals(&self) -> [Nas; 2] {
        [0, 1].map(|n| self.towns[n].sakura_nas())
    }
}

/// Waits until a login of this user gets this answer.
#[track_caller]
fn becomes(nas: &Nas, user: &str, code: Option<u8>, limit: Duration) {
    let found = within(limit, || (try_login(nas, user) == code).then_some(()));
    assert!(found.is_some(), "{user} does not get {code:?} within {limit:?}, but {:?}", try_login(nas, user));
}

fn up(sekisho: &Sekisho<'_>) -> u64 {
    sekisho.metrics().sum("sekisho_registry_up", &[])
}

#[test]
fn what_is_typed_at_one_node_reaches_both_within_a_second_or_so() {
    let database = PostgreSql::start();
    let pair = Pair::new(&database);
    let nodes = pair.start();
    let terminals = pair.terminals();
    for nas in &terminals {
        assert_eq!(login(nas, ALICE), 2);
    }
    // An account, by the desk of the first; a contract, by that of the second.
    let desk = pair.desk(0);
    desk.done(&["accounts", "set", "--contract", SAKURA_GROUP, "alice", "--disable"]);
    terminals.iter().for_each(|nas| becomes(nas, ALICE, Some(3), SOON));
    desk.told(&["accounts", "add", "--contract", SAKURA_GROUP, "carol"], PASSWORD);
    terminals.iter().for_each(|nas| becomes(nas, "carol@sakura.example", Some(2), SOON));
    desk.done(&["accounts", "remove", "--contract", SAKURA_GROUP, "bob"]);
    terminals.iter().for_each(|nas| becomes(nas, BOB, Some(3), SOON));
    let desk = pair.desk(1);
    desk.done(&["suspend", SAKURA_NAS]);
    terminals.iter().for_each(|nas| becomes(nas, "carol@sakura.example", None, SOON));
    desk.done(&["resume", SAKURA_NAS]);
    terminals.iter().for_each(|nas| becomes(nas, "carol@sakura.example", Some(2), SOON));
    let revisions = nodes.each_ref().map(|node| node.metrics().sum("sekisho_registry_revision", &[]));
    assert_eq!(revisions[0], revisions[1]);
}

#[test]
fn without_their_database_both_serve_on_and_say_so_and_afterwards_they_catch_up() {
    let mut database = PostgreSql::start();
    let pair = Pair::new(&database);
    let [first, second] = pair.start();
    let terminals = pair.terminals();
    // The copy on the disk is written a while after a change.
    for n in [0, 1] {
        let mirror = pair.office.path(&format!("state-{n}")).join("registry-mirror");
        assert!(within(Duration::from_secs(20), || mirror.exists().then_some(())).is_some(), "no mirror");
    }
    database.stop();
    for node in [&first, &second] {
        node.metrics_when("the metric says so", |metrics| metrics.sum("sekisho_registry_up", &[]) == 0);
        let status = node.command(&["status"]).output;
        assert!(status.contains("cannot be reached: served from memory"), "{status}");
        assert!(node.log().contains("serves on from what it knows"), "{}", node.log());
    }
    for nas in &terminals {
        assert_eq!((login(nas, ALICE), login(nas, "nobody@sakura.example")), (2, 3));
    }
    let begun = Instant::now();
    let told = pair.desk(0).fails(&["accounts", "set", "--contract", SAKURA_GROUP, "alice", "--disable"], 1);
    assert!(begun.elapsed() < SAID, "{:?}", begun.elapsed());
    assert!(told.contains("the registry cannot be reached") && told.contains("see that"), "{told}");

    // One is restarted meanwhile: it has nothing but its mirror.
    second.stop();
    let second = Sekisho::start(&pair.towns[1].network, &pair.documents(1));
    assert_eq!(up(&second), 0);
    let status = second.command(&["status"]).output;
    assert!(status.contains("served from the mirror of"), "{status}");
    assert!(second.log().contains("serves from its mirror"), "{}", second.log());
    assert_eq!((login(&terminals[1], ALICE), login(&terminals[1], "nobody@sakura.example")), (2, 3));

    database.resume();
    // What is recorded before anybody has noticed is not missed either.
    pair.desk(0).done(&["accounts", "set", "--contract", SAKURA_GROUP, "alice", "--disable"]);
    terminals.iter().for_each(|nas| becomes(nas, ALICE, Some(3), BACK));
    for node in [&first, &second] {
        node.metrics_when("the metric says so", |metrics| metrics.sum("sekisho_registry_up", &[]) == 1);
        assert!(node.log().contains("the registry is back"), "{}", node.log());
        let status = node.command(&["status"]).output;
        assert!(!status.contains("cannot be reached"), "{status}");
    }
    pair.desk(1).done(&["accounts", "set", "--contract", SAKURA_GROUP, "alice", "--enable"]);
    terminals.iter().for_each(|nas| becomes(nas, ALICE, Some(2), SOON));
}

/// The slowest of so many logins.
fn slowest(nas: &Nas, logins: u32) -> Duration {
    let one = |_| {
        let begun = Instant::now();
        let request = nas.login(1, ALICE, PASSWORD);
        assert_eq!(nas.ask(auth(Family::V4), &request).code().0, 2);
        begun.elapsed()
    };
    (0..logins).map(one).max().unwrap_or_default()
}

#[test]
fn a_database_that_is_slow_slows_no_login_and_commands_say_what_is_the_matter() {
    let database = PostgreSql::start();
    let pair = Pair::new(&database);
    let [first, _second] = pair.start();
    let [nas, _] = pair.terminals();
    let calm = slowest(&nas, 200);

    let lock = database.hold("registry", "meta");
    let begun = Instant::now();
    let told = pair.desk(0).fails(&["get", "contracts"], 1);
    assert!(begun.elapsed() < SAID, "{:?}: {told}", begun.elapsed());
    assert!(told.contains("locked") || told.contains("too slow"), "{told}");
    let begun = Instant::now();
    let locked = slowest(&nas, 200);
    assert!(begun.elapsed() < SAID && locked < calm + Duration::from_secs(1), "{locked:?}, {calm:?} before");
    first.metrics_when("the metric says so", |metrics| metrics.sum("sekisho_registry_up", &[]) == 0);
    drop(lock);
    let back = within(BACK, || (up(&first) == 1).then_some(()));
    assert!(back.is_some(), "{}", first.log());

    // It does not answer at all, and nobody has closed a connection.
    database.freeze();
    let begun = Instant::now();
    let told = pair.desk(0).fails(&["get", "contracts"], 1);
    assert!(begun.elapsed() < SAID, "{:?}: {told}", begun.elapsed());
    assert!(told.contains("cannot be reached") || told.contains("too slow"), "{told}");
    let frozen = slowest(&nas, 200);
    assert!(frozen < calm + Duration::from_secs(1), "{frozen:?}, {calm:?} before");
    let noticed = within(Duration::from_secs(20), || (up(&first) == 0).then_some(()));
    assert!(noticed.is_some(), "nobody has noticed");
    database.thaw();
    assert!(within(BACK, || (up(&first) == 1).then_some(())).is_some(), "{}", first.log());
    pair.desk(0).done(&["accounts", "set", "--contract", SAKURA_GROUP, "alice", "--disable"]);
    becomes(&nas, ALICE, Some(3), SOON);
}
