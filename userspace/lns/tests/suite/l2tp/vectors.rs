//! The vectors: messages that an xl2tpd has taken, and the answers to a challenge.

use sekisho_lns::l2tp::{
    TunnelSecret,
    packet::{self, Header, Kind, Message},
};
use serde_json::Value;

fn vector(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let found = all.as_array().unwrap().iter().find(|v| v["name"] == name);
    found.unwrap_or_else(|| panic!("no vector {name}")).clone()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

#[test]
fn what_we_send_is_what_xl2tpd_took() {
    let vector = vector("l2tp-probe-messages");
    let messages: Vec<Vec<u8>> = vector["hex_in"].as_str().unwrap().split('|').map(hex).collect();
    let header = |ns| Header { tunnel: 0xabcd, ns, nr: 1 };
    assert_eq!(packet::sccrq(0x1234, "probe", None), messages[0]);
    assert_eq!(packet::scccn(header(1), None), messages[1]);
    assert_eq!(packet::hello(header(2)), messages[2]);
    assert_eq!(packet::stop_ccn(header(1), 0x1234), messages[3]);
    assert_eq!(packet::zlb(header(2)), messages[4]);
}

#[test]
fn what_we_send_is_read_as_what_it_is() {
    let vector = vector("l2tp-probe-messages");
    let messages: Vec<Vec<u8>> = vector["hex_in"].as_str().unwrap().split('|').map(hex).collect();
    let kinds = messages.iter().map(|message| Message::parse(message).unwrap().kind);
    assert!(kinds.eq([Kind::Sccrq, Kind::Scccn, Kind::Hello, Kind::StopCcn, Kind::Zlb]));
    let stop = Message::parse(&messages[3]).unwrap();
    assert_eq!((stop.assigned, stop.result), (Some(0x1234), Some((1, 0))));
    assert_eq!(stop.header, Header { tunnel: 0xabcd, ns: 1, nr: 1 });
}

#[test]
fn the_answer_to_a_challenge_depends_on_the_message_that_carries_it() {
    let vector = vector("l2tp-challenge-response");
    let secret = TunnelSecret::new(vector["secret"].as_str().unwrap().as_bytes()).unwrap();
    let challenge = hex(vector["hex_in"].as_str().unwrap().strip_prefix("challenge=").unwrap());
    for (kind, name) in [(Kind::Sccrp, "in_SCCRP_type2"), (Kind::Scccn, "in_SCCCN_type3")] {
        let expected = hex(vector["expected"][name].as_str().unwrap());
        assert_eq!(secret.response(kind, &challenge).unwrap().to_vec(), expected);
        assert!(secret.is_proved_by(kind, &challenge, &expected.try_into().unwrap()));
    }
    assert_eq!(secret.response(Kind::Zlb, &challenge), None);
}
