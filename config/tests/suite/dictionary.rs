//! Attributes by name: what is built in, and what an operator's dictionary adds to it.

use std::path::Path;

use sekisho_config::dictionary::{Dictionary, Encrypt, Kind, Lead};
use sekisho_wire::select::AttributeId;

/// The dictionaries with one of an operator's that is sound.
fn with_text(text: &str) -> Dictionary {
    Dictionary::parse(Path::new("my.dictionary"), text).unwrap_or_else(|faults| panic!("{faults}")).0
}

/// The warnings about an operator's dictionary.
fn warnings(text: &str) -> Vec<String> {
    Dictionary::parse(Path::new("my.dictionary"), text).unwrap().1.iter().map(ToString::to_string).collect()
}

/// The one fault of an operator's dictionary.
#[track_caller]
fn fault(text: &str) -> String {
    let faults = Dictionary::parse(Path::new("my.dictionary"), text).unwrap_err().faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].to_string()
}

/// What an operator reads.
const PAGE: &str = include_str!("../../../docs/dictionaries.md");

#[test]
fn the_page_is_true() {
    let (_, example) = PAGE.split_once("```\nVENDOR").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let example = format!("VENDOR{example}");
    assert!(warnings(&example).is_empty());
    assert_eq!(with_text(&example).find("example-plan").unwrap().values["silver"], 2);
    assert!(with_text(&example).salted().any(|it| it == (32473, 2)));

    let part = |heading: &str| PAGE.split_once(&format!("\n## {heading}\n")).unwrap().1.split("\n## ").next().unwrap();
    let first = |line: &'static str| line.strip_prefix("| ").and_then(|line| line.split(" | ").next());
    let codes = |cell: &'static str| cell.split('`').skip(1).step_by(2);
    for kind in part("Types").lines().filter_map(first).filter(|cell| !cell.starts_with("`octets`")).flat_map(codes) {
        let dictionary = with_text(&format!("ATTRIBUTE X 200 {kind}\n"));
        assert_ne!(dictionary.find("X").unwrap().kind, Kind::Octets, "{kind}");
    }
    for flag in part("Flags").lines().filter_map(first).flat_map(codes) {
        with_text(&format!("ATTRIBUTE X 200 string {flag}\n"));
    }
    for line in part("Lines").lines().filter_map(first).flat_map(codes).filter(|line| *line != "# …") {
        let keyword = line.split(' ').next().unwrap();
        assert!(!fault(&format!("{keyword} ")).contains("is no keyword"), "{keyword}");
    }
    for vendor in ["Microsoft", "Cisco", "3GPP", "3GPP2", "Juniper", "ERX", "Nokia", "Huawei", "WiMAX"] {
        assert!(PAGE.contains(vendor), "{vendor}");
        with_text(&format!("BEGIN-VENDOR {vendor}\nEND-VENDOR {vendor}\n"));
    }
}

#[test]
fn every_dictionary_that_is_built_in_is_sound() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("dictionaries");
    let mut files = 0;
    for file in directory.read_dir().unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        // Behind what is built in: each name has the meaning that it has there, so that no two files disagree.
        let (_, warnings) = Dictionary::parse(&path, &text).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(warnings.is_empty(), "{warnings:?}");
        files += 1;
    }
    assert!(files >= 14, "{files}");
}

#[test]
fn what_is_built_in_is_what_the_rfcs_and_the_vendors_say() {
    use AttributeId::{Extended, Plain, Vendor};
    let dictionary = Dictionary::built_in();
    for (name, id, kind) in [
        ("User-Name", Plain(1), Kind::Text),
        ("NAS-IP-Address", Plain(4), Kind::Ipv4),
        ("Framed-IPv6-Prefix", Plain(97), Kind::Ipv6Prefix),
        ("Event-Timestamp", Plain(55), Kind::Date),
        ("Chargeable-User-Identity", Plain(89), Kind::Octets),
        ("Operator-Name", Plain(126), Kind::Text),
        ("Framed-IPv6-Address", Plain(168), Kind::Ipv6),
        ("PMIP6-Home-IPv4-HoA", Plain(155), Kind::Ipv4Prefix),
        ("Operator-NAS-Identifier", Extended(241, 8), Kind::Octets),
        ("MS-CHAP2-Success", Vendor(311, 26), Kind::Octets),
        ("Cisco-AVPair", Vendor(9, 1), Kind::Text),
        ("3GPP-IMSI", Vendor(10415, 1), Kind::Text),
        ("3GPP-RAT-Type", Vendor(10415, 21), Kind::Number(1)),
        ("ERX-Ingress-Policy-Name", Vendor(4874, 10), Kind::Text),
        ("Juniper-Local-User-Name", Vendor(2636, 1), Kind::Text),
        ("Alc-Subsc-ID-Str", Vendor(6527, 11), Kind::Text),
        ("Nokia-AVPair", Vendor(94, 1), Kind::Text),
        ("Actual-Data-Rate-Upstream", Vendor(3561, 129), Kind::Number(4)),
        ("Huawei-Qos-Profile-Name", Vendor(2011, 31), Kind::Text),
    ] {
        let attribute = dictionary.find(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!((attribute.id, attribute.kind), (id, kind), "{name}");
        assert_eq!(dictionary.name(id), Some(name));
        assert_eq!(dictionary.find(&name.to_uppercase()), Some(attribute), "a name has no case");
    }
    let encrypt = |name: &str| dictionary.find(name).unwrap().encrypt;
    assert_eq!(encrypt("User-Password"), Some(Encrypt::Password));
    assert_eq!(encrypt("MS-CHAP-MPPE-Keys"), Some(Encrypt::Password));
    assert_eq!(encrypt("Tunnel-Password"), Some(Encrypt::Salted));
    assert_eq!(encrypt("Reply-Message"), None);
    assert_eq!(dictionary.find("Tunnel-Type").unwrap().values["l2tp"], 3);
    assert_eq!(dictionary.find("Acct-Status-Type").unwrap().values["tunnel-link-reject"], 14);
    assert_eq!(dictionary.find("No-Such-Attribute"), None);
    assert_eq!(dictionary.name(Plain(0)), None);
}

#[test]
fn a_number_is_called_what_a_dictionary_called_it_last() {
    let named = |dictionary: &Dictionary, number| {
        dictionary.attribute(AttributeId::Plain(40)).unwrap().value_names.get(&number).cloned()
    };
    let built_in = Dictionary::built_in();
    assert_eq!(named(&built_in, 1).as_deref(), Some("Start"));
    assert_eq!(named(&built_in, 3).as_deref(), Some("Interim-Update"), "not Alive, which stands before it");
    assert_eq!(named(&built_in, 99), None);
    assert_eq!(named(&with_text("VALUE Acct-Status-Type Tick 3\n"), 3).as_deref(), Some("Tick"));
}

#[test]
fn what_vendors_hide_with_a_salt_is_known() {
    let mut salted: Vec<_> = Dictionary::built_in().salted().collect();
    salted.sort_unstable();
    let nokia = [122, 123, 124, 125, 138, 139, 142].map(|kind| (6527, kind));
    let mut expected = vec![(311, 16), (311, 17), (831, 116), (831, 117), (831, 118), (831, 119)];
    expected.extend([58, 59, 60, 61].map(|kind| (4874, kind)));
    expected.push((5535, 58));
    expected.extend(nokia);
    assert_eq!(salted, expected);
    let dictionary = Dictionary::built_in();
    let mut behind: Vec<_> = dictionary.salted_behind_an_octet().collect();
    behind.sort_unstable();
    assert_eq!(behind, [5, 10, 12, 14, 15, 19, 40, 66, 67, 70, 75, 131].map(|kind| (24757, kind)));
    assert_eq!(dictionary.find("WiMAX-MSK").unwrap().lead, Lead::Continuation);
}

#[test]
fn an_operators_dictionary_adds_vendors_and_their_attributes() {
    let text = "# Ours\nVENDOR Ours 32473\nBEGIN-VENDOR Ours\nATTRIBUTE Ours-Plan 1 integer\n\
                ATTRIBUTE\tOurs-Key\t0x02\toctets\tencrypt=2,array  # hidden\nVALUE Ours-Plan Gold 0x10\n\
                ATTRIBUTE Ours-Tagged 3 string has_tag,encrypt=2\nATTRIBUTE Ours-Odd 4 something-new\nEND-VENDOR Ours\n\
                ATTRIBUTE Old-Style 5 string Ours\nATTRIBUTE Ours-Extended 242.7 ipv6prefix\n";
    let dictionary = with_text(text);
    let id = |name: &str| dictionary.find(name).unwrap().id;
    assert_eq!(id("ours-plan"), AttributeId::Vendor(32473, 1));
    assert_eq!(dictionary.find("Ours-Plan").unwrap().values["gold"], 16);
    assert_eq!(id("Old-Style"), AttributeId::Vendor(32473, 5));
    assert_eq!(id("Ours-Extended"), AttributeId::Extended(242, 7));
    assert_eq!(dictionary.find("Ours-Odd").unwrap().kind, Kind::Octets, "a type that is not known is octets");
    assert!(dictionary.salted().any(|it| it == (32473, 2)));
    assert!(dictionary.salted_behind_an_octet().any(|it| it == (32473, 3)));
    assert_eq!(id("User-Name"), AttributeId::Plain(1), "what is built in stays");
}

#[test]
fn a_value_may_stand_before_its_attribute_and_be_given_to_one_that_is_built_in() {
    let text = "VALUE Ours late 1\nATTRIBUTE Ours 200 integer\nVALUE Service-Type Ours-Special 4096\n";
    let dictionary = with_text(text);
    assert_eq!(dictionary.find("Ours").unwrap().values["late"], 1);
    assert_eq!(dictionary.find("Service-Type").unwrap().values["ours-special"], 4096);
    assert_eq!(dictionary.find("Service-Type").unwrap().values["framed-user"], 2);
}

#[test]
fn what_no_packet_can_name_is_read_over() {
    let text = "VENDOR Wide 429 format=4,0\nBEGIN-VENDOR Wide\nATTRIBUTE Wide-One 0x0001 string\nVALUE Wide-One A 1\n\
                END-VENDOR Wide\nATTRIBUTE Internal-Thing 1073 integer internal\nATTRIBUTE Outer 200 tlv\n\
                BEGIN-TLV Outer\nATTRIBUTE Inner 1 string\nEND-TLV Outer\nATTRIBUTE Deep 241.26.9.1 string\n";
    let dictionary = with_text(text);
    for name in ["Wide-One", "Internal-Thing", "Inner", "Deep"] {
        assert_eq!(dictionary.find(name), None, "{name}");
    }
}

#[test]
fn a_name_with_another_meaning_replaces_the_one_before_and_is_warned_about() {
    let dictionary = with_text("ATTRIBUTE Filter-Id 200 octets\n");
    assert_eq!(dictionary.find("Filter-Id").unwrap().id, AttributeId::Plain(200));
    assert_eq!(dictionary.name(AttributeId::Plain(11)), None);
    let warnings = warnings("\n  ATTRIBUTE filter-id 200 octets\n");
    assert_eq!(
        warnings,
        [
            "my.dictionary:2:3: filter-id was attribute 11 until this line. Give the attribute another name, where that is \
          not meant."
        ]
    );
    assert!(self::warnings("ATTRIBUTE Filter-Id 11 string\n").is_empty(), "the same once more is no news");
}

#[test]
fn a_type_that_nobody_knows_is_taken_for_octets_and_warned_about() {
    let text = "ATTRIBUTE Ours 200 intger\nATTRIBUTE Theirs 201 marmalade\nATTRIBUTE Fine 202 octets[16]\n\
                ATTRIBUTE Filters 203 abinary\n";
    assert_eq!(
        warnings(text),
        [
            "my.dictionary:1:1: \"intger\" is no type known here, and taken for octets. Did you mean `integer`?",
            "my.dictionary:2:1: \"marmalade\" is no type known here, and taken for octets. Say `octets`, where that is \
             meant.",
        ]
    );
}

#[test]
fn a_kind_of_hiding_that_is_not_undone_is_warned_about() {
    let text = "VENDOR Ours 32473\nATTRIBUTE Ours-Secret 1 string encrypt=1 Ours\nATTRIBUTE Mine 200 string encrypt=2\n\
                ATTRIBUTE Theirs 201 string encrypt=3\n";
    let warnings = warnings(text);
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(
        warnings[0].starts_with("my.dictionary:2:1: Ours-Secret is hidden in a way that is not undone"),
        "{warnings:?}"
    );
}

#[test]
fn a_line_that_cannot_be_understood_is_a_fault_with_its_place_and_a_remedy() {
    for (text, says) in [
        (
            "ATRIBUTE X 1 string",
            "my.dictionary:1:1: \"ATRIBUTE\" is no keyword of a dictionary. Did you mean `ATTRIBUTE`?",
        ),
        ("\n STRUCT X 1", "my.dictionary:2:2: \"STRUCT\" is no keyword of a dictionary. Take it out, or use one of"),
        ("$INCLUDE dictionary.mine", "$INCLUDE is not followed. Take it out, and put the other file"),
        ("ATTRIBUTE X", "an ATTRIBUTE has a name, a number and a type. Write it as"),
        ("ATTRIBUTE X one string", "\"one\" is no number of an attribute. Give it as `26`, or `241.8`."),
        ("ATTRIBUTE X -1 string", "\"-1\" is no number"),
        ("ATTRIBUTE X 200 string has-tag", "\"has-tag\" is no flag of an attribute. Did you mean `has_tag`?"),
        ("ATTRIBUTE X 200 string encrypt=4", "\"encrypt=4\" is no flag of an attribute. Did you mean `encrypt=2`?"),
        ("VENDOR X", "a VENDOR has a name and a number"),
        ("VENDOR X 16777216", "\"16777216\" is no vendor's number"),
        ("VENDOR X 9 format=3,1", "\"format=3,1\" is no format"),
        (
            "BEGIN-VENDOR Nobody\nATTRIBUTE Filter-Id 1 octets\nEND-VENDOR Nobody",
            "my.dictionary:1:1: \"Nobody\" is no vendor that a VENDOR line has named. Write `VENDOR Nobody`",
        ),
        ("BEGIN-VENDOR Cisco", "BEGIN-VENDOR Cisco has not ended. End it: `END-VENDOR Cisco`."),
        ("BEGIN-VENDOR Cisco\nEND-VENDOR Juniper", "my.dictionary:2:1: END-VENDOR names another vendor"),
        ("END-VENDOR Cisco", "END-VENDOR ends nothing"),
        ("END-TLV X", "END-TLV ends nothing"),
        ("BEGIN-TLV X", "a BEGIN-TLV has not ended. End it"),
        ("VALUE Service-Type Ours", "a VALUE has an attribute, a name and a number"),
        ("VALUE Service-Type Ours x", "\"x\" is no number of a value"),
        ("VALUE Nothing Ours 1", "\"nothing\" is no attribute of this dictionary"),
    ] {
        assert!(fault(text).contains(says), "{says:?} is not in {}", fault(text));
    }
}
