//! What is refused: a fault by its line, a rule by its article, each with its remedy, and nothing is recorded.

use sekisho_tests::documents::{Customer, Pool, Server};
use sekisho_tests::registry::{Desk, Office, accounts, group, mobile};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{Lns, Vpdn};

use super::scene::{ALICE, SAKURA_GROUP, SAKURA_NAS, Town, login};

/// Types what has to be refused; holds that the reasons are told and that nothing has been recorded. Gives what was told.
#[track_caller]
fn refused(desk: &Desk<'_>, words: &[&str], reasons: &[&str]) -> String {
    let before = desk.history();
    let told = desk.refused(words);
    for reason in reasons {
        assert!(told.contains(reason), "{words:?}: {reason:?} is not told:\n{told}");
    }
    assert_eq!(desk.history(), before, "{words:?}: nothing is recorded");
    told
}

/// The line of a file on which this text stands first.
fn line(file: &str, text: &str) -> usize {
    let all = std::fs::read_to_string(file).unwrap();
    all.lines().position(|line| line.contains(text)).unwrap_or_else(|| panic!("no {text} in {all}")) + 1
}

#[test]
fn a_faulty_document_is_refused_by_its_line_and_a_good_one_beside_it_with_it() {
    let (town, office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    town.serve_sakura(&office, &desk);
    let sekisho = Sekisho::start(&town.network, &town.node(&office));
    let good = office.document(&town.acme_document(), "");
    // A prefix is no terminal (Art. 5.2); a key that there is not; TOML that is none.
    let text = std::fs::read_to_string(&good).unwrap();
    for (name, from, to, reason) in [
        ("prefix", "address = \"10.", "address = \"10.0.0.0/24\" # 10.", "5.2"),
        ("unknown", "contract = \"acme-nas\"", "contract = \"acme-nas\"\nno_such_key = 1", "no_such_key"),
        ("syntax", "secret = ", "secret == ", "not TOML"),
    ] {
        let faulty = text.replacen(from, to, 1);
        assert_ne!(faulty, text);
        let faulty = office.write(&format!("{name}.toml"), &faulty);
        let place = format!("{name}.toml:{}", line(&faulty, to.lines().last().unwrap()));
        let told = refused(&desk, &["apply", "-f", &faulty], &[&place]);
        assert!(told.contains(reason), "{name}: {told}");
        assert!(!told.contains("secret-of-"), "a secret is told: {told}");
    }
    // Two of which one is faulty: neither is taken.
    let faulty = office.path("unknown.toml").display().to_string();
    let other = Customer::new("other").client("other-nas", town.home.v4, "");
    let other = office.document(&other.proxy(&[Server::new("other-home", town.home.v6, "")]), "");
    refused(&desk, &["apply", "-f", &other, "-f", &faulty], &["unknown.toml:"]);
    let customers = desk.done(&["get", "customers"]);
    assert!(customers.contains("sakura") && !customers.contains("other"), "{customers}");
    assert_eq!(login(&town.sakura_nas(), ALICE), 2);
    assert_eq!(sekisho.metrics().sum("sekisho_config_reloads_total", &[]), 0, "nothing has reached the node");
}

#[test]
fn a_rule_that_stands_against_it_is_named_by_its_article_with_the_contract_and_a_remedy() {
    let (town, office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    town.serve_both(&office, &desk);
    let sekisho = Sekisho::start(&town.network, &town.node(&office));
    let (arrived, today) = (office.day(-40), office.day(0));

    // The last client while the group remains.
    refused(&desk, &["cancel", SAKURA_NAS, "--arrived", &arrived, "--requested", &today], &["5.1", SAKURA_GROUP]);
    // A contract that lives is not taken out of its document.
    let without = office.document(&town.sakura_document(), "");
    refused(&desk, &["apply", "-f", &without], &[SAKURA_GROUP, "cancel"]);
    // Nor does it become one of another kind.
    let other_kind = Customer::new("sakura").client("sakura-one", town.sakura.v4, "");
    let other_kind = office.document(&other_kind, &group(SAKURA_NAS, "sakura.example", ""));
    refused(&desk, &["apply", "-f", &other_kind], &["Art. 4", SAKURA_NAS]);
    // More accounts than the contract is for; the hard limit is that of the document, which is changed first.
    let few = town.write_sakura(&office, "");
    let text = std::fs::read_to_string(&few).unwrap().replace("accounts = 100000", "accounts = 2");
    desk.apply(&[office.write("sakura.toml", &text)], &[]);
    let file = office.write("more.csv", &accounts(&["carol"]));
    refused(&desk, &["accounts", "import", "--contract", SAKURA_GROUP, &file], &["Art. 7", SAKURA_GROUP]);
    // And not changed below those that are there.
    let text = text.replace("accounts = 2", "accounts = 1");
    let fewer = office.write("sakura.toml", &text);
    refused(&desk, &["apply", "-f", &fewer], &[SAKURA_GROUP]);
    refused(&desk, &["change", SAKURA_GROUP, "--accounts", "1"], &[SAKURA_GROUP]);
    // Proxy and group for one customer at one time.
    let both = office.document(&town.acme_document(), &group("acme-group", "acme.example", ""));
    refused(&desk, &["apply", "-f", &both], &["Art. 6", "acme-group", "acme-proxy-1", "To be acceptable"]);
    // Verbs that do not fit.
    refused(&desk, &["start", SAKURA_GROUP], &[SAKURA_GROUP]);
    refused(&desk, &["accept", "nobodys-contract"], &["nobodys-contract"]);
    refused(&desk, &["accept", "--customer", "nobody"], &["nobody", "sekisho get customers"]);

    let nas = town.sakura_nas();
    assert_eq!(login(&nas, ALICE), 2);
    assert!(!sekisho.log().contains("panicked"));
}

#[test]
fn a_contract_of_item_k_beside_the_private_gateway_is_refused_and_one_of_item_d_is_not() {
    let (town, office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    for (kind, of_mobile, article) in [
        ("K", "[[mobile]]\ntype = \"K\"\nplan = \"flat\"\n".to_owned(), Some("14.4")),
        ("I", "[[mobile]]\ntype = \"I\"\nnetwork_class = \"III\"\n".to_owned(), Some("14.3")),
        ("D", mobile(""), None),
    ] {
        let vpdn = Vpdn::new("fuji-vpdn", kind, &["tokyo"]);
        let fuji = Customer::new("fuji").key("private_gateway = true");
        let fuji = fuji.lnss(&[Lns::new("tokyo", "198.18.0.1", "")]).vpdn(&vpdn);
        let file = office.document(&fuji, &of_mobile);
        match article {
            Some(_) => drop(refused(&desk, &["apply", "-f", &file], &["14.", "fuji-vpdn"])),
            None => drop(desk.apply(&[file], &[])),
        }
    }
}

#[test]
fn a_dry_run_tells_the_difference_and_records_nothing() {
    let (town, office) = (Town::new(), Office::new());
    let desk = town.desk(&office);
    town.serve_sakura(&office, &desk);
    let _sekisho = Sekisho::start(&town.network, &town.node(&office));
    let before = (desk.history(), desk.done(&["get", "contracts"]));
    let pool = Pool::new("fail-over", &[Server::new("home1", town.home.v4, "")]);
    let acme = Customer::new("acme").client("acme-nas", town.acme.v4, "").pool(pool);
    let acme = office.document(&acme, "");
    let file = office.write("more.csv", &accounts(&["carol"]));
    let (arrived, today) = (office.day(-40), office.day(0));
    for (words, tells) in [
        (&["apply", "-f", &acme][..], "acme-nas is applied for"),
        (&["suspend", SAKURA_GROUP], "suspended"),
        (&["change", SAKURA_GROUP, "--accounts", "7"], "7 accounts"),
        (&["cancel", SAKURA_GROUP, SAKURA_NAS, "--arrived", &arrived, "--requested", &today], "its last day is"),
        (&["accounts", "import", "--contract", SAKURA_GROUP, &file], "1 account imported"),
        (&["accounts", "remove", "--contract", SAKURA_GROUP, "alice"], "gone"),
    ] {
        let told = desk.done(&[words, &["--dry-run"]].concat());
        assert!(told.contains(tells) && told.contains("dry run"), "{words:?}: {told}");
        assert_eq!((desk.history(), desk.done(&["get", "contracts"])), before, "{words:?}");
    }
    assert_eq!(login(&town.sakura_nas(), ALICE), 2);
    // What is refused is refused in a dry run, too.
    refused(&desk, &["cancel", SAKURA_NAS, "--arrived", &arrived, "--dry-run"], &["5.1"]);
}
