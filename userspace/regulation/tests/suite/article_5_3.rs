//! Art. 5.3 to 5.5: eligibility by the mobile contract.

use crate::common::*;

fn with(item: Item, class: &str, from: Option<jiff::civil::Date>, until: Option<jiff::civil::Date>) -> Terms {
    let mobile = vec![Mobile { item, class: class.into(), from, until }];
    Terms { mobile, ..terms("acme", vec![vpdn("acme-vpdn", item)]) }
}

#[test]
fn each_item_asks_for_its_mobile_contract() {
    for (item, class, article) in [
        (Item::D, "I", "Art. 5.3"),
        (Item::K, "flat", "Art. 5.4"),
        (Item::K, "flat-l", "Art. 5.4"),
        (Item::K, "packet-share-l", "Art. 5.4"),
        (Item::I, "III", "Art. 5.5"),
    ] {
        Desk::new().record(document(date(2027, 1, 1), with(item, class, None, None)));
        for wrong in ["II", "packet-share", "flat-xl", ""] {
            let refused = Desk::new().refused(vec![document(date(2027, 1, 1), with(item, wrong, None, None))]);
            assert_eq!((refused.0, refused.1), (Rule::Eligibility, article), "{item} {wrong}");
        }
    }
    // Another type's mobile contract does not do.
    let other = Terms { mobile: with(Item::D, "I", None, None).mobile, ..with(Item::I, "III", None, None) };
    assert_eq!(Desk::new().refused(vec![document(date(2027, 1, 1), other)]).1, "Art. 5.5");
}

#[test]
fn a_vpdn_is_ineligible_from_the_day_after_its_mobile_contract_ended() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), with(Item::D, "I", None, None))).serve("acme-vpdn");
    // The customer's mobile contract is lost: the document says so, and is not refused.
    desk.on(date(2027, 1, 10)).record(document(date(2027, 1, 10), with(Item::D, "I", None, Some(date(2027, 1, 31)))));
    assert!(desk.served("acme-vpdn", date(2027, 1, 31)));
    let standing = desk.standing("acme-vpdn", date(2027, 2, 1));
    assert!(!standing.served && standing.ineligible);
    assert_eq!((standing.why_not[0].rule, standing.why_not[0].article), (Rule::Eligibility, "Art. 5.3"));
    assert_eq!(standing.to_string(), "serving, ineligible");
    assert!(desk.book.contract("acme-vpdn").unwrap().billed().unwrap().contains(date(2027, 2, 1)));
    assert_eq!(desk.book.next_change(desk.now), Some(desk.local(date(2027, 2, 1), 0, 0)));
}

#[test]
fn a_vpdn_becomes_eligible_on_its_mobile_contracts_first_day() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), with(Item::I, "III", Some(date(2027, 1, 15)), None))).serve("acme-vpdn");
    assert!(!desk.served("acme-vpdn", date(2027, 1, 14)));
    assert!(desk.served("acme-vpdn", date(2027, 1, 15)));
}

#[test]
fn a_mobile_contract_that_ended_stays_in_the_document_and_a_new_vpdn_needs_one_that_has_not() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), with(Item::D, "I", None, None))).serve("acme-vpdn");
    desk.on(date(2027, 3, 1));
    let none = Terms { mobile: Vec::new(), ..with(Item::D, "I", None, None) };
    let (rule, _, line) = desk.refused(vec![document(date(2027, 3, 1), none)]);
    assert_eq!(rule, Rule::Eligibility);
    assert!(line.contains("keep the mobile contract in the document"), "{line}");
    let ended = with(Item::D, "I", None, Some(date(2027, 1, 31)));
    desk.record(document(date(2027, 3, 1), ended.clone()));
    let mut another = ended;
    another.contracts.push(vpdn("another", Item::D));
    assert_eq!(desk.refused(vec![document(date(2027, 3, 1), another)]).0, Rule::Eligibility);
}
