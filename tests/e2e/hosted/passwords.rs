//! Every way of logging in with a password, at a registry's accounts.

use sekisho_tests::nas::{Answer, fresh_authenticator};
use sekisho_tests::network::{Family, auth};
use sekisho_tests::radclient::Radclient;
use sekisho_wire::attr;
use sekisho_wire::mschap::{mppe::Keys, nt::NtHash, v2};
use sekisho_wire::salted;
use sekisho_wire::secret::Secret;
use sekisho_wire::vendor::{MICROSOFT, sub_attributes, vendor};

use super::land::{ACCEPT, ACCOUNTS, ALICE, Land, PASSWORD, REJECT, group, rejected};
use crate::scene::nas_secret;

#[test]
fn pap_chap_and_ms_chap_let_in_who_knows_the_password_and_nobody_else() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let sekisho = service.run();
    let ways = [
        "User-Password = wonderland",
        "User-Password = wonderland, Message-Authenticator = 0x00",
        // Without CHAP-Challenge the Request Authenticator is the challenge (RFC 2865 §2.2).
        "CHAP-Password = wonderland",
        "CHAP-Password = wonderland, CHAP-Challenge = 0x000102030405060708090a0b0c0d0e0f",
        "MS-CHAP-Password = wonderland",
    ];
    for family in Family::BOTH {
        let login = |pairs: &str| {
            let pairs = format!("User-Name = {ALICE}, {pairs}");
            Radclient::default().login(&land.nas, auth(family), &nas_secret(family), &pairs)
        };
        for way in ways {
            // That of the other family would be without one from now on: a downgrade.
            let way = if way.contains("Message-Authenticator") {
                way.to_owned()
            } else {
                format!("{way}, Message-Authenticator = 0x00")
            };
            let answer = login(&way).expect("Access-Accept");
            assert_eq!(answer.values("MS-CHAP-MPPE-Keys").len(), usize::from(way.contains("MS-CHAP")), "{way}");
            let answer = login(&way.replace("wonderland", "looking-glass")).expect("Access-Reject");
            assert_eq!(answer.values("MS-CHAP-Error").len(), usize::from(way.contains("MS-CHAP")), "{way}");
            assert!(answer.values("Reply-Message").is_empty(), "{way}");
        }
    }
    let metrics = sekisho.metrics();
    assert_eq!(metrics.sum("sekisho_group_accepts_total", &[]), 10);
    assert_eq!(rejected(&sekisho, "password"), 10);
    sekisho.assert_every_packet_is_counted_once();
}

#[test]
fn a_nas_without_message_authenticators_logs_in_by_every_way_as_well() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let _sekisho = service.run();
    for way in ["User-Password = wonderland", "CHAP-Password = wonderland", "MS-CHAP-Password = wonderland"] {
        let login = |pairs: &str| {
            let pairs = format!("User-Name = {ALICE}, {pairs}");
            Radclient::default().login(&land.nas, auth(Family::V4), &nas_secret(Family::V4), &pairs)
        };
        login(way).expect("Access-Accept");
        login(&way.replace("wonderland", "looking-glass")).expect("Access-Reject");
    }
}

#[test]
fn ms_chap_v2_gives_the_proof_and_the_keys_that_freeradius_gives() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let _sekisho = service.run();
    // The challenges of RFC 2759 §9.2; what FreeRADIUS answers for this name and password stands in `logins`.
    let pairs = format!(
        "User-Name = {ALICE}\nMS-CHAP-Challenge = 0x5b5d7c7d7b3f2f3e3c2c602132262628\nMS-CHAP2-Response = \
         0x010021402324255e262a28295f2b3a337c7e0000000000000000ea35454e5cdacdccc0efb183cfdd8bb426425e30037b7425\n"
    );
    let proof: String = "S=2A372587586826BB6ED8EB80BF3FE70DF9B2F0C3".bytes().map(|c| format!("{c:02x}")).collect();
    for family in Family::BOTH {
        let login = |pairs: &str| Radclient::default().login(&land.nas, auth(family), &nas_secret(family), pairs);
        let answer = login(&pairs).expect("Access-Accept");
        assert_eq!(answer.values("MS-CHAP2-Success"), [format!("0x01{proof}")]);
        assert_eq!(answer.values("MS-MPPE-Recv-Key"), ["0x6548ac6aef49a67ea1a9b6b333e0d37d"]);
        assert_eq!(answer.values("MS-MPPE-Send-Key"), ["0xe4382f1f5e0e4b2bae176a3543d3cb4d"]);
        let answer = login(&pairs.replace("7b7425", "7b7426")).expect("Access-Reject");
        assert_eq!(answer.values("MS-CHAP-Error").len(), 1);
        assert!(answer.values("MS-CHAP2-Success").is_empty());
    }
}

/// The value of Microsoft's sub-attribute of this kind.
fn microsoft(answer: &Answer, kind: u8) -> Option<Vec<u8>> {
    let values = answer.values(attr::VENDOR_SPECIFIC);
    let ours = values.iter().filter(|value| vendor(value) == Some(MICROSOFT));
    ours.filter_map(|value| sub_attributes(value)).flatten().find(|(it, ..)| *it == kind).map(|(.., it)| it.to_vec())
}

#[test]
fn any_ms_chap_v2_login_gets_its_proof_and_keys_that_only_its_nas_can_read() {
    let land = Land::new();
    let password = "pässwörd, 日本語 or 🗝";
    let service = land.service(&group(), &format!("user,password\nalice,\"{password}\"\n"));
    let _sekisho = service.run();
    let terminal = land.terminal();
    let secret = Secret::new(nas_secret(Family::V4)).unwrap();
    let hash = NtHash::of(password.as_bytes()).unwrap();
    for ident in 0..20 {
        let (challenge, peer) = (fresh_authenticator(), fresh_authenticator());
        let nt = v2::nt_response(&challenge, &peer, ALICE.as_bytes(), &hash);
        let response = [&[ident, 0][..], &peer, &[0; 8], &nt].concat();
        let attributes = |response: &[u8]| {
            let [challenge, response] = [(11, &challenge[..]), (25, response)]
                .map(|(kind, value)| [&MICROSOFT.to_be_bytes()[..], &[kind, value.len() as u8 + 2], value].concat());
            terminal.nas().request(1, terminal.id(), &[(1, ALICE.as_bytes()), (26, &challenge), (26, &response)])
        };
        let request = attributes(&response);
        let answer = terminal.nas().ask(auth(Family::V4), &request);
        assert_eq!(answer.code().0, ACCEPT);
        let parsed = v2::Response::parse(&response).unwrap();
        let success = v2::verify(&challenge, &parsed, ALICE.as_bytes(), &hash).expect("right");
        assert_eq!(microsoft(&answer, 26), Some([&[ident][..], &success.message()].concat()), "MS-CHAP2-Success");
        let authenticator = request[4..20].try_into().unwrap();
        let mut fields = [17, 16].map(|kind| microsoft(&answer, kind).expect("a key"));
        assert_ne!(fields[0][..2], fields[1][..2], "two salts");
        let [receive, send] =
            fields.each_mut().map(|it| salted::decrypt(it, &secret, &authenticator).unwrap().to_vec());
        let msk = Keys::of(&hash, &nt).msk();
        assert_eq!([receive, send].concat(), &msk[..32], "RFC 3079 §3");

        let mut wrong = response.clone();
        wrong[26 + usize::from(ident)] ^= 1;
        let answer = terminal.nas().ask(auth(Family::V4), &attributes(&wrong));
        assert_eq!((answer.code().0, microsoft(&answer, 17)), (REJECT, None));
    }
}

#[test]
fn passwords_of_every_length_are_compared_to_their_last_octet() {
    let land = Land::new();
    let long = |length: usize| "abcdefghijklmnopqrstuvwxyz".chars().cycle().take(length).collect::<String>();
    let lengths = [1, 15, 16, 17, 32, 127, 128];
    let rows: String = lengths.iter().map(|length| format!("user{length},{}\n", long(*length))).collect();
    let service = land.service(&group(), &format!("user,password\n{rows}"));
    let _sekisho = service.run();
    let terminal = land.terminal();
    for length in lengths {
        let (user, password) = (format!("user{length}@acme.example"), long(length));
        assert_eq!(terminal.code(&user, &password), ACCEPT, "{length}");
        let shorter = &password[..length - 1];
        let other = format!("{shorter}!");
        for wrong in [shorter, other.as_str()] {
            assert_eq!(terminal.code(&user, wrong), REJECT, "{length}: {wrong}");
        }
        if length < 128 {
            assert_eq!(terminal.code(&user, &long(length + 1)), REJECT, "{length}");
        }
    }
}

#[test]
fn what_the_contract_does_not_allow_is_refused_however_right_it_is() {
    let land = Land::new();
    let service = land.service(&group().key("protocols = [\"chap\"]"), ACCOUNTS);
    let sekisho = service.run();
    let login = |pairs: &str| {
        let pairs = format!("User-Name = {ALICE}, {pairs}, Message-Authenticator = 0x00");
        Radclient::default().login(&land.nas, auth(Family::V4), &nas_secret(Family::V4), &pairs)
    };
    login(&format!("CHAP-Password = {PASSWORD}")).expect("Access-Accept");
    for way in ["User-Password", "MS-CHAP-Password"] {
        login(&format!("{way} = {PASSWORD}")).expect("Access-Reject");
    }
    login("Calling-Station-Id = 1").expect("Access-Reject");
    assert_eq!(rejected(&sekisho, "protocol"), 3);
}
