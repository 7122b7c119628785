//! A customer's accounts are that customer's: no door of another's leads to them.

use sekisho_tests::documents::{Customer, Documents};
use sekisho_tests::network::{Family, Host, Network, acct, auth};
use sekisho_tests::sekisho::journal;
use sekisho_tests::service::{Group, Service};
use sekisho_wire::attr;

use super::land::{ACCEPT, AT_ONCE, REJECT, Terminal};

/// Two customers with a NAS and an account `alice` each.
struct Two {
    network: Network,
    nas: [Host; 2],
}

const NAMES: [&str; 2] = ["sakura", "fuji"];
const PASSWORDS: [&str; 2] = ["cherry-blossom", "snow-on-the-top"];

impl Two {
    fn new() -> Two {
        let mut network = Network::new();
        let nas = NAMES.map(|name| network.host(name));
        Two { network, nas }
    }

    fn service(&self) -> Service<'_> {
        let [one, two] = &self.nas;
        let service = Service::new(&self.network, Documents::new(&[one, two]), "max_failures = 0");
        for ((name, nas), password) in NAMES.iter().zip(&self.nas).zip(PASSWORDS) {
            let group = Group::new(&format!("{name}-group"), 10);
            service.serve(&Customer::new(name).client(&format!("{name}-nas"), nas.v4, AT_ONCE).group(&group));
            service.import(
                &format!("{name}-group"),
                &format!("user,password,simultaneous\nalice,{password},\n{name},{password},\nlone,{password},1\n"),
            );
        }
        service
    }

    fn terminals(&self) -> [Terminal; 2] {
        [0, 1].map(|n| Terminal::of(&self.nas[n], &format!("{}-nas", NAMES[n])))
    }
}

#[test]
fn the_same_name_in_two_customers_realms_is_two_accounts() {
    let two = Two::new();
    let service = two.service();
    let _sekisho = service.run();
    for (n, terminal) in two.terminals().iter().enumerate() {
        let own = format!("alice@{}.example", NAMES[n]);
        assert_eq!(terminal.code(&own, PASSWORDS[n]), ACCEPT, "{own}");
        assert_eq!(terminal.code(&own, PASSWORDS[1 - n]), REJECT, "{own} with the password of the other alice");
        assert_eq!(terminal.code(&format!("{}@{}.example", NAMES[1 - n], NAMES[n]), PASSWORDS[1 - n]), REJECT);
    }
}

/// Names by which somebody might hope to come to `alice` of `REALM`.
fn look_alikes(realm: &str) -> Vec<String> {
    let upper = realm.to_uppercase();
    let wide: String = realm
        .chars()
        .map(|c| if c.is_ascii_lowercase() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c })
        .collect();
    vec![
        format!("alice@{realm}"),
        format!("alice@{upper}"),
        format!("alice@{realm}."),
        format!("alice@{upper}."),
        format!("alice@{realm}.."),
        format!("alice@ {realm}"),
        format!("alice@{realm} "),
        format!("alice@{realm}\0"),
        format!("alice@{wide}"),
        format!("alice@x.{realm}"),
        format!("alice@{realm}@x"),
        format!("{realm}/alice"),
        format!("{realm}\\alice"),
        format!("{realm}!alice"),
        format!("alice%{realm}"),
        format!("{realm}\\alice@x"),
        "alice".to_owned(),
        "alice@".to_owned(),
        "@".to_owned() + realm,
        String::new(),
    ]
}

#[test]
fn no_name_leads_a_nas_to_another_customers_account() {
    let two = Two::new();
    let service = two.service();
    let _sekisho = service.run();
    for (n, terminal) in two.terminals().iter().enumerate() {
        let [own, others] = [n, 1 - n].map(|n| format!("{}.example", NAMES[n]));
        for name in look_alikes(&others) {
            let both = [format!("{name}@{own}"), format!("{own}/{name}"), format!("{own}\\{name}")];
            for name in [name].iter().chain(&both).filter(|name| (1..=253).contains(&name.len())) {
                for password in PASSWORDS {
                    // By both passwords: neither the other's account nor one's own under a name that is another's.
                    let answer = terminal.login(name, password);
                    let is_own = own_account(name, &own) && password == PASSWORDS[n];
                    assert_eq!(answer.code().0 == ACCEPT, is_own, "{name:?} with {password} at {}", NAMES[n]);
                }
            }
        }
    }
}

/// Whether a name is that of alice of this realm after all: the look-alike was `alice`.
fn own_account(name: &str, own: &str) -> bool {
    name == format!("alice@{own}")
}

#[test]
fn a_realm_in_another_spelling_is_the_same_realm_to_its_own_customer() {
    let two = Two::new();
    let service = two.service();
    let _sekisho = service.run();
    let [sakura, fuji] = two.terminals();
    for name in ["alice@SAKURA.example", "alice@sakura.example.", "alice@Sakura.EXAMPLE."] {
        assert_eq!(sakura.code(name, PASSWORDS[0]), ACCEPT, "{name}");
        assert_eq!(fuji.code(name, PASSWORDS[0]), REJECT, "{name}");
    }
    for name in ["Alice@sakura.example", "alice @sakura.example", "alice@sakura.example@x", "alice@x@sakura.example"] {
        assert_eq!(sakura.code(name, PASSWORDS[0]), REJECT, "{name}: a user is compared octet by octet");
    }
}

#[test]
fn nobody_ends_or_takes_another_customers_session() {
    let two = Two::new();
    let service = two.service();
    let _sekisho = service.run();
    let [sakura, fuji] = two.terminals();
    let (lone, number) = ("lone@sakura.example", "09012345678");
    assert_eq!(sakura.code_from(number, lone, PASSWORDS[0]), ACCEPT);
    sakura.report(1, lone, "session-1", number);
    // Stops and restarts of another NAS, for the same session and under the same name. What is not its realm gets no answer.
    let foreign = |status: u32| {
        let status = status.to_be_bytes();
        let attributes: [(u8, &[u8]); 4] =
            [(attr::ACCT_STATUS_TYPE, &status), (1, lone.as_bytes()), (44, b"session-1"), (31, number.as_bytes())];
        fuji.nas().send(acct(Family::V4), &fuji.nas().request(4, fuji.id(), &attributes));
    };
    foreign(2);
    foreign(3);
    fuji.nas().expect_silence(std::time::Duration::from_millis(300));
    fuji.report(2, "lone@fuji.example", "session-1", number);
    fuji.restarted(7);
    assert_eq!(sakura.code_from("09099999999", lone, PASSWORDS[0]), REJECT, "the session is there as before");
    assert_eq!(fuji.code_from("09099999999", "lone@fuji.example", PASSWORDS[1]), ACCEPT);
    let records = journal(&two.network, service.documents(), &[]);
    for record in &records {
        let customer = record["customer"].as_str().unwrap_or_default();
        let from = if customer == "sakura" { "10.99.1.2:" } else { "10.99.2.2:" };
        assert!(record["from"].as_str().is_some_and(|it| it.starts_with(from)), "{record}");
    }
}

#[test]
fn an_account_cannot_be_put_into_another_customers_realm() {
    let two = Two::new();
    let service = two.service();
    let _sekisho = service.run();
    let path = service
        .documents()
        .write_beside("foreign.csv", "user,realm,password\nmallory,sakura.example,a-password-of-mallory\n");
    let refused = service.tries(&["accounts", "import", "--contract", "fuji-group", &path.display().to_string()]);
    assert!(!refused.status.success() && refused.output.contains("line 2"), "{}", refused.output);
    let added = ["accounts", "add", "--contract", "fuji-group", "--realm", "sakura.example", "mallory"];
    let refused = service.tries_with(&added, "a-password-of-mallory\n");
    assert!(!refused.status.success(), "{}", refused.output);
    let [sakura, fuji] = two.terminals();
    let request = sakura.nas().login(sakura.id(), "mallory@sakura.example", "a-password-of-mallory");
    assert_eq!(sakura.nas().ask(auth(Family::V4), &request).code().0, REJECT);
    assert_eq!(fuji.code("mallory@sakura.example", "a-password-of-mallory"), REJECT);
}
