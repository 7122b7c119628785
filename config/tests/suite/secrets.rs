//! Where secrets come from, what is refused, and that none is ever shown.

use std::os::unix::fs::symlink;

use crate::common::{
    ACME, BALANCED, NODE, TUNNEL, carriers, customer_refused, documents, other, refused, taken, tunnel_refused,
    tunnel_taken, tunnel_warned, with,
};

const INLINE: &str = "secret = \"secret of acme's terminal\"";

/// The customer with its terminal's secret given in another way.
fn acme(secret: &str) -> String {
    with(ACME, INLINE, secret)
}

#[test]
fn a_secret_is_the_same_whether_inline_in_a_file_or_in_the_environment() {
    let inline = taken(&documents(NODE, &[("acme", &acme("secret = \"from the environment\""))]));
    let env = taken(&documents(NODE, &[("acme", &acme("secret_env = \"ACME_SECRET\""))]));
    assert!(inline.1[0].clients[0].secret == env.1[0].clients[0].secret);
    for ending in ["", "\n", "\r\n"] {
        let documents = documents(NODE, &[("acme", &acme("secret_file = \"acme\""))]);
        documents.file("secrets/acme", format!("from the environment{ending}"), 0o600);
        assert!(inline.1[0].clients[0].secret == taken(&documents).1[0].clients[0].secret);
        assert!(documents.warnings().is_empty());
    }
}

#[test]
fn a_secret_file_may_hold_any_octets_and_loses_one_line_ending_only() {
    let documents = documents(NODE, &[("acme", &acme("secret_file = \"acme\""))]);
    documents.file("secrets/acme", b"\xff\x00 sixteen octets and more\n\n", 0o600);
    let first = taken(&documents).1.remove(0).clients.remove(0).secret;
    documents.file("secrets/acme", b"\xff\x00 sixteen octets and more\n", 0o600);
    assert!(first != taken(&documents).1.remove(0).clients.remove(0).secret);
}

#[test]
fn exactly_one_way_is_given() {
    customer_refused(
        INLINE,
        "",
        &["client[0].secret: is missing. Give one of `secret`, `secret_file` and `secret_env`."],
    );
    let two = format!("{INLINE}\nsecret_env = \"ACME_SECRET\"");
    customer_refused(
        INLINE,
        &two,
        &["client[0].secret_env: stands beside `secret`, so there are two. Keep one of them."],
    );
    customer_refused(INLINE, "secret = \"\"", &["client[0].secret: is empty"]);
    customer_refused(
        INLINE,
        "secret_env = \"NOWHERE\"",
        &["secret_env: the environment variable of this name is not set"],
    );
}

#[test]
fn a_secret_file_stands_below_the_directory_for_secrets() {
    for path in ["../sekisho.toml", "/etc/hostname", "down/../../sekisho.toml"] {
        let documents = documents(NODE, &[("acme", &acme(&format!("secret_file = {path:?}")))]);
        refused(
            &documents,
            &["client[0].secret_file: the path leads out of the directory for secrets. Put the file below "],
        );
    }
    let linked = documents(NODE, &[("acme", &acme("secret_file = \"link\""))]);
    linked.file("elsewhere", "a secret of sixteen", 0o600);
    symlink(linked.path().join("elsewhere"), linked.path().join("secrets/link")).unwrap();
    refused(&linked, &["leads out of the directory for secrets"]);
    let within = documents(NODE, &[("acme", &acme("secret_file = \"link\""))]);
    within.file("secrets/real", "a secret of sixteen", 0o600);
    symlink("real", within.path().join("secrets/link")).unwrap();
    taken(&within);
}

#[test]
fn a_secret_file_needs_the_directory_and_must_be_a_readable_file() {
    let none = with(NODE, "secrets = \"secrets\"", "");
    refused(
        &documents(&none, &[("acme", &acme("secret_file = \"acme\""))]),
        &["Give `secrets` under [node] in sekisho.toml."],
    );
    let absent = documents(NODE, &[("acme", &acme("secret_file = \"acme\""))]);
    refused(&absent, &["secret_file: the file cannot be read (No such file or directory"]);
    refused(&documents(NODE, &[("acme", &acme("secret_file = \".\""))]), &["is no file of at most"]);
    let empty = documents(NODE, &[("acme", &acme("secret_file = \"acme\""))]);
    empty.file("secrets/acme", "\n", 0o600);
    refused(&empty, &["client[0].secret_file: is empty"]);
}

#[test]
fn a_file_that_everybody_can_read_is_warned_about() {
    let documents = documents(NODE, &[("acme", &acme("secret_file = \"acme\""))]);
    documents.file("secrets/acme", "a secret of sixteen", 0o644);
    assert!(
        documents.warnings()[0]
            .contains("secret_file: every user of this machine can read the file. Take the permission")
    );
}

#[test]
fn a_short_secret_is_warned_about() {
    let warnings = documents(NODE, &[("acme", &acme("secret = \"fifteen octets.\""))]).warnings();
    assert!(warnings[0].contains("client[0].secret: the secret has 15 octets"), "{warnings:?}");
    assert!(documents(NODE, &[("acme", &acme("secret = \"sixteen octets..\""))]).warnings().is_empty());
}

#[test]
fn two_customers_never_share_a_secret() {
    let thief = with(&other(), "secret of other's server", "secret of acme's terminal");
    let documents = documents(NODE, &[("acme", ACME), ("other", &thief)]);
    refused(
        &documents,
        &[
            "customers/other.toml:15:10: proxy[0].server[0].secret: the secret is another customer's too, at ",
            "acme.toml:9. ",
        ],
    );
}

#[test]
fn one_customer_may_use_a_secret_twice() {
    taken(&documents(NODE, &[("acme", &acme("secret = \"secret of acme's server\"")), ("other", &other())]));
}

/// The customer with keys at its LNS.
fn lns(keys: &str) -> String {
    with(TUNNEL, "name = \"tokyo\"\n", &format!("name = \"tokyo\"\n{keys}\n"))
}

#[test]
fn a_tunnel_password_is_no_other_customers_and_may_be_all_of_ones_own_lnss() {
    let password = "tunnel_password = \"password of the tunnel\"";
    let (acme, other) = (lns(password), lns(password).replace("acme", "other").replace("192.0.2.11", "192.0.2.21"));
    let says = "lns[0].tunnel_password: the secret is another customer's too, at ";
    refused(&documents(&carriers(), &[("acme", &acme), ("other", &other)]), &["customers/other.toml:", says]);
    let network = lns("tunnel_password = \"secret of the carrier\"");
    tunnel_refused(&network, &["lns[0].tunnel_password: the secret is an access network's too, at "]);
    let source = "secret = \"secret of the LNS itself\"";
    let (acme, other) = (lns(source), lns(source).replace("acme", "other").replace("192.0.2.11", "192.0.2.21"));
    let says = "lns[0].secret: the secret is another customer's too, at ";
    refused(&documents(&carriers(), &[("acme", &acme), ("other", &other)]), &[says]);
    let alike = with(BALANCED, "\"192.0.2.11\"", &format!("\"192.0.2.11\"\n{password}"));
    tunnel_taken(&with(&alike, "\"192.0.2.12\"", &format!("\"192.0.2.12\"\n{password}")));
}

#[test]
fn a_tunnel_password_is_given_and_warned_about_as_a_secret_is() {
    let says = "lns[0].tunnel_password: the tunnel password has 15 octets, and one so short can be guessed";
    tunnel_warned(&lns("tunnel_password = \"fifteen octets.\""), &[says, "openssl rand -base64 24"]);
    tunnel_warned(&lns("tunnel_password = \"sixteen octets..\""), &[]);
    let password = |keys: &str| tunnel_taken(&lns(keys)).lnss.remove(0).tunnel_password.unwrap();
    assert!(
        password("tunnel_password = \"from the environment\"") == password("tunnel_password_env = \"ACME_SECRET\"")
    );
    let file = documents(&carriers(), &[("acme", &lns("tunnel_password_file = \"tunnel\""))]);
    file.file("secrets/tunnel", "from the environment\n", 0o644);
    let warnings = file.warnings();
    assert!(warnings[0].contains("lns[0].tunnel_password_file: every user of this machine can read"), "{warnings:?}");
    assert_eq!(taken(&file).1[0].lnss[0].tunnel_password.as_ref().unwrap().expose(), b"from the environment");
    let marked = format!("{:?}", password("tunnel_password = \"hunter2 hunter2 hunter2\""));
    assert!(!marked.contains("hunter2"), "{marked}");
    let twice =
        documents(&carriers(), &[("acme", &lns("tunnel_password = \"hunter2\"\ntunnel_password_file = \"hunter2\""))]);
    assert!(!twice.load().unwrap_err().to_string().contains("hunter2"));
}

#[test]
fn no_fault_and_no_debug_output_shows_a_secret() {
    let marked = "hunter2 hunter2 hunter2";
    let debug = format!("{:?}", taken(&documents(NODE, &[("acme", &acme(&format!("secret = {marked:?}")))])));
    assert!(!debug.contains("hunter2"), "{debug}");
    for wrong in [
        format!("secret = {marked:?} {marked:?}"),
        format!("secret = \"{marked}"),
        format!("secret = {marked}"),
        format!("secret = [{marked:?}]"),
        format!("secret_file = {marked:?}"),
        format!("secret_env = {marked:?}"),
        format!("secret = {marked:?}\nsecret_env = {marked:?}"),
        format!("secret = {marked:?}\nsecret = {marked:?}"),
    ] {
        let faults = documents(NODE, &[("acme", &acme(&wrong))]).load().unwrap_err();
        assert!(!faults.to_string().contains("hunter2"), "{faults}");
        assert!(!format!("{faults:?}").contains("hunter2"), "{faults:?}");
    }
    let probe =
        with(NODE, "[node]", "[[probe]]\nuser = \"a\"\npassword = \"hunter2\"\npassword_env = \"hunter2\"\n[node]");
    assert!(!documents(&probe, &[]).load().unwrap_err().to_string().contains("hunter2"));
}
