//! Art. 14: the large-scale private gateway, and restrictions by other services.

use crate::common::*;

fn with_gateway(contracts: Vec<ContractTerms>) -> Terms {
    Terms { private_gateway: true, ..terms("acme", contracts) }
}

#[test]
fn type_d_goes_with_the_private_gateway_and_types_i_and_k_do_not() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), with_gateway(vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
    assert!(desk.served("acme-d", date(2027, 1, 1)));
    for (item, article) in [(Item::I, "Art. 14.3"), (Item::K, "Art. 14.4")] {
        let contracts = vec![vpdn("acme-d", Item::D), vpdn("acme-other", item)];
        let (rule, refused, line) = desk.refused(vec![document(date(2027, 1, 1), with_gateway(contracts))]);
        assert_eq!((rule, refused), (Rule::PrivateGateway, article));
        assert!(line.contains("acme-other") && line.contains("大規模プライベートゲートウェイ"), "{line}");
    }
}

#[test]
fn the_gateway_may_begin_the_day_after_the_contracts_last() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-k", Item::K)]))).serve("acme-k");
    let later = |from| document(from, with_gateway(vec![vpdn("acme-k", Item::K)]));
    assert_eq!(desk.refused(vec![later(date(2027, 6, 1))]).1, "Art. 14.4");
    desk.record(cancelled("acme-k", date(2027, 1, 1), None));
    let (_, article, line) = desk.refused(vec![later(date(2027, 1, 31))]);
    assert_eq!(article, "Art. 14.4");
    assert!(line.contains("on 2027-01-31"), "{line}");
    desk.record(later(date(2027, 2, 1)));
}

#[test]
fn restrictions_are_shown_wherever_the_contract_is_explained() {
    let mut desk = Desk::new();
    let with = Terms {
        restrictions: vec!["no roaming with service X".into()],
        ..terms("acme", vec![vpdn("acme-d", Item::D)])
    };
    desk.record(document(date(2027, 1, 1), with)).serve("acme-d");
    assert_eq!(desk.standing("acme-d", date(2027, 1, 1)).restrictions, ["no roaming with service X"]);
    assert!(desk.served("acme-d", date(2027, 1, 1)));
}
