//! Several operators at several desks, at once.

use std::time::Duration;

use sekisho_tests::documents::{Customer, Server};
use sekisho_tests::postgresql::PostgreSql;
use sekisho_tests::registry::{Desk, Office};

use super::scene::Town;

/// So many at once.
const DESKS: u8 = 6;

/// Has everybody apply a customer's document at the same time, until each is recorded.
fn crowd(office: &Office, town: &Town) {
    let desk: Desk<'_> = town.desk(office);
    desk.apply(&[office.document(&town.acme_document(), "")], &[]);
    let file = |n: u8| {
        let name = format!("customer-{n}");
        let address = format!("198.18.{n}.1").parse().unwrap();
        let customer = Customer::new(&name).client(&format!("{name}-nas"), address, "");
        let home = format!("198.18.{n}.2").parse().unwrap();
        office.document(&customer.proxy(&[Server::new(&format!("{name}-home"), home, "")]), "")
    };
    let mut left: Vec<String> = (0..DESKS).map(file).collect();
    let (mut rounds, mut outdone) = (0, 0);
    while !left.is_empty() {
        rounds += 1;
        assert!(rounds <= usize::from(DESKS), "each round one is first");
        let begun: Vec<_> = left.iter().map(|file| (file.clone(), desk.begin(&["apply", "-f", file]))).collect();
        left.clear();
        for (file, mut process) in begun {
            match process.exits_within(Duration::from_secs(60)).code() {
                Some(0) => {}
                code => {
                    let told = process.log();
                    assert_eq!(code, Some(2), "{told}");
                    assert!(told.contains("moved on") && told.contains("decide again"), "{told}");
                    left.push(file);
                    outdone += 1;
                }
            }
        }
    }
    let history = desk.history();
    let whole: Vec<u64> = (1..=u64::from(DESKS) + 1).collect();
    assert_eq!(history, whole, "each once, and no gap; {outdone} had to come again");
    let customers = desk.done(&["get", "customers"]);
    for n in 0..DESKS {
        assert!(customers.contains(&format!("customer-{n}")), "{customers}");
    }
}

#[test]
fn documents_applied_at_once_are_recorded_one_after_the_other_in_sqlite() {
    crowd(&Office::new(), &Town::new());
}

#[test]
fn documents_applied_at_once_are_recorded_one_after_the_other_in_postgresql() {
    let database = PostgreSql::start();
    let office = Office::with(&database.database("registry"));
    office.write_key("0123456789abcdef");
    crowd(&office, &Town::new());
}
