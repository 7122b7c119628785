//! Art. 6: proxy and group are not used at the same time, `verify` included.

use crate::common::*;

fn with_group_too() -> Terms {
    terms("acme", vec![client("acme-nas"), proxy("acme-proxy"), group("acme-group", 10)])
}

#[test]
fn a_proxy_and_a_group_at_the_same_time_are_refused() {
    let desk = with_proxy();
    let (rule, article, line) = desk.refused(vec![document(date(2027, 1, 1), with_group_too())]);
    assert_eq!((rule, article), (Rule::Exclusive, "Art. 6"));
    assert!(line.contains("contract acme-group") && line.contains("with contract acme-proxy"), "{line}");
    assert!(line.contains("利用の申込の制限"), "{line}");
    // Neither accepted nor started, they are applications for the same time all the same.
    assert_eq!(Desk::new().refused(vec![document(date(2027, 1, 1), with_group_too())]).1, "Art. 6");
}

#[test]
fn a_proxy_to_one_day_and_a_group_from_the_next_are_in_order() {
    let mut desk = with_proxy();
    desk.record(cancelled("acme-proxy", date(2027, 1, 1), None));
    desk.record(document(date(2027, 1, 1), with_group_too())).accept("acme-group").confirm("acme-group");
    // On the proxy's last day it would be one day too early.
    let (rule, article, line) = desk.refused(vec![started("acme-group", date(2027, 1, 31))]);
    assert_eq!((rule, article), (Rule::Exclusive, "Art. 6"));
    assert!(line.contains("on 2027-01-31"), "{line}");
    desk.record(started("acme-group", date(2027, 2, 1)));
    assert!(desk.served("acme-proxy", date(2027, 1, 31)) && !desk.served("acme-group", date(2027, 1, 31)));
    assert!(!desk.served("acme-proxy", date(2027, 2, 1)) && desk.served("acme-group", date(2027, 2, 1)));
}

#[test]
fn the_order_in_which_they_are_recorded_together_does_not_matter() {
    let notice = || cancelled("acme-proxy", date(2027, 1, 1), None);
    let begin = || vec![accepted("acme-group", date(2027, 1, 1), None), started("acme-group", date(2027, 2, 1))];
    let applied = || document(date(2027, 1, 1), with_group_too());
    for order in [
        [vec![notice(), applied()], begin()].concat(),
        [vec![applied()], begin(), vec![notice()]].concat(),
        [vec![applied(), notice()], begin()].concat(),
    ] {
        with_proxy().all(order);
    }
}

#[test]
fn an_application_scheduled_after_the_proxys_last_day_is_in_order() {
    let mut desk = with_proxy();
    desk.record(cancelled("acme-proxy", date(2027, 1, 1), None));
    let after = terms("acme", vec![client("acme-nas"), group("acme-group", 10)]);
    desk.record(document(date(2027, 2, 1), after)).accept("acme-group").confirm("acme-group");
    desk.record(started("acme-group", date(2027, 2, 1)));
    assert!(desk.served("acme-group", date(2027, 2, 1)));
}

#[test]
fn the_test_window_counts_as_use() {
    let mut desk = with_proxy();
    desk.record(cancelled("acme-proxy", date(2027, 1, 1), None)).record(document(date(2027, 1, 1), with_group_too()));
    let tested = |from| accepted("acme-group", date(2027, 1, 1), Some(from));
    assert_eq!(desk.refused(vec![tested(date(2027, 1, 31))]).1, "Art. 6");
    desk.record(tested(date(2027, 2, 1)));
}

#[test]
fn while_a_group_waits_for_the_proxys_end_no_other_proxy_begins() {
    let mut desk = with_proxy();
    desk.record(cancelled("acme-proxy", date(2027, 1, 1), None)).record(document(date(2027, 1, 1), with_group_too()));
    let mut another = with_group_too();
    another.contracts.push(realm(proxy("acme-proxy-2"), "two.example"));
    assert_eq!(desk.refused(vec![document(date(2027, 1, 1), another.clone())]).1, "Art. 6");
    // Once the group is withdrawn, it may.
    desk.all(vec![withdrawn("acme-group", date(2027, 1, 1)), document(date(2027, 1, 1), another)]);
}

#[test]
fn a_vpdn_counts_as_the_kind_that_it_verifies_by() {
    let mut desk = Desk::new();
    let by_proxy = vec![verified("acme-d", Item::D, Verify::Proxy), proxy("acme-proxy")];
    desk.record(document(date(2027, 1, 1), terms("acme", by_proxy.clone()))).serve("acme-d").serve("acme-proxy");
    let group = vec![client("acme-nas"), group("acme-group", 10)];
    let both = || terms("acme", [by_proxy.clone(), group.clone()].concat());
    let (rule, article, line) = desk.refused(vec![document(date(2027, 1, 1), both())]);
    assert_eq!((rule, article), (Rule::Exclusive, "Art. 6"));
    assert!(line.contains("acme-d") && line.contains("acme-proxy"), "{line}");
    // The proxy's end alone is not enough.
    let vpdn_goes_on = cancelled("acme-proxy", date(2027, 1, 1), None);
    let (_, _, line) = desk.refused(vec![vpdn_goes_on, document(date(2027, 1, 1), both())]);
    assert!(line.contains("Art. 6, contract acme-group") && line.contains("with contract acme-d"), "{line}");
}

#[test]
fn a_vpdn_may_verify_by_proxy_to_one_day_and_by_group_from_the_next() {
    let mut desk = Desk::new();
    let by_proxy = vec![verified("acme-d", Item::D, Verify::Proxy), proxy("acme-proxy")];
    desk.record(document(date(2027, 1, 1), terms("acme", by_proxy))).serve("acme-d").serve("acme-proxy");
    let by_group = vec![verified("acme-d", Item::D, Verify::Group), group("acme-group", 10)];
    desk.all(vec![
        cancelled("acme-proxy", date(2027, 1, 1), None),
        document(date(2027, 2, 1), terms("acme", by_group)),
        accepted("acme-group", date(2027, 1, 1), None),
        started("acme-group", date(2027, 2, 1)),
    ]);
    desk.confirm("acme-group");
    assert!(desk.served("acme-d", date(2027, 1, 31)) && desk.served("acme-d", date(2027, 2, 1)));
}

#[test]
fn two_customers_use_one_kind_each() {
    let mut desk = with_proxy();
    let theirs = terms("bravo", vec![client("bravo-nas"), realm(group("bravo-group", 10), "bravo.example")]);
    desk.record(document(date(2027, 1, 1), theirs)).serve("bravo-group");
}
