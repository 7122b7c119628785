//! Subscribers' passwords are nowhere but in memory and in what the operator asks for in so many words.

use std::path::Path;

use sekisho_tests::documents::client_secret;
use sekisho_tests::eapol::{Device, Method};
use sekisho_tests::network::{Family, auth};
use sekisho_tests::process::Finished;
use sekisho_tests::radclient::Radclient;
use sekisho_tests::service::Group;
use sekisho_tests::wait::within;

use super::land::{GROUP, Land};
use crate::scene::nas_secret;

/// Passwords that subscribers have, or try. None is part of a word that could be anywhere for another reason.
const KEPT: &str = "Kingfisher-0417-Teal";
const CHANGED: &str = "Heron-8852-Slate";
const HASHED: &str = "Cormorant-3390-Ink";
const WRONG: &str = "Pelican-7716-Rose";
const REFUSED: &str = "Gannet-2208-Chalk";

const ALL: [&str; 5] = [KEPT, CHANGED, HASHED, WRONG, REFUSED];

/// Fails the test if one of the secrets stands in these octets, as text or in hexadecimal digits.
#[track_caller]
fn is_clean(octets: &[u8], what: &str, secrets: &[&str]) {
    for secret in secrets {
        let digits: String = secret.bytes().map(|octet| format!("{octet:02x}")).collect();
        let wide: Vec<u8> = secret.bytes().flat_map(|octet| [octet, 0]).collect();
        for form in [secret.as_bytes(), digits.as_bytes(), digits.to_uppercase().as_bytes(), &wide] {
            let found = octets.windows(form.len()).any(|part| part == form);
            assert!(!found, "{what} has {secret}:\n{}", String::from_utf8_lossy(octets));
        }
    }
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory").map(|it| it.expect("an entry").path()) {
        if entry.is_dir() { found.extend(files(&entry)) } else { found.push(entry) }
    }
    found
}

#[test]
fn no_password_is_in_a_log_an_error_a_metric_a_page_a_file_or_an_export_without_secrets() {
    let land = Land::new();
    let group = Group::new(GROUP, 10).key("realms = [\"acme.example\"]");
    let hashes = Group::new("acme-hashes", 10).key("realms = [\"hash.example\"]\npasswords = \"argon2id\"");
    let service = sekisho_tests::service::Service::new(
        &land.network,
        sekisho_tests::documents::Documents::new(&[&land.nas]).limit("client_rate", 0),
        "max_failures = 3",
    );
    service.serve(&land.acme(&group).group(&hashes).realm("suffix = \"hash.example\""));
    let mut printed: Vec<(String, String)> = Vec::new();
    let say = |words: &[&str], finished: Finished, printed: &mut Vec<(String, String)>| {
        printed.push((words.join(" "), finished.output));
    };
    let csv = |name: &str, text: &str| service.documents().write_beside(name, text).display().to_string();
    let inputs = [
        csv("kept.csv", &format!("user,password\nalice,{KEPT}\nbob,{KEPT}\n")),
        csv("hashed.csv", &format!("user,password\ncarol,{HASHED}\n")),
        csv(
            "faulty.csv",
            &format!(
                "user,password,expires,enabled\nalice,{REFUSED},{REFUSED},perhaps\n,{REFUSED},,\nalice,{REFUSED}\n"
            ),
        ),
        csv(
            "faulty",
            &format!("alice Cleartext-Password := \"{REFUSED}\", Nonsense = 1\n\tReply-Message = {REFUSED}!!\n"),
        ),
        csv("too-long.csv", &format!("user,password\nalice,{}\n", REFUSED.repeat(20))),
    ];
    let imports: [&[&str]; 5] = [
        &["accounts", "import", "--contract", GROUP, &inputs[0]],
        &["accounts", "import", "--contract", "acme-hashes", &inputs[1]],
        &["accounts", "import", "--contract", GROUP, &inputs[2]],
        &["accounts", "import", "--contract", GROUP, "--format", "users", &inputs[3]],
        &["accounts", "import", "--contract", GROUP, &inputs[4]],
    ];
    for (n, words) in imports.into_iter().enumerate() {
        let finished = service.tries(words);
        assert_eq!(finished.status.success(), n < 2, "{}: {}", words.join(" "), finished.output);
        say(words, finished, &mut printed);
    }
    let sekisho = service.run();

    let radclient = Radclient::default();
    let login = |pairs: &str| radclient.login(&land.nas, auth(Family::V4), &nas_secret(Family::V4), pairs);
    let ma = "Message-Authenticator = 0x00";
    for way in ["User-Password", "CHAP-Password", "MS-CHAP-Password"] {
        login(&format!("User-Name = alice@acme.example, {way} = {KEPT}, {ma}")).expect("Access-Accept");
        login(&format!("User-Name = alice@acme.example, {way} = {WRONG}, {ma}")).expect("Access-Reject");
        login(&format!("User-Name = nobody@acme.example, {way} = {WRONG}, {ma}")).expect("Access-Reject");
    }
    login(&format!("User-Name = carol@hash.example, User-Password = {HASHED}, {ma}")).expect("Access-Accept");
    login(&format!("User-Name = carol@hash.example, User-Password = {WRONG}, {ma}")).expect("Access-Reject");
    for method in [Method::MsChapV2, Method::Md5] {
        let device = |password| Device::new(method, "bob@acme.example", password);
        device(KEPT).login(&land.nas, auth(Family::V4), &nas_secret(Family::V4)).expect_success();
        device(WRONG).login(&land.nas, auth(Family::V4), &nas_secret(Family::V4)).expect_refusal();
    }
    let set = ["accounts", "set", "--contract", GROUP, "bob", "--password-file", "-"];
    say(&set, service.tries_with(&set, CHANGED), &mut printed);
    let terminal = land.terminal();
    terminal.comes_to(super::land::ACCEPT, "bob@acme.example", CHANGED);

    // The mirror is written a little later than what it is of.
    let mirrored = within(std::time::Duration::from_secs(40), || {
        files(&service.state()).iter().any(|it| it.ends_with("registry-mirror")).then_some(())
    });
    assert!(mirrored.is_some(), "a mirror: {:?}", files(&service.state()));
    let backup = service.state().join("backup").display().to_string();
    let commands: [&[&str]; 7] = [
        &["registry", "backup", &backup],
        &["accounts", "list", "--contract", GROUP],
        &["accounts", "list", "--contract", GROUP, "--json"],
        &["accounts", "export", "--contract", GROUP],
        &["get", "history"],
        &["get", "history", "--json"],
        &["export", "acme"],
    ];
    for words in commands {
        let finished = service.tries(words);
        assert!(finished.status.success(), "{}: {}", words.join(" "), finished.output);
        is_clean(finished.output.as_bytes(), &words.join(" "), &[&client_secret("acme-nas-4")]);
        say(words, finished, &mut printed);
    }
    for words in [&["status"][..], &["status", "--json"]] {
        say(words, sekisho.command(words), &mut printed);
    }
    for (words, output) in &printed {
        is_clean(output.as_bytes(), words, &ALL);
    }
    for path in ["/status", "/metrics", "/sessions"] {
        if let Ok(answer) = sekisho_tests::http::ask(&land.network.proxy, sekisho_tests::sekisho::admin(), "GET", path)
        {
            is_clean(answer.body.as_bytes(), path, &ALL);
        }
    }
    let log = sekisho.log();
    assert!(log.contains("DEBUG"), "the log tells much");
    is_clean(log.as_bytes(), "the log", &ALL);
    sekisho.stop();
    let kept = files(&service.state());
    assert!(kept.iter().any(|it| it.ends_with("registry.db")), "{kept:?}");
    for file in kept {
        let octets = std::fs::read(&file).expect("a file");
        let name = file.display().to_string();
        is_clean(&octets, &name, &ALL);
        is_clean(&octets, &name, &[&client_secret("acme-nas-4")]);
    }
    // And they are there where they are asked for.
    let exported = service.does(&["accounts", "export", "--contract", GROUP, "--secrets"]);
    assert!(exported.contains(KEPT) && exported.contains(CHANGED), "{exported}");
}
