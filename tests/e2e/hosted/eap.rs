//! EAP at hosted accounts: eapol_test as the device, whose end has to have the same keys.

use sekisho_tests::eapol::{Device, Login, Method, many};
use sekisho_tests::network::{Family, auth};

use super::land::{ACCOUNTS, ALICE, Land, PASSWORD, group, rejected};
use crate::scene::nas_secret;

fn login(land: &Land, family: Family, method: Method<'_>, user: &str, password: &str) -> Login {
    Device::new(method, user, password).login(&land.nas, auth(family), &nas_secret(family))
}

#[test]
fn eap_ms_chap_v2_and_eap_md5_log_in_and_a_wrong_password_ends_in_eap_failure() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let sekisho = service.run();
    for family in Family::BOTH {
        for method in [Method::MsChapV2, Method::Md5] {
            login(&land, family, method, ALICE, PASSWORD).expect_success();
            let wrong = login(&land, family, method, ALICE, "looking-glass");
            wrong.expect_refusal();
            assert!(
                wrong.output().contains("EAP-Failure") || wrong.output().contains("EAP: Received EAP-Failure"),
                "{}",
                wrong.output()
            );
            login(&land, family, method, "nobody@acme.example", PASSWORD).expect_refusal();
        }
    }
    assert_eq!((rejected(&sekisho, "password"), rejected(&sekisho, "unknown")), (4, 4));
    assert_eq!(sekisho.metrics().sum("sekisho_group_accepts_total", &[]), 4);
    assert!(sekisho.metrics().sum("sekisho_group_challenges_total", &[]) >= 8);
    sekisho.assert_every_packet_is_counted_once();
}

#[test]
fn a_device_gets_the_method_that_it_asks_for_if_the_contract_allows_it() {
    let land = Land::new();
    let service = land.service(&group().key("protocols = [\"eap-md5\"]"), ACCOUNTS);
    let _sekisho = service.run();
    login(&land, Family::V4, Method::Md5, ALICE, PASSWORD).expect_success();
    for method in [Method::MsChapV2, Method::PeapMsChapV2] {
        login(&land, Family::V4, method, ALICE, PASSWORD).expect_refusal();
    }
}

#[test]
fn many_devices_log_in_at_once_and_no_round_is_lost() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let sekisho = service.run();
    let failed = many(10, |number| {
        let device = Device::new(Method::MsChapV2, ALICE, PASSWORD).numbered(number);
        device.login(&land.nas, auth(Family::V4), &nas_secret(Family::V4))
    });
    assert!(failed.is_empty(), "{} failed; the first: {}", failed.len(), failed[0]);
    // Identity and offer, answer and proof, acknowledgement and end.
    assert_eq!(sekisho.metrics().sum("sekisho_group_challenges_total", &[]), 20);
}
