//! Every fault is told at once, each where it stands and with its remedy.

use crate::common::{ACME, NODE, documents, other, with};

#[test]
fn a_fault_has_file_line_column_key_and_remedy() {
    let text = with(ACME, "\"192.0.2.1\"", "\"10.0.0.0/24\"");
    assert_eq!(
        documents(NODE, &[("acme", &text)]).faults(),
        [
            "customers/acme.toml:8:11: client[0].address: \"10.0.0.0/24\" is a network; a client contract is one terminal \
          with one address (service regulation, Art. 5.2). Give one address, and a contract of its own for each further \
          terminal."
        ]
    );
}

#[test]
fn all_faults_of_all_documents_are_told_by_file_and_line_with_their_count() {
    let node = with(&with(NODE, "1813", "0"), "eth1", "an-interface-name-too-long");
    let acme = with(&with(ACME, "acme.example", "acme example"), "192.0.2.100", "192.0.2.0/24");
    let documents = documents(&node, &[("acme", &acme), ("other", "[customer]\nnam = \"other\"\n")]);
    let places: Vec<String> =
        documents.faults().iter().map(|line| line.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        places,
        [
            "customers/acme.toml:5:10 realm[0].suffix",
            "customers/acme.toml:14:11 proxy[0].server[0].address",
            "customers/other.toml:1:1 customer.name",
            "customers/other.toml:2:1 customer.nam",
            "sekisho.toml:9:13 domain[0].ingress[1].interface",
            "sekisho.toml:13:14 listener[0].accounting",
        ]
    );
    assert!(documents.load().unwrap_err().to_string().ends_with("\n6 faults"));
}

#[test]
fn a_missing_key_is_told_where_its_table_begins() {
    let text = with(ACME, "address = \"192.0.2.1\"\n", "");
    let faults = documents(NODE, &[("acme", &text)]).faults();
    assert!(faults[0].starts_with("customers/acme.toml:6:1: client[0].address: is missing. Give"), "{faults:?}");
}

#[test]
fn a_column_counts_characters_not_octets() {
    let text = with(ACME, "suffix = \"acme.example\"", "\"suffix\" = \"東京 @例\"");
    let faults = documents(NODE, &[("acme", &text)]).faults();
    assert!(faults[0].starts_with("customers/acme.toml:5:12: realm[0].suffix: "), "{faults:?}");
    let inline = with(
        ACME,
        "[[realm]]\nsuffix = \"acme.example\"",
        "realm = [{ suffix = \"東京.example\" }, { sufix = \"a\" }]",
    );
    let inline = inline.replacen("[customer]\nname = \"acme\"\n", "", 1) + "[customer]\nname = \"acme\"\n";
    let faults = documents(NODE, &[("acme", &inline)]).faults();
    assert!(faults.iter().any(|fault| fault.starts_with("customers/acme.toml:2:39: realm[1].sufix")), "{faults:?}");
}

#[test]
fn an_unknown_key_is_refused_and_a_near_one_is_proposed() {
    let near = with(ACME, "contract = \"acme-nas\"", "contract = \"acme-nas\"\nrejct_delay = \"1s\"");
    let faults = documents(NODE, &[("acme", &near)]).faults();
    assert_eq!(
        faults,
        ["customers/acme.toml:8:1: client[0].rejct_delay: there is no such key here. Did you mean `reject_delay`?"]
    );
    let far = with(NODE, "[node]", "[node]\nreplication = true");
    let faults = documents(&far, &[]).faults();
    assert_eq!(
        faults,
        [
            "sekisho.toml:3:1: node.replication: there is no such key here. Take it out, or use one of: name, customers, \
          secrets, state, dictionaries, country_code, workers, log."
        ]
    );
}

#[test]
fn every_syntax_fault_is_told_and_the_other_documents_are_still_read() {
    let broken = with(&with(ACME, "name = \"acme\"", "name = acme"), "suffix = \"", "suffix == \"");
    let other = with(&other(), "other.example", "other@example");
    let faults = documents(NODE, &[("acme", &broken), ("other", &other)]).faults();
    assert!(faults[0].starts_with("customers/acme.toml:3:8: not TOML: "), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.starts_with("customers/acme.toml:5:9: not TOML: ")), "{faults:?}");
    assert!(faults.last().unwrap().starts_with("customers/other.toml:5:10: realm[0].suffix"), "{faults:?}");
}

#[test]
fn text_without_quotes_is_told_so() {
    for word in ["acme", "true-secret", "fine", "info", "7up"] {
        crate::common::customer_refused(
            "name = \"acme\"",
            &format!("name = {word}"),
            &["Write text in double quotes."],
        );
    }
}

#[test]
fn a_file_that_is_no_toml_at_all_is_not_told_line_by_line() {
    let documents = documents(NODE, &[("acme", ACME)]);
    documents.file("customers/users.toml", "root:x:0:0:root:/root:/bin/sh\n".repeat(1_000), 0o640);
    let faults = documents.faults();
    assert_eq!(faults.len(), 10);
    assert!(faults[9].contains("more like these below"), "{faults:?}");
}

#[test]
fn thousands_of_faults_in_one_document_are_placed_at_once() {
    let terminal = "[[client]]\ncontract = \"acme-nas\"\naddress = \"192.0.2.1\"\nsecret = \"secret of a terminal\"\n";
    let documents = documents(NODE, &[("acme", &(ACME.to_owned() + &terminal.repeat(10_000)))]);
    let begin = std::time::Instant::now();
    assert_eq!(documents.faults().len(), 20_000, "a name and an address each");
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}

#[test]
fn a_pipe_a_device_a_directory_and_a_monster_are_refused_without_being_read() {
    let documents = documents(NODE, &[("acme", ACME)]);
    let customers = documents.path().join("customers");
    std::os::unix::fs::symlink("/dev/zero", customers.join("device.toml")).unwrap();
    std::os::unix::fs::symlink("nothing", customers.join("dangling.toml")).unwrap();
    std::fs::create_dir(customers.join("directory.toml")).unwrap();
    std::fs::File::create(customers.join("monster.toml")).unwrap().set_len(1 << 40).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(customers.join("pipe.toml")).status().unwrap().success());
    let faults = documents.faults();
    let [dangling, device, directory, monster, pipe] = faults.as_slice() else { panic!("{faults:#?}") };
    for fault in [device, directory, pipe] {
        assert!(fault.contains("is no regular file"), "{fault}");
    }
    assert!(dangling.contains("dangling link"), "{dangling}");
    assert!(monster.contains("has 1099511627776 octets"), "{monster}");
}

#[test]
fn a_value_of_another_type_is_refused_with_the_way_to_write_it() {
    for (from, to, says) in [
        (
            "auth = 1812\naccounting",
            "auth = \"1812\"\naccounting",
            "should be a whole number, but is a string. Write it in digits",
        ),
        (
            "secrets = \"secrets\"",
            "secrets = 7",
            "should be a string, but is a whole number. Write it in double quotes.",
        ),
        (
            "[node]",
            "[xdp]\ninterfaces = \"eth0\"\n[node]",
            "should be a list of strings, but is a string. Write strings in",
        ),
        ("[node]", "[xdp]\ninterfaces = [1]\n[node]", "xdp.interfaces[0]: should be a string, but is a whole number"),
        ("[node]", "limits = true\n[node]", "should be a table, but is true or false. Begin it with [limits]."),
        ("[node]", "[probe]\n[node]", "should be a list of tables, but is a table. Begin each one with [[probe]]."),
        ("[[domain]]\n", "[[domain]]\nname2 = 1\n", "name2: there is no such key here. Did you mean `name`?"),
    ] {
        crate::common::node_refused(from, to, &[says]);
    }
}

#[test]
fn a_document_that_is_not_there_or_not_text_is_a_fault_without_a_line() {
    let documents = documents(NODE, &[("acme", ACME)]);
    documents.file("customers/latin.toml", b"[customer]\nname = \"caf\xe9\"\n", 0o640);
    let faults = documents.faults();
    assert_eq!(
        faults,
        ["customers/latin.toml: octet 23 is not UTF-8, which TOML is written in. Save the file as UTF-8."]
    );
    let nowhere = sekisho_config::load(&documents.path().join("nowhere"), &|_| None).unwrap_err();
    assert!(nowhere.faults[0].to_string().contains("nowhere: cannot be read (No such file"), "{nowhere}");
}

#[test]
fn a_node_without_its_directory_of_customers_is_refused_and_an_empty_one_is_warned_about() {
    let empty = documents(NODE, &[]);
    assert!(empty.warnings()[0].contains("holds no customer's document"), "{:?}", empty.warnings());
    let node = with(NODE, "[node]", "[node]\ncustomers = \"elsewhere\"");
    crate::common::refused(
        &documents(&node, &[]),
        &["sekisho.toml:3:13: node.customers: ", "elsewhere cannot be listed"],
    );
}

#[test]
fn only_toml_files_that_are_not_hidden_are_customers() {
    let documents = documents(NODE, &[("acme", ACME)]);
    for name in ["customers/acme.toml~", "customers/.acme.toml", "customers/README"] {
        documents.file(name, "not TOML", 0o640);
    }
    assert_eq!(crate::common::taken(&documents).1.len(), 1);
}
