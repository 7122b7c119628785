//! A storm in one customer's realm, through the gateway that all customers share: nobody is left in silence, and the others lose
//! nothing.

use std::time::{Duration, Instant};

use sekisho_tests::documents::Customer;
use sekisho_tests::lac::{Device, Login, Status, shares};
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::vpdn::{Lns, Vpdn};

use super::land::{Land, NO_RESOURCES, REALM, at, lone, sharing};

#[test]
fn over_a_realms_limit_every_login_gets_a_reject_and_another_realms_logins_an_lns() {
    for mode in ["native", "off"] {
        let land = Land::new();
        let other =
            Customer::new("other").lnss(&[Lns::new("osaka", &at(9), "")]).vpdn(&Vpdn::new("other-d", "D", &["osaka"]));
        let limits = "realm_rate = 100\nrealm_burst = 100";
        let documents = land.documents_with(limits, lone()).customer(other).xdp(mode);
        let sekisho = Sekisho::start(&land.network, &documents);
        let begun = Instant::now();
        let (storm, calm): (Vec<Login>, Vec<(Login, Duration)>) = std::thread::scope(|scope| {
            let storm: Vec<_> = (0..3)
                .map(|part| {
                    let land = &land;
                    scope.spawn(move || {
                        let devices: Vec<Device> = (0..1500).map(|n| Device::new(part * 10_000 + n, REALM)).collect();
                        land.lac().logins(&devices)
                    })
                })
                .collect();
            let lac = land.lac();
            let calm = (0..60).map(|n| {
                std::thread::sleep(Duration::from_millis(20));
                let asked = Instant::now();
                (lac.login(&Device::new(n, "other.example")), asked.elapsed())
            });
            let calm = calm.collect();
            (storm.into_iter().flat_map(|part| part.join().expect("no silence")).collect(), calm)
        });
        let (accepted, refused): (Vec<&Login>, Vec<&Login>) = storm.iter().partition(|login| login.is_accepted());
        let most = 100 + 100 * (begun.elapsed().as_secs() as usize + 1);
        assert!((100..=most).contains(&accepted.len()), "{mode}: {} of {most}", accepted.len());
        assert!(refused.len() > 1000, "{mode}: this was no storm: {}", refused.len());
        assert!(refused.iter().all(|login| login.reason().0 == NO_RESOURCES && login.answer.code().0 == 3), "{mode}");
        for (login, took) in &calm {
            assert_eq!(login.endpoint(), at(9));
            // A login that had to be sent twice would have taken two seconds.
            assert!(*took < Duration::from_secs(2), "{mode}: {took:?}");
        }
        assert_eq!(sekisho.metrics().sum("sekisho_rejected_limited_total", &[]), refused.len() as u64, "{mode}");
        // Accounting of the stormy realm is not limited by it: what is lost there is lost for good.
        let lac = land.lac();
        let sessions: Vec<_> = accepted.iter().take(50).map(|login| login.session()).collect();
        lac.report_all(Status::Start, &sessions);
        assert_eq!(sekisho.lns("tokyo-1")["active"], 50);
    }
}

#[test]
fn ten_thousand_devices_that_come_back_at_once_are_all_served() {
    let land = Land::new();
    let customer = sharing(4, "strategy = \"least-sessions\"");
    let sekisho = Sekisho::start(&land.network, &land.documents_with("realm_rate = 0", customer));
    let logins: Vec<Login> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..4)
            .map(|part| {
                let land = &land;
                scope.spawn(move || {
                    let devices: Vec<Device> = (0..2500).map(|n| Device::new(part * 10_000 + n, REALM)).collect();
                    land.lac().logins(&devices)
                })
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().expect("no silence")).collect()
    });
    let shares = shares(&logins);
    let (least, most) = (shares.values().min(), shares.values().max());
    assert_eq!(shares.values().sum::<usize>(), 10_000, "all of them are accepted");
    assert!(most.zip(least).is_some_and(|(most, least)| most - least <= 10), "{shares:?}");
    assert_eq!(sekisho.told("/sessions")["reserved"], 10_000);
}
