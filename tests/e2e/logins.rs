//! Every way to log in that radclient knows, through sekisho to FreeRADIUS.

use sekisho_tests::documents::Server;
use sekisho_tests::freeradius::{Account, FreeRadius};
use sekisho_tests::network::{Family, acct, auth};
use sekisho_tests::process::Program;
use sekisho_tests::radclient::Radclient;
use sekisho_tests::sekisho::Sekisho;
use sekisho_tests::wait::PATIENCE;

use crate::scene::{Scene, acme, home1_secret, nas_secret};

const ALICE: &str = "User-Name = alice@acme.example";

fn alice() -> Account {
    Account::new("alice@acme.example", "wonderland").reply("Reply-Message = \"welcome\"").reply("Class = 0x0102ff")
}

/// A password of so many octets, each place with a character of its own.
fn password(octets: usize) -> String {
    ('!'..='~').filter(|c| !"\"'\\$%#,{}`".contains(*c)).cycle().take(octets).collect()
}

#[test]
fn passwords_of_every_length_arrive_as_they_were_typed() {
    let scene = Scene::new();
    let lengths = [1, 16, 17, 38, 128];
    let accounts = lengths.map(|length| Account::new(&format!("user{length}@acme.example"), &password(length)));
    let freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &accounts);
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    for family in Family::BOTH {
        for length in lengths {
            let login = |password: &str| {
                let pairs = format!("User-Name = user{length}@acme.example\nUser-Password = \"{password}\"\n");
                Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), &pairs)
            };
            login(&password(length)).expect("Access-Accept");
        }
    }
    let wrong = "User-Name = user17@acme.example, User-Password = \"something else\"";
    let answer = Radclient::default().login(&scene.nas, auth(Family::V4), &nas_secret(Family::V4), wrong);
    answer.expect("Access-Reject");
    assert_eq!(freeradius.received("Access-Request"), 11, "one login each, none repeated");
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "accept")]), 10);
    assert_eq!(metrics.sum("sekisho_replies_total", &[("code", "reject")]), 1);
    sekisho.assert_every_packet_is_counted_once();
}

#[test]
fn chap_works_whether_or_not_the_nas_sends_a_challenge() {
    let scene = Scene::new();
    let _freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[alice()]);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    // Without CHAP-Challenge the Request Authenticator is the challenge (RFC 2865 §2.2), which a proxy changes.
    let challenge = "CHAP-Challenge = 0x000102030405060708090a0b0c0d0e0f";
    for family in Family::BOTH {
        for pairs in [
            format!("{ALICE}, CHAP-Password = wonderland"),
            format!("{ALICE}, CHAP-Password = wonderland, {challenge}"),
        ] {
            let login = |pairs: &str| Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), pairs);
            let answer = login(&pairs).expect("Access-Accept");
            assert_eq!(answer.values("Reply-Message"), ["welcome"]);
            assert_eq!(answer.values("Class"), ["0x0102ff"]);
            login(&pairs.replace("wonderland", "looking-glass")).expect("Access-Reject");
        }
    }
}

#[test]
fn ms_chap_v2_keeps_its_proof_and_its_keys() {
    let scene = Scene::new();
    let _freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[alice()]);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    // The challenges of RFC 2759 §9.2; response, proof and keys for alice's name and password by RFC 2759 §8 and RFC 3079 §3.
    let pairs = format!(
        "{ALICE}\nMS-CHAP-Challenge = 0x5b5d7c7d7b3f2f3e3c2c602132262628\nMS-CHAP2-Response = \
         0x010021402324255e262a28295f2b3a337c7e0000000000000000ea35454e5cdacdccc0efb183cfdd8bb426425e30037b7425\n"
    );
    let proof: String = "S=2A372587586826BB6ED8EB80BF3FE70DF9B2F0C3".bytes().map(|c| format!("{c:02x}")).collect();
    for family in Family::BOTH {
        let answer = Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), &pairs);
        let answer = answer.expect("Access-Accept");
        assert_eq!(answer.values("MS-CHAP2-Success"), [format!("0x01{proof}")]);
        assert_eq!(answer.values("MS-MPPE-Recv-Key"), ["0x6548ac6aef49a67ea1a9b6b333e0d37d"]);
        assert_eq!(answer.values("MS-MPPE-Send-Key"), ["0xe4382f1f5e0e4b2bae176a3543d3cb4d"]);
        // One octet of the response is another: the home server's word, and what MS-CHAP says why, comes through.
        let wrong = pairs.replace("7b7425", "7b7426");
        let answer = Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), &wrong);
        assert_eq!(answer.expect("Access-Reject").values("MS-CHAP-Error").len(), 1);
    }
}

#[test]
fn an_ipv4_client_reaches_an_ipv6_home_server_and_the_other_way_round() {
    let scene = Scene::new();
    let _freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[alice()]);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V6));
    for family in Family::BOTH {
        let pairs = format!("{ALICE}, User-Password = wonderland");
        let answer = Radclient::default().login(&scene.nas, auth(family), &nas_secret(family), &pairs);
        answer.expect("Access-Accept");
    }
}

#[test]
fn every_tunnel_password_decrypts_at_the_nas() {
    let scene = Scene::new();
    let account = |name: &str, passwords: &[(u8, String)]| {
        let account = Account::new(name, "wonderland");
        passwords.iter().fold(account, |it, (tag, value)| it.reply(&format!("Tunnel-Password:{tag} += \"{value}\"")))
    };
    let many: Vec<_> = (1..=8).map(|tag| (tag, password(usize::from(tag) * 7))).collect();
    let accounts = [account("many@acme.example", &many), account("one@acme.example", &[(31, password(1))])];
    let _freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &accounts);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let login = |name: &str| {
        let pairs = format!("User-Name = {name}, User-Password = wonderland");
        let answer = Radclient::default().login(&scene.nas, auth(Family::V4), &nas_secret(Family::V4), &pairs);
        answer.expect("Access-Accept")
    };
    let answer = login("many@acme.example");
    for (tag, value) in &many {
        assert_eq!(answer.values(&format!("Tunnel-Password:{tag}")), [value], "{}", answer.output());
    }
    assert_eq!(login("one@acme.example").values("Tunnel-Password:31"), [password(1)]);
}

#[test]
fn pyrad_agrees() {
    let scene = Scene::new();
    let _freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[alice()]);
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/pyrad_login.py");
    let server = Family::V4.proxy().to_string();
    let login = |password: &str| {
        let secret = nas_secret(Family::V4);
        let program = Program::new("/usr/bin/python3").args([script, &server, &secret, "alice@acme.example", password]);
        program.finish(&scene.nas.namespace, "", PATIENCE)
    };
    let (right, wrong) = (login("wonderland"), login("looking-glass"));
    assert!(right.output.contains("code 2 message-authenticator verified"), "{}", right.output);
    assert!(wrong.output.contains("code 3 message-authenticator verified"), "{}", wrong.output);
}

#[test]
fn names_that_would_garble_a_log_are_forwarded_as_they_are_and_logged_harmlessly() {
    use sekisho_tests::home::ScriptedHome;
    let scene = Scene::new();
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let names: [&[u8]; 7] = [
        b"%n%s%d@acme.example",
        b"a\r\nERROR forged line@acme.example",
        b"\x1b[2J\x1b]0;title\x07@acme.example",
        b"a\0b@acme.example",
        b"\xff\xfe\xc3\x28@acme.example",
        "\u{202e}elpmaxe@acme.example".as_bytes(),
        b"\x9b2J@acme.example",
    ];
    for (id, name) in names.iter().enumerate() {
        let request = nas.request(1, id as u8, &[(1, name)]);
        assert_eq!(nas.ask(auth(Family::V4), &request).code().0, 2, "{name:?}");
        // In another customer's realm, and in an accounting record: what is refused is logged as well.
        let stranger =
            [name.split(|octet| *octet == b'@').next().unwrap_or_default(), b"@else\nwhere.example"].concat();
        nas.send(acct(Family::V4), &nas.request(4, id as u8, &[(1, &stranger), (40, &[0, 0, 0, 1]), (44, name)]));
    }
    nas.expect_silence(std::time::Duration::from_millis(200));
    assert_eq!(home.seen().iter().map(|asked| asked.values(1)[0].clone()).collect::<Vec<_>>(), names);
    let log = sekisho.process().log_octets();
    assert!(log.len() > 1000, "there is a log, at debug");
    let control = |octet: &u8| (*octet < 0x20 && *octet != b'\n') || *octet == 0x7f;
    let text = String::from_utf8(log).expect("a log is text, whatever came");
    assert!(!text.bytes().any(|octet| control(&octet)), "no control characters");
    assert!(!text.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c) || c == '\u{202e}'), "nor their cousins");
    assert!(!text.lines().any(|line| line.starts_with("ERROR forged") || line.starts_with("where.example")));
}

#[test]
fn a_home_server_of_two_families_is_reached_over_each() {
    let scene = Scene::new();
    let _freeradius = FreeRadius::start(&scene.home.namespace, &home1_secret(), &[alice()]);
    for family in Family::BOTH {
        let documents = sekisho_tests::documents::Documents::new(&[&scene.nas, &scene.home])
            .customer(acme(&scene.nas, "").proxy(&[Server::new("home1", scene.home.address(family), "")]));
        let _sekisho = Sekisho::start(&scene.network, &documents);
        let pairs = format!("{ALICE}, User-Password = wonderland");
        let answer = Radclient::default().login(&scene.nas, auth(Family::V6), &nas_secret(Family::V6), &pairs);
        answer.expect("Access-Accept");
    }
}
