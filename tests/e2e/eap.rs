//! EAP: a conversation of many rounds, State and fragments on the way, and keys at its end.

use std::time::Duration;

use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::network::{Family, PROXY_V4};
use sekisho_tests::process::{Finished, Program};
use sekisho_tests::sekisho::Sekisho;

use crate::scene::{Scene, home1_secret, nas_secret};

/// eapol_test (from hostapd) as a device behind the NAS; it checks that the keys of both ends are the same.
fn eapol_test(scene: &Scene, method: &str, password: &str) -> Finished {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("network");
    let network = format!(
        "network={{\n  key_mgmt=WPA-EAP\n  {method}\n  identity=\"alice@acme.example\"\n  password=\"{password}\"\n}}\n"
    );
    std::fs::write(&path, network).expect("a file");
    let program = Program::new("eapol_test")
        .args(["-a", &PROXY_V4.to_string(), "-p", "1812", "-s", &nas_secret(Family::V4), "-t", "20", "-c"])
        .arg(path);
    program.finish(&scene.nas.namespace, "", Duration::from_secs(40))
}

#[test]
fn peap_and_ttls_log_in_and_both_ends_have_the_same_keys() {
    let scene = Scene::new();
    let alice = Account::new("alice@acme.example", "wonderland");
    let freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[alice]);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let methods = ["eap=PEAP\n  phase2=\"auth=MSCHAPV2\"", "eap=TTLS\n  phase2=\"auth=PAP\""];
    for method in methods {
        let right = eapol_test(&scene, method, "wonderland");
        assert!(right.status.success(), "{}", right.output);
        assert!(right.output.contains("MPPE keys OK: 1  mismatch: 0"), "{}", right.output);
        let wrong = eapol_test(&scene, method, "looking-glass");
        assert!(!wrong.status.success(), "{}", wrong.output);
    }
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "accept")]), 2);
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "reject")]), 2);
    let challenges = metrics.sum("sekisho_replies_total", &[("code", "challenge")]);
    assert!(challenges >= 20, "{challenges} rounds");
    assert_eq!(freeradius.received("Access-Request") as u64, challenges + 4, "no round twice");
}
