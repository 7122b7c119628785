//! Another key, while subscribers log in.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use sekisho_tests::registry::Office;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::within;

use super::scene::{ALICE, BOB, SAKURA_GROUP, Town, import, login, try_login};

#[test]
fn logins_go_on_while_everything_is_sealed_anew_and_the_former_key_can_go_afterwards() {
    let (town, office) = (Town::new(), Office::new());
    let (desk, documents) = (town.desk(&office), town.node(&office));
    town.serve_sakura(&office, &desk);
    let many: Vec<String> = (0..2000).map(|n| format!("user-{n}")).collect();
    import(&office, &desk, SAKURA_GROUP, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let mut sekisho = Sekisho::start(&town.network, &documents);
    let before = std::fs::read_to_string(office.path("registry.key")).unwrap();

    let (nas, over) = (town.sakura_nas(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let logins = scope.spawn(|| {
            let mut count = 0;
            while !over.load(Relaxed) {
                for user in [ALICE, BOB, "user-7@sakura.example", "user-1999@sakura.example"] {
                    assert_eq!(login(&nas, user), 2, "{user}, login {count}");
                    count += 1;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
            count
        });
        let told = desk.done(&["registry", "rotate-key"]);
        assert!(told.contains("2002 accounts"), "{told}");
        // The node has seen all of it by then.
        std::thread::sleep(Duration::from_secs(2));
        over.store(true, Relaxed);
        let count = logins.join().expect("every login is accepted");
        assert!(count > 50, "{count}");
    });
    assert_eq!(sekisho.status()["registry"]["accounts_unusable"], 0, "{}", sekisho.log());
    // What is written by the new key is taken as well, by the node that began with the former one.
    desk.told(&["accounts", "add", "--contract", SAKURA_GROUP, "carol"], "wonderland");
    let followed =
        within(Duration::from_secs(2), || (try_login(&nas, "carol@sakura.example") == Some(2)).then_some(()));
    assert!(followed.is_some(), "{}", sekisho.log());

    // Restarted, as the command says; then the former key's line goes.
    sekisho.stop();
    let after = std::fs::read_to_string(office.path("registry.key")).unwrap();
    assert!(after.ends_with(&before) && after.len() > before.len(), "a new key stands before the former one");
    std::fs::write(office.path("registry.key"), after.strip_suffix(&before).unwrap()).unwrap();
    sekisho = Sekisho::start(&town.network, &documents);
    for user in [ALICE, BOB, "carol@sakura.example", "user-0@sakura.example", "user-1999@sakura.example"] {
        assert_eq!(login(&nas, user), 2, "{user}");
    }
    let exported = desk.done(&["accounts", "export", "--contract", SAKURA_GROUP, "--secrets"]);
    assert_eq!(exported.matches("wonderland").count(), 2003);
    assert!(desk.done(&["export", "sakura", "--secrets"]).contains("secret-of-client-sakura-nas"));
    assert!(!sekisho.log().contains("panicked"));
}
