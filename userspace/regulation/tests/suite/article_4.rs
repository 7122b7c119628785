//! Art. 1, 4: one contract, one kind; names are of one customer, for ever; nothing vanishes from a document.

use crate::common::*;

#[test]
fn a_contract_keeps_its_kind() {
    let desk = with_proxy();
    let other = terms("acme", vec![client("acme-nas"), group("acme-proxy", 10)]);
    let (rule, article, line) = desk.refused(vec![document(date(2027, 1, 1), other)]);
    assert_eq!((rule, article), (Rule::OneKind, "Art. 4"));
    assert!(line.contains("applied for as proxy, and the document says group"), "{line}");
    assert!(line.contains("契約の単位"), "{line}");
}

#[test]
fn a_vpdn_contract_keeps_its_item_and_may_change_who_verifies() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
    let (rule, article, line) =
        desk.refused(vec![document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::K)]))]);
    assert_eq!((rule, article), (Rule::OneKind, "Art. 4"));
    assert!(line.contains("vpdn D, and the document says vpdn K"), "{line}");
    let by_proxy = vec![verified("acme-d", Item::D, Verify::Proxy), proxy("acme-proxy")];
    desk.record(document(date(2027, 1, 1), terms("acme", by_proxy)));
}

#[test]
fn several_contracts_of_a_kind_stand_side_by_side() {
    let mut desk = Desk::new();
    let contracts = vec![client("c1"), client("c2"), proxy("p1"), realm(proxy("p2"), "two.example")];
    desk.record(document(date(2027, 1, 1), terms("acme", contracts)));
    assert_eq!(desk.book.contracts_of("acme").count(), 4);
}

#[test]
fn the_items_d_k_and_i_stand_side_by_side_on_the_same_lnss() {
    let mut desk = Desk::new();
    let contracts = vec![shared("acme-d", Item::D), shared("acme-k", Item::K), shared("acme-i", Item::I)];
    desk.record(document(date(2027, 1, 1), terms("acme", contracts)));
    for contract in ["acme-d", "acme-k", "acme-i"] {
        desk.serve(contract).record(option_started(contract, date(2027, 1, 1)));
        let standing = desk.standing(contract, date(2027, 1, 1));
        assert!(standing.served, "{:?}", standing.why_not);
        assert_eq!(standing.lnss, ["tokyo-1", "tokyo-2"]);
    }
    // One of them ends; the others notice nothing.
    desk.record(cancelled("acme-k", date(2027, 1, 1), None));
    assert!(!desk.served("acme-k", date(2027, 2, 1)));
    assert!(desk.served("acme-d", date(2027, 2, 1)) && desk.served("acme-i", date(2027, 2, 1)));
}

#[test]
fn a_contracts_name_is_its_customers_for_ever() {
    let mut desk = with_proxy();
    let theirs = terms("bravo", vec![realm(vpdn("acme-proxy", Item::D), "bravo.example")]);
    let (rule, article, line) = desk.refused(vec![document(date(2027, 1, 1), theirs.clone())]);
    assert_eq!((rule, article), (Rule::Names, "Art. 4"));
    assert!(!line.contains("customer acme"), "{line}");
    let both = vec![cancelled("acme-proxy", date(2027, 1, 1), None), cancelled("acme-nas", date(2027, 1, 1), None)];
    desk.all(both).on(date(2028, 1, 1));
    assert_eq!(desk.refused(vec![document(date(2028, 1, 1), theirs)]).0, Rule::Names);
}

#[test]
fn a_document_has_each_contract_once() {
    let desk = Desk::new();
    let twice = terms("acme", vec![vpdn("acme-d", Item::D), vpdn("acme-d", Item::D)]);
    assert_eq!(desk.refused(vec![document(date(2027, 1, 1), twice)]).0, Rule::Names);
}

#[test]
fn a_contract_leaves_the_document_when_it_is_over_and_not_before() {
    let mut desk = with_proxy();
    let contracts = vec![client("acme-nas"), proxy("acme-proxy"), realm(proxy("second"), "two.example")];
    desk.record(document(date(2027, 1, 1), terms("acme", contracts))).serve("second");
    let without = || terms("acme", vec![client("acme-nas"), proxy("acme-proxy")]);
    let (rule, article, line) = desk.refused(vec![document(date(2027, 1, 1), without())]);
    assert_eq!((rule, article), (Rule::Missing, "Art. 9"));
    assert!(line.contains("leave it in, or cancel it first"), "{line}");
    desk.record(cancelled("second", date(2027, 1, 1), None));
    let (_, _, line) = desk.refused(vec![document(date(2027, 1, 31), without())]);
    assert!(line.contains("the day after 2027-01-31"), "{line}");
    desk.record(document(date(2027, 2, 1), without()));
    // What is over may stand in a document as well, and is not applied for anew.
    let with = vec![client("acme-nas"), proxy("acme-proxy"), realm(proxy("second"), "two.example")];
    desk.on(date(2027, 3, 1)).record(document(date(2027, 3, 1), terms("acme", with)));
    assert_eq!(desk.standing("second", date(2027, 3, 1)).state, State::Ended);
}

#[test]
fn an_application_leaves_the_document_when_it_is_withdrawn_or_rejected() {
    for over in [withdrawn("second", date(2027, 1, 1)), rejected("second", date(2027, 1, 1))] {
        let mut desk = with_proxy();
        let contracts = vec![client("acme-nas"), proxy("acme-proxy"), realm(proxy("second"), "two.example")];
        desk.record(document(date(2027, 1, 1), terms("acme", contracts)));
        let without = document(date(2027, 1, 1), terms("acme", vec![client("acme-nas"), proxy("acme-proxy")]));
        assert!(desk.refused(vec![without.clone()]).2.contains("withdraw it first"));
        desk.all(vec![over, without]);
    }
}

#[test]
fn a_scheduled_document_is_in_force_from_its_local_midnight() {
    let mut desk = with_proxy();
    let contracts = vec![client("acme-nas"), proxy("acme-proxy"), realm(proxy("second"), "two.example")];
    desk.record(document(date(2027, 1, 20), terms("acme", contracts)));
    let number = desk.book.last();
    let midnight = desk.local(date(2027, 1, 20), 0, 0);
    let just_before = midnight.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap();
    assert_ne!(desk.book.in_force(just_before).documents["acme"], number);
    assert_eq!(desk.book.in_force(midnight).documents["acme"], number);
    assert_eq!(desk.book.customer("acme").unwrap().scheduled(date(2027, 1, 1)).len(), 1);
}

#[test]
fn a_document_recorded_later_takes_the_place_of_a_scheduled_one() {
    let mut desk = with_proxy();
    let same = || terms("acme", vec![client("acme-nas"), proxy("acme-proxy")]);
    desk.record(document(date(2027, 1, 20), same()));
    desk.record(document(date(2027, 1, 10), same()));
    let number = desk.book.last();
    let at = desk.local(date(2027, 1, 25), 0, 0);
    assert_eq!(desk.book.in_force(at).documents["acme"], number);
}

#[test]
fn no_document_changes_what_has_been() {
    let mut desk = with_proxy();
    desk.on(date(2027, 1, 10));
    let same = terms("acme", vec![client("acme-nas"), proxy("acme-proxy")]);
    let (rule, _, line) = desk.refused(vec![document(date(2027, 1, 9), same)]);
    assert_eq!(rule, Rule::Life);
    assert!(line.contains("today is 2027-01-10"), "{line}");
    assert_eq!(desk.refused(vec![Event::Operator { from: date(2027, 1, 9) }]).0, Rule::Life);
    desk.record(Event::Operator { from: date(2027, 1, 12) });
    let number = desk.book.last();
    assert_eq!(desk.book.next_change(desk.now), Some(desk.local(date(2027, 1, 12), 0, 0)));
    assert_eq!(desk.book.in_force(desk.local(date(2027, 1, 12), 0, 0)).operator, Some(number));
}
