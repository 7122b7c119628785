//! Many customers in one registry.

use std::time::{Duration, Instant};

use sekisho_tests::documents::Customer;
use sekisho_tests::registry::{Office, group};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::within;

use super::scene::{ALICE, SAKURA_GROUP, Town, login, lost_nothing, try_login};

/// Beside acme and sakura.
const OTHERS: u16 = 500;
/// A node starts with all of them so soon,
const START: Duration = Duration::from_secs(8);
/// and follows a change of one so soon.
const FOLLOWED: Duration = Duration::from_secs(2);

#[test]
fn of_five_hundred_customers_one_changes_and_a_load_on_another_loses_nothing_under_load() {
    let (town, office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    let other = |n: u16| {
        let name = format!("customer-{n}");
        let address = format!("198.18.{}.{}", n / 200, n % 200 + 1).parse().unwrap();
        let customer = Customer::new(&name).client(&format!("{name}-nas"), address, "");
        let file = office.document(&customer, &group(&format!("{name}-group"), &format!("{name}.example"), ""));
        (name, file)
    };
    let (names, files): (Vec<String>, Vec<String>) = (0..OTHERS).map(other).unzip();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    desk.serve(&office, &files, &names);
    town.serve_both(&office, &desk);

    let begun = Instant::now();
    let sekisho = Sekisho::start(&town.network, &town.node(&office));
    assert!(begun.elapsed() < START, "it took {:?} to start", begun.elapsed());
    let home = town.load_home();
    let load = town.load(300, Duration::from_secs(12));
    let nas = town.sakura_nas();
    assert_eq!(login(&nas, ALICE), 2);
    // A client whose only service is suspended may ask for nothing, and is a stranger (Art. 5.1).
    for (verb, code) in [("suspend", None), ("resume", Some(2))] {
        desk.done(&[verb, SAKURA_GROUP]);
        let followed = within(FOLLOWED, || (try_login(&nas, ALICE) == code).then_some(()));
        assert!(followed.is_some(), "{verb} is not followed within {FOLLOWED:?}: {}", sekisho.log());
    }
    let log = sekisho.log();
    for told in ["- group contract sakura-group", "+ group contract sakura-group"] {
        assert!(log.contains(told), "{told:?} is not in the log");
    }
    lost_nothing(load);
    drop(home);
    sekisho.assert_every_packet_is_counted_once();
}
