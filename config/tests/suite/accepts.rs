//! Attributes of an account's Accept, from their names and texts to what stands in a packet.

use std::path::Path;

use sekisho_config::Dictionary;

fn encoded(name: &str, text: &str) -> Vec<u8> {
    Dictionary::built_in().encode(name, text).unwrap_or_else(|problem| panic!("{name}: {problem}"))
}

#[test]
fn an_attribute_has_its_type_and_length() {
    assert_eq!(encoded("Session-Timeout", "86400"), [27, 6, 0, 1, 0x51, 0x80]);
    assert_eq!(encoded("service-type", "Framed-User"), [6, 6, 0, 0, 0, 2]);
    assert_eq!(encoded("Service-Type", "2"), [6, 6, 0, 0, 0, 2]);
    assert_eq!(encoded("Framed-IP-Address", "192.0.2.7"), [8, 6, 192, 0, 2, 7]);
    assert_eq!(encoded("Framed-IPv6-Prefix", "2001:db8::/32"), [97, 8, 0, 32, 0x20, 1, 0x0d, 0xb8]);
    // Text in digits is text all the same.
    assert_eq!(encoded("Filter-Id", "42"), [11, 4, b'4', b'2']);
    assert_eq!(encoded("Reply-Message", "ようこそ").len(), 2 + 12);
}

#[test]
fn a_vendors_attribute_stands_within_vendor_specific() {
    assert_eq!(encoded("Cisco-AVPair", "ip:a"), [26, 12, 0, 0, 0, 9, 1, 6, b'i', b'p', b':', b'a']);
    let longest = encoded("Cisco-AVPair", &"a".repeat(247));
    assert_eq!((longest.len(), &longest[..8]), (255, &[26, 255, 0, 0, 0, 9, 1, 249][..]));
}

#[test]
fn an_extended_attribute_has_its_extended_type_and_a_long_one_its_flags() {
    let text = "ATTRIBUTE Short-Form 241.200 string\nATTRIBUTE Long-Form 245.200 string\n";
    let (dictionary, _) = Dictionary::parse(Path::new("a.dictionary"), text).unwrap();
    assert_eq!(dictionary.encode("Short-Form", "a").unwrap(), [241, 4, 200, b'a']);
    assert_eq!(dictionary.encode("Long-Form", "a").unwrap(), [245, 5, 200, 0, b'a']);
    for (name, room) in [("Short-Form", 252), ("Long-Form", 251), ("Filter-Id", 253)] {
        assert_eq!(dictionary.encode(name, &"a".repeat(room)).unwrap().len(), 255, "{name}");
        let problem = dictionary.encode(name, &"a".repeat(room + 1)).unwrap_err();
        assert_eq!(problem.to_string(), format!("has {} octets. There is room for {room}.", room + 1));
    }
}

#[test]
fn what_no_account_may_be_given_is_refused_in_words() {
    let refused = |name: &str, text: &str| Dictionary::built_in().encode(name, text).unwrap_err().to_string();
    for (name, text, says) in [
        (
            "Sesion-Timeout",
            "1",
            "\"Sesion-Timeout\" is no attribute of the dictionaries. Did you mean `Session-Timeout`?",
        ),
        ("User-Password", "a", "User-Password is needed by the protocol itself. Take it out: no rule changes it."),
        ("Message-Authenticator", "0x00", "Message-Authenticator is needed by the protocol itself"),
        ("MS-MPPE-Send-Key", "0x00", "the value of MS-MPPE-Send-Key is hidden from everybody but its receiver"),
        ("Tunnel-Server-Endpoint", "192.0.2.1", "Tunnel-Server-Endpoint says where a tunnel goes"),
        ("Cisco-AVPair", "vpdn:ip-addresses=192.0.2.1", "Cisco-AVPair says where a tunnel goes"),
        ("Cisco-AVPair", " VPDN:ip-addresses=192.0.2.1", "Cisco-AVPair says where a tunnel goes"),
        ("Session-Timeout", "a day", "\"a day\" is no value of Session-Timeout."),
        ("Session-Timeout", "-1", "-1 is out of bounds. Give a number from 0 to 4294967295."),
        ("Framed-IP-Address", "2001:db8::1", "\"2001:db8::1\" is not an IPv4 address. Give it as \"192.0.2.1\"."),
        ("Filter-Id", "", "is empty. Give at least one octet, or take it out."),
    ] {
        let said = refused(name, text);
        assert!(said.starts_with(says), "{name}: {said}");
    }
}
