//! Art. 8: the load-balancing option, with its own start and end.

use crate::common::*;

fn served() -> Desk {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![shared("acme-d", Item::D)]))).serve("acme-d");
    desk
}

#[test]
fn without_the_option_a_vpdn_has_exactly_one_lns() {
    let mut several = shared("acme-d", Item::D);
    several.option = None;
    let refused = Desk::new().refused(vec![document(date(2027, 1, 1), terms("acme", vec![several.clone()]))]);
    assert_eq!((refused.0, refused.1), (Rule::LoadBalancing, "Art. 8.2"));
    assert!(refused.2.contains("負荷分散オプション"), "{}", refused.2);
    let Kind::Vpdn { lnss, .. } = &mut several.kind else { unreachable!() };
    lnss.clear();
    let none = Desk::new().refused(vec![document(date(2027, 1, 1), terms("acme", vec![several]))]);
    assert_eq!(none.0, Rule::LoadBalancing);
}

#[test]
fn the_option_is_for_vpdn_only() {
    let mut with = proxy("acme-proxy");
    with.option = Some(OptionTerms::default());
    let refused = Desk::new().refused(vec![document(date(2027, 1, 1), terms("acme", vec![client("acme-nas"), with]))]);
    assert_eq!(refused.1, "Art. 8.2");
}

#[test]
fn sessions_are_shared_from_the_options_billing_start_date_on() {
    let mut desk = served();
    desk.record(option_started("acme-d", date(2027, 1, 10)));
    let before = desk.standing("acme-d", date(2027, 1, 9));
    assert!(before.served && !before.option.as_ref().unwrap().serving);
    assert_eq!(before.lnss, ["tokyo-1"]);
    let after = desk.standing("acme-d", date(2027, 1, 10));
    assert!(after.option.as_ref().unwrap().serving);
    assert_eq!(after.lnss, ["tokyo-1", "tokyo-2"]);
    assert_eq!(desk.book.next_change(desk.now), Some(desk.local(date(2027, 1, 10), 0, 0)));
}

#[test]
fn in_the_test_window_the_option_is_tried_out_with_its_contract() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![shared("acme-d", Item::D)])));
    desk.record(accepted("acme-d", date(2027, 1, 1), Some(date(2027, 1, 2)))).confirm("acme-d");
    let standing = desk.standing("acme-d", date(2027, 1, 2));
    assert_eq!((standing.state, standing.served), (State::Testing, true));
    assert_eq!(standing.lnss, ["tokyo-1", "tokyo-2"]);
}

#[test]
fn the_option_does_not_start_before_its_contract_nor_twice_nor_where_there_is_none() {
    let mut desk = Desk::new();
    let contracts = vec![shared("acme-d", Item::D), vpdn("acme-k", Item::K)];
    desk.record(document(date(2027, 1, 1), terms("acme", contracts))).accept("acme-d");
    let (rule, article, _) = desk.refused(vec![option_started("acme-d", date(2027, 1, 1))]);
    assert_eq!((rule, article), (Rule::LoadBalancing, "Art. 8.3"));
    desk.record(started("acme-d", date(2027, 1, 5)));
    assert_eq!(desk.refused(vec![option_started("acme-d", date(2027, 1, 4))]).0, Rule::Life);
    desk.record(option_started("acme-d", date(2027, 1, 5)));
    assert!(desk.refused(vec![option_started("acme-d", date(2027, 1, 6))]).2.contains("already"));
    assert!(desk.refused(vec![option_started("acme-k", date(2027, 1, 6))]).2.contains("no document applies"));
}

#[test]
fn cancelling_the_option_names_the_lns_that_new_sessions_go_to_from_midnight() {
    let mut desk = served();
    desk.record(option_started("acme-d", date(2027, 1, 1)));
    desk.record(option_cancelled("acme-d", date(2027, 1, 1), None, Some("tokyo-2")));
    let last = desk.at("acme-d", desk.local(date(2027, 1, 31), 23, 59));
    assert_eq!((last.lnss.len(), last.option.unwrap().last_day), (2, Some(date(2027, 1, 31))));
    let midnight = desk.local(date(2027, 2, 1), 0, 0);
    let after = desk.at("acme-d", midnight);
    assert!(after.served);
    assert_eq!(after.lnss, ["tokyo-2"]);
    assert_eq!(after.option.unwrap().survivor.as_deref(), Some("tokyo-2"));
    assert_eq!(desk.book.next_change(desk.now), Some(midnight));
}

#[test]
fn the_lns_that_remains_is_one_of_the_contracts() {
    let mut desk = served();
    desk.record(option_started("acme-d", date(2027, 1, 1)));
    for survivor in [None, Some("osaka-1")] {
        let (rule, article, line) = desk.refused(vec![option_cancelled("acme-d", date(2027, 1, 1), None, survivor)]);
        assert_eq!((rule, article), (Rule::LoadBalancing, "Art. 8.4"));
        assert!(line.contains("name one of tokyo-1, tokyo-2"), "{line}");
    }
    // An LNS is named for the option only.
    let mut whole = cancelled("acme-d", date(2027, 1, 1), None);
    let Event::Cancelled { survivor, .. } = &mut whole else { unreachable!() };
    *survivor = Some("tokyo-1".into());
    assert_eq!(desk.refused(vec![whole]).0, Rule::Cancellation);
}

#[test]
fn the_options_notice_is_given_once_and_after_it_started() {
    let mut desk = served();
    let notice = || option_cancelled("acme-d", date(2027, 1, 1), None, Some("tokyo-1"));
    let (_, _, line) = desk.refused(vec![notice()]);
    assert!(line.contains("apply a document without the option"), "{line}");
    desk.record(option_started("acme-d", date(2027, 1, 5)));
    assert!(desk.refused(vec![notice()]).2.contains("before its option's billing started on 2027-01-05"));
    desk.on(date(2027, 1, 5));
    let notice = || option_cancelled("acme-d", date(2027, 1, 5), None, Some("tokyo-1"));
    desk.record(notice());
    assert!(desk.refused(vec![notice()]).2.contains("its last day is 2027-02-04"));
}

#[test]
fn a_document_leaves_the_option_out_once_it_has_ended_and_keeps_the_lns_until_then() {
    let mut desk = served();
    desk.record(option_started("acme-d", date(2027, 1, 1)));
    let without = || terms("acme", vec![vpdn("acme-d", Item::D)]);
    assert!(desk.refused(vec![document(date(2027, 1, 1), without())]).2.contains("cancel the option first"));
    desk.record(option_cancelled("acme-d", date(2027, 1, 1), None, Some("tokyo-2")));
    assert!(desk.refused(vec![document(date(2027, 1, 31), without())]).2.contains("the day after 2027-01-31"));
    // The document may go on as before, as long as the LNS that remains stands in it.
    desk.record(document(date(2027, 1, 1), terms("acme", vec![shared("acme-d", Item::D)])));
    let mut others = shared("acme-d", Item::D);
    let Kind::Vpdn { lnss, .. } = &mut others.kind else { unreachable!() };
    *lnss = vec!["tokyo-1".into(), "osaka-1".into()];
    let (_, article, line) = desk.refused(vec![document(date(2027, 1, 1), terms("acme", vec![others]))]);
    assert_eq!(article, "Art. 8.4");
    assert!(line.contains("keep tokyo-2"), "{line}");
    desk.record(document(date(2027, 2, 1), without()));
    assert_eq!(desk.standing("acme-d", date(2027, 2, 1)).lnss, ["tokyo-1"]);
}

#[test]
fn an_option_that_was_not_started_is_withdrawn_by_leaving_it_out() {
    let mut desk = served();
    desk.record(document(date(2027, 1, 10), terms("acme", vec![vpdn("acme-d", Item::D)])));
    assert!(desk.standing("acme-d", date(2027, 1, 9)).option.is_some());
    let standing = desk.standing("acme-d", date(2027, 1, 10));
    assert!(standing.served && standing.option.is_none());
    assert!(desk.refused(vec![option_started("acme-d", date(2027, 1, 10))]).2.contains("no document applies"));
}

#[test]
fn the_option_can_be_taken_again_after_it_has_ended() {
    let mut desk = served();
    desk.record(option_started("acme-d", date(2027, 1, 1)));
    desk.record(option_cancelled("acme-d", date(2027, 1, 1), None, Some("tokyo-2")));
    desk.record(document(date(2027, 2, 1), terms("acme", vec![vpdn("acme-d", Item::D)])));
    desk.on(date(2027, 3, 1));
    desk.record(document(date(2027, 3, 1), terms("acme", vec![shared("acme-d", Item::D)])));
    desk.record(option_started("acme-d", date(2027, 3, 1)));
    let contract = desk.book.contract("acme-d").unwrap();
    let billed: Vec<_> = contract.options.iter().map(|option| option.billed().unwrap().to_string()).collect();
    assert_eq!(billed, ["from 2027-01-01 to 2027-01-31", "from 2027-03-01 on"]);
    assert_eq!(contract.option_accepted(&contract.options[1]), Some(date(2027, 3, 1)));
    assert!(desk.standing("acme-d", date(2027, 3, 1)).option.unwrap().serving);
}

#[test]
fn the_option_ends_with_its_contract_at_the_latest() {
    let mut desk = served();
    desk.record(option_started("acme-d", date(2027, 1, 1)));
    desk.record(option_cancelled("acme-d", date(2027, 1, 1), Some(date(2027, 6, 30)), Some("tokyo-1")));
    desk.record(cancelled("acme-d", date(2027, 1, 1), Some(date(2027, 3, 31))));
    let contract = desk.book.contract("acme-d").unwrap();
    assert_eq!(contract.option_end(&contract.options[0]).unwrap().on, date(2027, 3, 31));
}
