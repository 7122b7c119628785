//! Whatever stands in a document, loading it ends in an answer.

use std::path::Path;

use crate::common::{ACME, HOSTED, NODE, OPERATOR, documents, with};
use sekisho_config::{Text, Texts, dictionary::Dictionary, kind_of, load_documents, load_node};

/// A customer with a table of every kind.
fn acme() -> String {
    let realms = "[[realm]]\npattern = '^([a-z]+\\.)*acme\\.example$'\nname = \"all\"\n[[realm]]\ndefault = true\n";
    let more = "[[proxy.fallback]]\ntype = \"keyed-balance\"\nkey = \"Calling-Station-Id\"\n[[proxy.fallback.server]]\n\
                name = \"b\"\naddress = \"home.acme.example\"\nsecret = \"a secret of sixteen\"\n[[policy]]\nname = \"p\"\n\
                allow = [\"User-Name\"]\nremove = [\"Cisco-AVPair=vpdn:*\"]\n[policy.add]\n\"Framed-IP-Address\" = \"192.0.2.7\"\n\
                \"Filter-Id\" = { from = \"User-Name\" }\n[[dynauth]]\nname = \"d\"\naddress = \"192.0.2.9\"\n\
                secret = \"another secret of sixteen\"\n[[lns]]\nname = \"l\"\naddress = \"192.0.2.11\"\nmax_sessions = 5\n\
                tunnel_password = \"password of the tunnel\"\nsecret = \"a third secret of sixteen\"\nprobe = \"l2tp-auth\"\n\
                [[lns]]\nname = \"m\"\naddress = \"lns.acme.example\"\n[[vpdn]]\ncontract = \"v\"\ntype = \"D\"\n\
                lns = [\"l\"]\nreply = { \"Session-Timeout\" = 60 }\ninterim_interval = \"5m\"\nfull_message = \"full\"\n\
                [vpdn.load_balancing]\nstrategy = \"least-sessions\"\nsticky = \"1h\"\n[[vpdn.load_balancing.tier]]\nlns = [\"m\"]\n";
    format!(
        "{}{more}",
        ACME.replace("[[client]]", &format!("{realms}[[client]]\nreply_policy = \"p\"\ndynauth = 3799"))
    )
}

/// A node with an access network and limits.
fn node() -> String {
    let network = "[limits]\nclient_rate = 100\nclient_burst = 200\n[[access_network]]\nname = \"carrier\"\ntype = \"D\"\n\
                   addresses = [\"203.0.113.1\", \"198.18.0.0/24\", \"2001:db8:1::/48\"]\nsecret = \"secret of the carrier\"\n\
                   session_identity = [\"3GPP-IMSI\", \"User-Name\"]\nrealms_by = [\"apn\", \"suffix\"]\nlookup = \"dnis\"\n\
                   default_realms = { iot = \"acme.example\" }\nprobe_users = [\"keepalive\"]\ntunnel_sets = \"cisco-avpair\"\n\
                   [journal]\nmax_size = 1024\n[sessions]\nshort = \"1s\"\n[l2tp]\nipv4 = \"198.51.100.3\"\n";
    format!("{NODE}{network}")
}

/// Changes a text in a few places, the same in every run.
fn mangle(text: &str, pieces: &[&str], below: &mut impl FnMut(usize) -> usize) -> String {
    let mut mangled = text.to_owned();
    for _ in 0..=below(3) {
        let mut at = below(mangled.len() + 1);
        while !mangled.is_char_boundary(at) {
            at -= 1;
        }
        match below(8) {
            0..4 => mangled.insert_str(at, pieces[below(pieces.len())]),
            4..7 if at < mangled.len() => drop(mangled.remove(at)),
            _ => mangled.truncate(at),
        }
    }
    mangled
}

/// Numbers below a bound. xorshift64: any sequence will do, and this one is the same in every run.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    move |bound| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % bound as u64).unwrap()
    }
}

#[test]
fn a_mangled_document_is_answered_with_faults_or_taken_and_never_with_a_panic() {
    let mut below = numbers();
    let pieces =
        ["\"", "[", "]", "[[", "=", "\n", "{", "}", "'''", "\u{0}", "東", "-1", ".", "#", "\\", "1e9", "[[proxy]]\n"];
    let (node, acme) = (node(), acme());
    let documents = documents(&node, &[("acme", &acme)]);
    assert!(documents.load().is_ok());
    let mut taken = 0;
    for round in 0..1_000 {
        let (name, text) =
            if round % 2 == 0 { ("sekisho.toml", node.as_str()) } else { ("customers/acme.toml", acme.as_str()) };
        let mangled = mangle(text, &pieces, &mut below);
        documents.file(name, &mangled, 0o640);
        match documents.load() {
            Ok(_) => taken += 1,
            Err(faults) => {
                assert!(!faults.faults.is_empty(), "{mangled}");
                let findings = || faults.faults.iter().chain(&faults.warnings);
                assert!(findings().all(|it| !it.message.is_empty() && it.remedy.ends_with(['.', '?'])), "{faults:?}");
            }
        }
        documents.file(name, text, 0o640);
    }
    assert!((1..1_000).contains(&taken), "{taken} of 1000 were taken");
}

#[test]
fn a_mangled_document_of_the_registry_is_answered_with_faults_or_taken_and_never_with_a_panic() {
    let mut below = numbers();
    let pieces = ["\"", "[", "]", "[[", "=", "\n", "{", "}", "東", "-1", ".", "2027-01-31", "://", "@", "[[group]]\n"];
    let node = format!("{}[registry]\ndatabase = \"postgresql://u:p@db/r\"\n[hosted]\nlock = \"1m\"\n", node());
    let acme = with(HOSTED, "name = \"acme\"\n", "name = \"acme\"\nprivate_gateway = true\nrestrictions = [\"r\"]\n")
        + "passwords = \"recoverable\"\nprotocols = [\"pap\", \"chap\"]\nreply = { \"Session-Timeout\" = 60 }\n\
           fees = { initial = 1, monthly = 2, change = 3 }\nprerequisites = [\"p\"]\n[[mobile]]\ntype = \"K\"\n\
           plan = \"flat\"\nfrom = 2027-01-31\nuntil = \"2027-02-28\"\n";
    let documents = documents(&node, &[]);
    let mut taken = 0;
    for round in 0..1_000 {
        let mut texts = [acme.clone(), OPERATOR.to_owned(), node.clone()];
        let text = &mut texts[round % 3];
        *text = mangle(text, &pieces, &mut below);
        let [customer, operator, node] = texts;
        documents.file("sekisho.toml", &node, 0o640);
        let (customer, operator) = (Text::new("acme", customer), Text::new("operator", operator));
        let _ = (kind_of(&customer), kind_of(&operator), load_node(documents.path(), &|_| None));
        let texts = Texts { customers: vec![customer], operator: Some(operator), node: None };
        match load_documents(documents.path(), &texts, &|_| None) {
            Ok((_, customers, _)) => {
                taken += 1;
                // A document that says more than one contract for a realm may be refused here, and nothing else happens.
                let _ = customers[0].only(&|_| true, &|_| None).map(|customer| customer.terms());
            }
            Err(faults) => assert!(faults.faults.iter().all(|it| !it.message.is_empty() && !it.remedy.is_empty())),
        }
    }
    assert!((1..1_000).contains(&taken), "{taken} of 1000 were taken");
}

#[test]
fn a_mangled_dictionary_is_answered_with_faults_or_taken_and_never_with_a_panic() {
    let text = "VENDOR Ours 32473 format=1,1\nBEGIN-VENDOR Ours\nATTRIBUTE Ours-Plan 1 integer has_tag,encrypt=2\n\
                VALUE Ours-Plan Gold 0x10\nEND-VENDOR Ours\nATTRIBUTE Extended 241.7 octets[3] # so\nBEGIN-TLV X\nEND-TLV X\n";
    let pieces =
        [" ", "\n", "#", ".", ",", "=", "0x", "-1", "99999999999999999999", "東", "ATTRIBUTE X 1 string\n", "\u{0}"];
    let mut below = numbers();
    let mut taken = 0;
    for _ in 0..200 {
        let mangled = mangle(text, &pieces, &mut below);
        match Dictionary::parse(Path::new("mangled.dictionary"), &mangled) {
            Ok(_) => taken += 1,
            Err(faults) => assert!(!faults.faults.is_empty(), "{mangled}"),
        }
    }
    assert!((1..200).contains(&taken), "{taken} of 200 were taken");
}
