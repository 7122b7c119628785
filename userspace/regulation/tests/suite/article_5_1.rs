//! Art. 5.1: one client and one proxy or group, or one vpdn; on every day, the future included.

use crate::common::*;

fn two_clients() -> Desk {
    let mut desk = Desk::new();
    let contracts = vec![client("nas-1"), client("nas-2"), proxy("acme-proxy")];
    desk.record(document(date(2027, 1, 1), terms("acme", contracts)));
    desk.serve("nas-1").serve("nas-2").serve("acme-proxy");
    desk
}

#[test]
fn a_proxy_or_group_without_a_client_is_refused() {
    let desk = Desk::new();
    for alone in [proxy("acme-proxy"), group("acme-group", 10)] {
        let (rule, article, line) = desk.refused(vec![document(date(2027, 1, 1), terms("acme", vec![alone]))]);
        assert_eq!((rule, article), (Rule::Serviceable, "Art. 5.1"));
        assert!(line.contains("利用条件"), "{line}");
    }
}

#[test]
fn a_client_with_nothing_to_ask_for_is_refused() {
    let desk = Desk::new();
    let alone = terms("acme", vec![client("acme-nas")]);
    let (rule, article, _) = desk.refused(vec![document(date(2027, 1, 1), alone)]);
    assert_eq!((rule, article), (Rule::Serviceable, "Art. 5.1"));
}

#[test]
fn a_client_with_a_proxy_or_a_group_or_a_vpdn_alone_is_serviceable() {
    for contracts in [
        vec![client("acme-nas"), proxy("acme-proxy")],
        vec![client("acme-nas"), group("acme-group", 10)],
        vec![vpdn("acme-d", Item::D)],
        vec![vpdn("acme-d", Item::D), client("acme-nas")],
    ] {
        Desk::new().record(document(date(2027, 1, 1), terms("acme", contracts)));
    }
}

#[test]
fn ending_the_last_client_while_a_proxy_remains_is_refused() {
    let desk = with_proxy();
    let (rule, article, line) = desk.refused(vec![cancelled("acme-nas", date(2027, 1, 1), None)]);
    assert_eq!((rule, article), (Rule::Serviceable, "Art. 5.1"));
    assert!(line.contains("from 2027-02-01 on, after acme-nas, the last of them"), "{line}");
    assert!(line.contains("end acme-proxy too in the same command"), "{line}");
}

#[test]
fn ending_the_last_client_together_with_its_proxy_is_in_order_whichever_comes_first() {
    let notices = [cancelled("acme-nas", date(2027, 1, 1), None), cancelled("acme-proxy", date(2027, 1, 1), None)];
    for order in [[0, 1], [1, 0]] {
        let mut desk = with_proxy();
        desk.all(order.map(|place| notices[place].clone()).to_vec());
        assert!(!desk.served("acme-proxy", date(2027, 2, 1)));
    }
    // The proxy first, the client later, each by itself.
    let mut desk = with_proxy();
    let [client, proxy] = notices;
    desk.record(proxy).record(client);
}

#[test]
fn of_two_clients_that_both_end_the_second_notice_is_refused_if_the_proxy_goes_on() {
    let mut desk = two_clients();
    desk.record(cancelled("nas-1", date(2027, 1, 1), Some(date(2027, 6, 30))));
    let (rule, article, line) = desk.refused(vec![cancelled("nas-2", date(2027, 1, 1), None)]);
    assert_eq!((rule, article), (Rule::Serviceable, "Art. 5.1"));
    assert!(line.contains("from 2027-07-01 on"), "{line}");
    // If the proxy ends no later than the last of them, nothing speaks against it.
    desk.record(cancelled("acme-proxy", date(2027, 1, 1), Some(date(2027, 6, 30))));
    desk.record(cancelled("nas-2", date(2027, 1, 1), None));
}

#[test]
fn a_proxy_that_goes_on_for_a_day_longer_than_its_client_is_one_day_too_many() {
    let mut desk = with_proxy();
    desk.record(cancelled("acme-proxy", date(2027, 1, 1), Some(date(2027, 3, 31))));
    let (_, article, line) = desk.refused(vec![cancelled("acme-nas", date(2027, 1, 1), Some(date(2027, 3, 30)))]);
    assert_eq!(article, "Art. 5.1");
    assert!(line.contains("on 2027-03-31"), "{line}");
    desk.record(cancelled("acme-nas", date(2027, 1, 1), Some(date(2027, 3, 31))));
}

#[test]
fn a_client_may_remain_when_its_proxy_ends() {
    let mut desk = with_proxy();
    desk.record(cancelled("acme-proxy", date(2027, 1, 1), None));
    assert_eq!(desk.standing("acme-nas", date(2027, 3, 1)).state, State::Serving);
}

#[test]
fn the_operator_does_not_end_the_last_client_alone_either() {
    let mut desk = with_proxy();
    assert_eq!(desk.refused(vec![ended("acme-nas", date(2027, 1, 10))]).1, "Art. 5.1");
    desk.all(vec![ended("acme-nas", date(2027, 1, 10)), ended("acme-proxy", date(2027, 1, 10))]);
    assert_eq!(desk.standing("acme-proxy", date(2027, 1, 11)).state, State::EndedByOperator);
}

#[test]
fn the_last_client_is_not_withdrawn_or_rejected_while_its_proxy_stands() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![client("acme-nas"), proxy("acme-proxy")])));
    for (of_client, of_proxy) in [
        (withdrawn("acme-nas", date(2027, 1, 1)), withdrawn("acme-proxy", date(2027, 1, 1))),
        (rejected("acme-nas", date(2027, 1, 1)), rejected("acme-proxy", date(2027, 1, 1))),
    ] {
        assert_eq!(desk.refused(vec![of_client.clone()]).1, "Art. 5.1");
        desk.book.admit(&desk.next(vec![of_client, of_proxy])).unwrap();
    }
}

#[test]
fn a_new_client_from_a_later_document_takes_over_from_its_first_day() {
    let mut desk = with_proxy();
    let both = || terms("acme", vec![client("acme-nas"), client("nas-2"), proxy("acme-proxy")]);
    desk.record(document(date(2027, 2, 2), both()));
    let notice = cancelled("acme-nas", date(2027, 1, 1), None);
    let (_, _, line) = desk.refused(vec![notice.clone()]);
    assert!(line.contains("on 2027-02-01"), "{line}");
    desk.record(document(date(2027, 2, 1), both())).record(notice);
}

#[test]
fn a_proxy_that_a_vpdn_verifies_by_needs_no_client() {
    let mut desk = Desk::new();
    let contracts = vec![verified("acme-d", Item::D, Verify::Proxy), proxy("acme-proxy")];
    desk.record(document(date(2027, 1, 1), terms("acme", contracts))).serve("acme-d").serve("acme-proxy");
    // When the vpdn ends, the proxy is one without a client.
    let notice = cancelled("acme-d", date(2027, 1, 1), None);
    assert_eq!(desk.refused(vec![notice.clone()]).1, "Art. 5.1");
    desk.all(vec![notice, cancelled("acme-proxy", date(2027, 1, 1), None)]);
}

#[test]
fn a_vpdn_that_verifies_by_a_contract_needs_one() {
    let mut desk = Desk::new();
    let alone = terms("acme", vec![verified("acme-d", Item::D, Verify::Group)]);
    assert_eq!(desk.refused(vec![document(date(2027, 1, 1), alone)]).0, Rule::Verification);
    let contracts = vec![verified("acme-d", Item::D, Verify::Group), group("acme-group", 10)];
    desk.record(document(date(2027, 1, 1), terms("acme", contracts))).serve("acme-d");
    let standing = desk.standing("acme-d", date(2027, 1, 1));
    assert!(!standing.served);
    assert_eq!(standing.why_not[0].rule, Rule::Verification);
    desk.serve("acme-group");
    assert!(desk.served("acme-d", date(2027, 1, 1)));
    assert_eq!(desk.refused(vec![cancelled("acme-group", date(2027, 1, 1), None)]).0, Rule::Verification);
}

#[test]
fn what_was_once_recorded_does_not_bar_what_makes_it_better() {
    let mut desk = with_proxy();
    // Recorded under other rules, once: the client is gone, the proxy is not.
    let entry = desk.next(vec![ended("acme-nas", date(2027, 1, 1))]).remove(0);
    desk.book.replay(&entry);
    desk.record(cancelled("acme-proxy", date(2027, 1, 1), None));
}
