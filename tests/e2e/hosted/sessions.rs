//! How many sessions an account may have at a time.

use std::time::Duration;

use super::land::{ACCEPT, ALICE, GROUP, Land, PASSWORD, REJECT, group, rejected, told};

const ONE: &str = "09011111111";
const TWO: &str = "09022222222";

#[test]
fn an_account_for_one_session_is_one_devices_until_its_stop() {
    let land = Land::new();
    let service = land.service(
        &group().key("simultaneous = 1"),
        "user,password,simultaneous\nalice,wonderland,\nbob,builder,2\nfree,free,0\n",
    );
    let sekisho = service.run();
    let terminal = land.terminal();
    let login = |number: &str| terminal.code_from(number, ALICE, PASSWORD);
    let begin = |number: &str, session: &str| terminal.report(1, ALICE, session, number);

    assert_eq!(login(ONE), ACCEPT);
    assert_eq!(login(TWO), REJECT, "an Accept keeps the place for its session's Start");
    begin(ONE, "first");
    assert_eq!(login(TWO), REJECT);
    assert_eq!(rejected(&sekisho, "sessions"), 2);

    // The device has lost its session, and no Stop came: it is the same device in another form of its number.
    assert_eq!(login("+819011111111"), ACCEPT, "it takes the place of its own session");
    begin(ONE, "second");
    assert_eq!(told(&sekisho, GROUP)["sessions"], 1);
    assert_eq!(login(TWO), REJECT);
    terminal.report(2, ALICE, "first", ONE);
    assert_eq!(login(TWO), REJECT, "the Stop of the session before comes late, and frees nothing");
    terminal.report(2, ALICE, "second", ONE);
    assert_eq!(login(TWO), ACCEPT);
    begin(TWO, "third");
    assert_eq!(login(ONE), REJECT);

    terminal.restarted(7);
    assert_eq!(login(ONE), ACCEPT, "the NAS has begun anew: there is no session");
    terminal.restarted(8);
    assert_eq!(told(&sekisho, GROUP)["sessions"], 0);

    for (user, password, most) in [("bob", "builder", 2), ("free", "free", 20)] {
        let name = format!("{user}@acme.example");
        for n in 0..most {
            let number = format!("0908000{n:04}");
            assert_eq!(terminal.code_from(&number, &name, password), ACCEPT, "{user} {n}");
            terminal.report(1, &name, &format!("{user}-{n}"), &number);
        }
        let one_more = terminal.code_from("09099999999", &name, password);
        assert_eq!(one_more, if user == "free" { ACCEPT } else { REJECT }, "{user}");
    }
}

#[test]
fn a_refused_login_keeps_no_place() {
    let land = Land::new();
    let service = land.service(
        &group().key("simultaneous = 1"),
        "user,password,calling\nalice,wonderland,\nbob,builder,09022222222\n",
    );
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code_from(ONE, ALICE, "looking-glass"), REJECT);
    assert_eq!(terminal.code_from(TWO, ALICE, PASSWORD), ACCEPT);
    assert_eq!(terminal.code_from(ONE, "bob@acme.example", "builder"), REJECT);
    assert_eq!(terminal.code_from(TWO, "bob@acme.example", "builder"), ACCEPT);
    assert_eq!(told(&sekisho, GROUP)["sessions"], 2);
}

#[test]
fn a_contract_has_no_more_sessions_than_was_agreed() {
    let land = Land::new();
    let rows: String = (0..6).map(|n| format!("user{n},wonderland\n")).collect();
    let service = land.service(&group().key("max_sessions = 5"), &format!("user,password\n{rows}"));
    let sekisho = service.run();
    let terminal = land.terminal();
    let user = |n: usize| format!("user{n}@acme.example");
    let number = |n: usize| format!("0907000000{n}");
    for n in 0..5 {
        assert_eq!(terminal.code_from(&number(n), &user(n), PASSWORD), ACCEPT, "{n}");
        terminal.report(1, &user(n), &format!("session-{n}"), &number(n));
    }
    assert_eq!(terminal.code_from(&number(5), &user(5), PASSWORD), REJECT);
    assert_eq!((&told(&sekisho, GROUP)["sessions"], &told(&sekisho, GROUP)["max_sessions"]), (&5.into(), &5.into()));
    terminal.report(2, &user(3), "session-3", &number(3));
    assert_eq!(terminal.code_from(&number(5), &user(5), PASSWORD), ACCEPT);
}

#[test]
fn who_is_in_before_a_restart_is_in_after_it() {
    let land = Land::new();
    let service = land.service(&group().key("simultaneous = 1"), "user,password\nalice,wonderland\nbob,builder\n");
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code_from(ONE, ALICE, PASSWORD), ACCEPT);
    terminal.report(1, ALICE, "first", ONE);
    assert_eq!(terminal.code_from(ONE, "bob@acme.example", "builder"), ACCEPT);
    sekisho.stop();
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(told(&sekisho, GROUP)["sessions"], 2);
    assert_eq!(terminal.code_from(TWO, ALICE, PASSWORD), REJECT, "her session goes on");
    assert_eq!(terminal.code_from(TWO, "bob@acme.example", "builder"), REJECT, "his Start may come yet");
    terminal.report(1, "bob@acme.example", "second", ONE);
    terminal.report(2, ALICE, "first", ONE);
    assert_eq!(terminal.code_from(TWO, ALICE, PASSWORD), ACCEPT);
    assert_eq!(told(&sekisho, GROUP)["sessions"], 2);
    for hidden in ["alice", "bob", "1111111"] {
        assert!(!sekisho.log().contains(hidden), "a subscriber in the log: {}", sekisho.log());
    }
}

#[test]
fn what_accounting_says_heals_the_counts_of_a_node_that_was_killed_before_it_saved_any() {
    let land = Land::new();
    let service = land.service(&group().key("simultaneous = 1"), "user,password\nalice,wonderland\n");
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code_from(ONE, ALICE, PASSWORD), ACCEPT);
    terminal.report(1, ALICE, "first", ONE);
    sekisho.kill();
    let sekisho = service.run();
    let terminal = land.terminal();
    terminal.report(3, ALICE, "first", ONE);
    assert_eq!(told(&sekisho, GROUP)["sessions"], 1);
    assert_eq!(terminal.code_from(TWO, ALICE, PASSWORD), REJECT);
    terminal.report(2, ALICE, "first", ONE);
    assert_eq!(terminal.code_from(TWO, ALICE, PASSWORD), ACCEPT);
}

#[test]
fn a_contract_that_is_changed_keeps_its_sessions() {
    let land = Land::new();
    let contract = group().key("simultaneous = 1");
    let service = land.service(&contract, "user,password\nalice,wonderland\n");
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code_from(ONE, ALICE, PASSWORD), ACCEPT);
    terminal.report(1, ALICE, "first", ONE);
    let version = sekisho.status()["node"]["version_of_routing"].as_u64();
    service.apply(&land.acme(&contract.reply("\"Session-Timeout\" = 60")));
    sekisho_tests::wait::eventually("the document is in force", || {
        (sekisho.status()["node"]["version_of_routing"].as_u64() > version).then_some(())
    });
    assert_eq!(terminal.code_from(TWO, ALICE, PASSWORD), REJECT);
    let answer = terminal.login_from(ONE, ALICE, PASSWORD);
    assert_eq!((answer.code().0, answer.values(27)), (ACCEPT, vec![vec![0, 0, 0, 60]]));
    std::thread::sleep(Duration::from_millis(10));
    assert_eq!(told(&sekisho, GROUP)["sessions"], 1);
}

#[test]
fn an_operator_finds_a_session_whose_stop_was_lost_and_has_it_forgotten() {
    let land = Land::new();
    let service = land.service(&group().key("simultaneous = 1"), "user,password\nalice,wonderland\nbob,builder\n");
    let sekisho = service.run();
    let terminal = land.terminal();
    let bob = "bob@acme.example";
    for (user, password, number) in [(ALICE, PASSWORD, ONE), (bob, "builder", "09033333333")] {
        assert_eq!(terminal.code_from(number, user, password), ACCEPT);
        terminal.report(1, user, &format!("of {user}"), number);
    }
    assert_eq!(terminal.code_from(TWO, ALICE, PASSWORD), REJECT);

    let shown = sekisho.command(&["sessions", "--user", ALICE]);
    assert!(shown.status.success() && shown.output.contains("819011111111"), "{}", shown.output);
    assert!(!shown.output.contains(bob) && shown.output.contains("2 of hosted accounts"), "{}", shown.output);
    let [one] = &sekisho.sessions(&format!("contract={GROUP}&number=%2B81-90-1111-1111"))[..] else { panic!("one") };
    let texts = ["customer", "contract", "user", "state"].map(|key| one[key].as_str().unwrap_or_default());
    assert_eq!(texts, ["acme", GROUP, ALICE, "active"], "{one}");
    let network = one["network"].as_str().expect("who accounts");
    assert_eq!(sekisho.sessions(&format!("network={network}")).len(), 2);
    assert_eq!(sekisho.sessions("user=alice%40acme.exampl").len(), 0);
    assert_eq!(sekisho.sessions("limit=1").len(), 1);

    let all = sekisho.command(&["sessions", "--forget"]);
    assert!(!all.status.success() && all.output.contains("say which sessions"), "{}", all.output);
    let nobody = sekisho.command(&["sessions", "--forget", "--user", "nobody@acme.example"]);
    assert!(nobody.status.success() && nobody.output.contains("0 sessions are forgotten"), "{}", nobody.output);
    let hers = sekisho.command(&["sessions", "--forget", "--user", ALICE]);
    assert!(hers.status.success() && hers.output.contains("1 session is forgotten"), "{}", hers.output);
    assert_eq!(told(&sekisho, GROUP)["sessions"], 1, "bob's stays");
    assert_eq!(terminal.code_from(TWO, ALICE, PASSWORD), ACCEPT);
    assert!(!sekisho.log().contains("alice"), "subscribers are not named in the log");
}
