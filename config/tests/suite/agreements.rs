//! What a customer's document says to the service regulation: mobile contracts, restrictions, fees, and its terms.

use crate::common::{ACME, BALANCED, HOSTED, TUNNEL, held_refused, held_taken, tunnel_taken, with};
use sekisho_regulation::terms::{ContractTerms, Fees, Item, Kind, Mobile, OptionTerms, Terms, Verify};

/// The customer with a contract for mobile service.
fn mobile(keys: &str) -> String {
    with(TUNNEL, "[[realm]]\n", &format!("[[mobile]]\n{keys}\n[[realm]]\n"))
}

fn contract(name: &str, kind: Kind, realms: &[&str]) -> ContractTerms {
    ContractTerms {
        contract: name.into(),
        kind,
        realms: realms.iter().map(|realm| (*realm).into()).collect(),
        fees: Fees::default(),
        option: None,
        prerequisites: Vec::new(),
    }
}

#[test]
fn a_mobile_contract_has_a_type_a_class_and_days() {
    let day = |text: &str| Some(text.parse().unwrap());
    for (keys, item, class, from, until) in [
        ("type = \"D\"\nclass = \"I\"", Item::D, "I", None, None),
        ("type = \"K\"\nplan = \"flat-l\"\nfrom = 2027-01-31", Item::K, "flat-l", day("2027-01-31"), None),
        (
            "type = \"I\"\nnetwork_class = \"III\"\nfrom = \"2027-01-31\"\nuntil = \"2027-01-31\"",
            Item::I,
            "III",
            day("2027-01-31"),
            day("2027-01-31"),
        ),
        // Not eligible, but a contract all the same.
        ("type = \"K\"\nplan = \"light\"\nuntil = 2028-02-29", Item::K, "light", None, day("2028-02-29")),
    ] {
        let expected = Mobile { item, class: class.into(), from, until };
        assert_eq!(held_taken(&mobile(keys)).mobile, [expected], "{keys}");
    }
}

#[test]
fn each_fault_of_a_mobile_contract_is_told_with_its_place_and_remedy() {
    for (keys, says) in [
        ("class = \"I\"", "mobile[0].type: is missing. Say \"D\", \"K\" or \"I\": the type of the mobile service."),
        ("type = \"D\"", "mobile[0].class: is missing. Give its class, such as \"I\" (Art. 5.3)."),
        ("type = \"K\"", "mobile[0].plan: is missing. Give its plan, such as \"flat\", \"flat-l\" or"),
        ("type = \"I\"", "mobile[0].network_class: is missing. Give its network class, such as \"III\" (Art. 5.5)."),
        (
            "type = \"K\"\nplan = \"flat\"\nclass = \"I\"",
            "mobile[0].class: means nothing with `type = \"K\"`. Say `plan` in its place.",
        ),
        ("type = \"D\"\nclass = \"I\"\nfrom = 2027-02-30", "not TOML"),
        (
            "type = \"D\"\nclass = \"I\"\nfrom = \"2027-02-30\"",
            "mobile[0].from: \"2027-02-30\" is no day. Write it as 2027-01-31.",
        ),
        ("type = \"D\"\nclass = \"I\"\nfrom = 2027-02-01T00:00:00Z", "from: \"2027-02-01T00:00:00Z\" is no day"),
        ("type = \"D\"\nclass = \"I\"\nfrom = \"2027-2-1\"", "from: \"2027-2-1\" is no day"),
        (
            "type = \"D\"\nclass = \"I\"\nfrom = 20270201",
            "from: should be a day, but is a whole number. Write it as 2027-01-31.",
        ),
        (
            "type = \"D\"\nclass = \"I\"\nfrom = 2027-02-01\nuntil = 2027-01-31",
            "mobile[0].until: 2027-01-31 lies before 2027-02-01, its first day. Give the last day of the contract.",
        ),
    ] {
        held_refused(&mobile(keys), &[says]);
    }
}

#[test]
fn a_customer_has_its_private_gateway_and_restrictions() {
    let text = with(TUNNEL, "[[realm]]", "private_gateway = true\nrestrictions = [\"夜間は不可 (14.1)\"]\n[[realm]]");
    let customer = held_taken(&text);
    assert_eq!(
        (customer.private_gateway, customer.restrictions.as_slice()),
        (true, &["夜間は不可 (14.1)".to_owned()][..])
    );
    let plain = held_taken(TUNNEL);
    assert_eq!((plain.private_gateway, plain.restrictions.len(), plain.mobile.len()), (false, 0, 0));
    let text = with(TUNNEL, "[[realm]]", "restrictions = [\"\"]\n[[realm]]");
    held_refused(&text, &["customer.restrictions[0]: has 0 octets. Give 1 to 1000."]);
}

#[test]
fn every_kind_of_contract_has_fees_and_the_option_its_own() {
    let fees = |n| format!("fees = {{ monthly = {n} }}\nprerequisites = [\"p{n}\"]\n");
    let mut text = BALANCED.replace("[[vpdn]]\n", &format!("[[vpdn]]\n{}", fees(3)));
    text = with(&text, "[vpdn.load_balancing]\n", "[vpdn.load_balancing]\nfees = { initial = 4, change = 5 }\n");
    let (_, rest) = ACME.split_once("[[client]]\n").unwrap();
    let rest = with(rest, "[[proxy]]\n", &format!("[[proxy]]\n{}", fees(2)));
    let customer = tunnel_taken(&format!("{text}[[client]]\n{}{rest}", fees(1)));
    let agreements = [&customer.clients[0].agreement, &customer.proxies[0].agreement, &customer.vpdn[0].agreement];
    for (n, agreement) in (1..).zip(agreements) {
        assert_eq!(agreement.fees, Fees { initial: 0, monthly: n, change: 0 });
        assert_eq!(agreement.prerequisites, [format!("p{n}")]);
    }
    let option = customer.vpdn[0].balancing.as_ref().unwrap();
    assert_eq!(option.fees, Fees { initial: 4, monthly: 0, change: 5 });
    let terms = customer.terms();
    assert_eq!(terms.contracts.iter().map(|it| it.fees.monthly).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(terms.contracts[2].option, Some(OptionTerms { fees: option.fees }));
    assert_eq!(terms.contracts[2].prerequisites, ["p3"]);
}

#[test]
fn the_terms_are_what_the_document_says() {
    let text = with(
        HOSTED,
        "name = \"acme\"\n",
        "name = \"acme\"\ntitle = \"株式会社アクメ\"\nprivate_gateway = true\nrestrictions = [\"r\"]\n",
    );
    let text = format!(
        "{text}[[realm]]\nprefix = \"acme\"\n[[mobile]]\ntype = \"D\"\nclass = \"I\"\n[[lns]]\nname = \"tokyo\"\naddress = \"192.0.2.11\"\n[[vpdn]]\ncontract = \"acme-vpdn\"\ntype = \"D\"\nrealms = [\"acme\"]\nverify = \"group\"\nlns = [\"tokyo\"]\n"
    );
    let vpdn = Kind::Vpdn { item: Item::D, verify: Verify::Group, lnss: vec!["tokyo".into()] };
    let expected = Terms {
        customer: "acme".into(),
        title: Some("株式会社アクメ".into()),
        mobile: vec![Mobile { item: Item::D, class: "I".into(), from: None, until: None }],
        private_gateway: true,
        restrictions: vec!["r".into()],
        contracts: vec![
            contract("acme-nas", Kind::Client, &[]),
            contract("acme-group", Kind::Group { accounts: 500 }, &["acme.example", "prefix:acme"]),
            contract("acme-vpdn", vpdn, &["prefix:acme"]),
        ],
    };
    assert_eq!(held_taken(&text).terms(), expected);
    let balanced = tunnel_taken(BALANCED).terms();
    let vpdn = Kind::Vpdn {
        item: Item::D,
        verify: Verify::Realm,
        lnss: ["tokyo", "osaka", "nagoya"].map(str::to_owned).to_vec(),
    };
    let option = Some(OptionTerms::default());
    assert_eq!(balanced.contracts, [ContractTerms { option, ..contract("acme-vpdn", vpdn, &["acme.example"]) }]);
    let proxy = held_taken(ACME).terms().contracts.remove(1);
    assert_eq!(proxy, contract("acme-proxy", Kind::Proxy, &["acme.example"]));
}

#[test]
fn no_secret_is_among_the_terms() {
    let text = format!("{:?}", held_taken(ACME).terms());
    assert!(!text.contains("secret") && !text.contains("192.0.2"), "{text}");
}
