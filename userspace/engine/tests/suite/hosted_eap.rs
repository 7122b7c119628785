//! EAP for hosted accounts (RFC 3748, RFC 3579): MD5-Challenge and MSCHAPv2, round by round.

use std::time::Duration;

use crate::common::{hosted::*, *};
use sekisho_engine::{
    hosted::Account,
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_wire::{
    attr,
    build::{RequestBuilder, chap_response},
    code::Code,
    mschap::{mppe::Keys, nt::NtHash, v2},
    salted::decrypt,
    select::AttributeId,
    vendor::*,
};

const USER: &str = "alice@a.example";
const MD5: u8 = 4;
const MSCHAPV2: u8 = 26;
const PEER_CHALLENGE: [u8; 16] = [0x33; 16];

/// A supplicant behind a NAS.
struct Peer {
    user: &'static str,
    password: &'static str,
    client: &'static str,
    next: u8,
    state: Vec<u8>,
    /// The last request.
    request: Vec<u8>,
}

impl Peer {
    fn new(user: &'static str, password: &'static str) -> Peer {
        Peer { user, password, client: NAS, next: 0, state: Vec::new(), request: Vec::new() }
    }

    /// Sends an EAP message, and gives what comes back.
    fn send(&mut self, world: &mut World, eap: &[u8]) -> Sent {
        self.next += 1;
        let mut builder = RequestBuilder::new(Code::ACCESS_REQUEST, self.next, [self.next; 16])
            .attribute(attr::USER_NAME, self.user)
            .attribute(attr::EAP_MESSAGE, eap);
        if !self.state.is_empty() {
            builder = builder.attribute(attr::STATE, &self.state);
        }
        self.request = builder.message_authenticator().build(&nas_secret()).unwrap();
        let answer = world.log_in_at(self.client, &self.request);
        self.state = value(&answer, attr::STATE).unwrap_or_default();
        answer
    }

    /// A Response of this type.
    fn respond(&mut self, world: &mut World, id: u8, kind: u8, data: &[u8]) -> Sent {
        let length = (data.len() + 5) as u8;
        self.send(world, &[&[2, id, 0, length, kind], data].concat())
    }

    /// Says who it is, and gives identifier, type and data of the method that it is challenged by.
    fn identify(&mut self, world: &mut World) -> (u8, u8, Vec<u8>) {
        let answer = self.respond(world, 1, 1, self.user.as_bytes());
        challenged(&answer)
    }

    /// The answer to an MD5-Challenge.
    fn md5(&self, id: u8, data: &[u8]) -> Vec<u8> {
        let challenge = &data[1..17];
        [&[16][..], &chap_response(id, self.password.as_bytes(), challenge)[1..]].concat()
    }

    /// The answer to a Challenge of MSCHAPv2, and what it proves itself with.
    fn mschapv2(&self, data: &[u8]) -> (Vec<u8>, [u8; 24]) {
        let (ident, challenge) = (data[1], data[5..21].try_into().unwrap());
        let hash = NtHash::of(self.password.as_bytes()).unwrap();
        let nt = v2::nt_response(&challenge, &PEER_CHALLENGE, self.user.as_bytes(), &hash);
        let length = (4 + 1 + 49 + self.user.len()) as u8;
        let head = [2, ident, 0, length, 49];
        ([&head[..], &PEER_CHALLENGE, &[0; 8], &nt, &[0], self.user.as_bytes()].concat(), nt)
    }
}

fn value(sent: &Sent, number: u8) -> Option<Vec<u8>> {
    AttributeId::Plain(number).find(&sent.bytes).map(<[u8]>::to_vec)
}

fn challenged(answer: &Sent) -> (u8, u8, Vec<u8>) {
    assert_eq!(answer.bytes[0], Code::ACCESS_CHALLENGE.0, "{answer:?}");
    let message = value(answer, attr::EAP_MESSAGE).unwrap();
    assert_eq!((message[0], usize::from(message[3])), (1, message.len()));
    assert!(value(answer, attr::STATE).is_some());
    (message[1], message[4], message[5..].to_vec())
}

fn ended(answer: &Sent) -> (Code, Vec<u8>) {
    (Code(answer.bytes[0]), value(answer, attr::EAP_MESSAGE).unwrap())
}

fn only(protocols: Protocols) -> World {
    group_world(move |group| group.protocols = protocols)
}

#[test]
fn md5_challenge_ends_in_success_with_the_name() {
    let mut world = only(Protocols::EAP_MD5);
    let mut peer = Peer::new(USER, PASSWORD);
    let (id, kind, data) = peer.identify(&mut world);
    assert_eq!(kind, MD5);
    let response = peer.md5(id, &data);
    let accept = peer.respond(&mut world, id, MD5, &response);
    assert_eq!(ended(&accept), (Code::ACCESS_ACCEPT, vec![3, id, 0, 4]));
    assert_eq!(value(&accept, attr::USER_NAME).unwrap(), USER.as_bytes());
    let stats = world.group_stats();
    assert_eq!((stats.challenges.read(), stats.accepts.read(), stats.compared.read()), (1, 1, 1));
}

#[test]
fn mschapv2_proves_both_ends_and_gives_both_the_same_keys() {
    let mut world = only(Protocols::EAP_MSCHAPV2);
    let mut peer = Peer::new(USER, PASSWORD);
    let (id, kind, data) = peer.identify(&mut world);
    assert_eq!(kind, MSCHAPV2);
    let (response, nt) = peer.mschapv2(&data);
    let (id, kind, proof) = challenged(&peer.respond(&mut world, id, MSCHAPV2, &response));
    assert_eq!((kind, proof[0], proof[1], &proof[4..6]), (MSCHAPV2, 3, data[1], &b"S="[..]));
    let hash = NtHash::of(PASSWORD.as_bytes()).unwrap();
    let said = v2::Response { ident: 0, peer_challenge: &PEER_CHALLENGE, nt: &nt };
    let success = v2::verify(&data[5..21].try_into().unwrap(), &said, USER.as_bytes(), &hash).unwrap();
    assert_eq!(proof[4..46], success.message());
    let accept = peer.respond(&mut world, id, MSCHAPV2, &[3]);
    assert_eq!(ended(&accept), (Code::ACCESS_ACCEPT, vec![3, id, 0, 4]));
    let keys = Keys::of(&hash, &nt);
    let authenticator = peer.request[4..20].try_into().unwrap();
    for (kind, expected) in [(MS_MPPE_SEND_KEY, keys.send()), (MS_MPPE_RECV_KEY, keys.recv())] {
        let mut field = AttributeId::Vendor(MICROSOFT, kind).find(&accept.bytes).unwrap().to_vec();
        assert_eq!(decrypt(&mut field, &nas_secret(), &authenticator).unwrap(), expected);
    }
}

#[test]
fn a_wrong_password_and_an_unknown_user_are_challenged_and_end_in_failure() {
    for protocols in [Protocols::EAP_MD5, Protocols::EAP_MSCHAPV2] {
        for (user, password) in [(USER, "wrong"), ("nobody@a.example", PASSWORD)] {
            let mut world = only(protocols);
            let mut peer = Peer::new(user, password);
            let (id, kind, data) = peer.identify(&mut world);
            let response = if kind == MD5 { peer.md5(id, &data) } else { peer.mschapv2(&data).0 };
            let reject = peer.respond(&mut world, id, kind, &response);
            assert_eq!(ended(&reject), (Code::ACCESS_REJECT, vec![4, id, 0, 4]), "{user}");
            assert_eq!(value(&reject, attr::STATE), None);
        }
    }
}

#[test]
fn a_peer_gets_the_method_that_it_wants_if_it_is_allowed() {
    let mut world = only(Protocols::ALL);
    let mut peer = Peer::new(USER, PASSWORD);
    let (id, kind, _) = peer.identify(&mut world);
    assert_eq!(kind, MSCHAPV2);
    // It would rather have PEAP, or else MD5.
    let (id, kind, data) = challenged(&peer.respond(&mut world, id, 3, &[25, MD5]));
    assert_eq!(kind, MD5);
    let response = peer.md5(id, &data);
    assert_eq!(ended(&peer.respond(&mut world, id, MD5, &response)).0, Code::ACCESS_ACCEPT);

    let mut world = only(Protocols::EAP_MSCHAPV2);
    let mut peer = Peer::new(USER, PASSWORD);
    let (id, ..) = peer.identify(&mut world);
    let reject = peer.respond(&mut world, id, 3, &[25, MD5]);
    assert_eq!(ended(&reject), (Code::ACCESS_REJECT, vec![4, id, 0, 4]));
}

#[test]
fn a_contract_without_eap_refuses_it_and_another_method_is_not_taken_for_the_one_that_was_asked() {
    let mut world = only(Protocols::PAP.with(Protocols::MSCHAPV2));
    let mut peer = Peer::new(USER, PASSWORD);
    let reject = peer.respond(&mut world, 1, 1, USER.as_bytes());
    assert_eq!(ended(&reject), (Code::ACCESS_REJECT, vec![4, 1, 0, 4]));
    let mut world = only(Protocols::EAP_MSCHAPV2);
    let mut peer = Peer::new(USER, PASSWORD);
    let (id, _, data) = peer.identify(&mut world);
    // Right for what MSCHAPv2 has challenged with.
    let response = [&[16][..], &chap_response(id, PASSWORD.as_bytes(), &data[5..21])[1..]].concat();
    assert_eq!(ended(&peer.respond(&mut world, id, MD5, &response)).0, Code::ACCESS_REJECT);
}

#[test]
fn nobody_succeeds_without_having_answered() {
    let mut world = only(Protocols::ALL);
    let mut peer = Peer::new(USER, PASSWORD);
    let (id, ..) = peer.identify(&mut world);
    let reject = peer.respond(&mut world, id, MSCHAPV2, &[3]);
    assert_eq!(ended(&reject).0, Code::ACCESS_REJECT, "the acknowledgement of what has not been said");
    let reject = peer.respond(&mut world, 1, MSCHAPV2, &[3]);
    assert_eq!(ended(&reject).0, Code::ACCESS_REJECT, "without State");
}

#[test]
fn a_state_is_good_for_its_client_its_name_its_round_and_half_a_minute() {
    let answer = |world: &mut World, change: &dyn Fn(&mut World, &mut Peer, &mut u8)| {
        let mut peer = Peer::new(USER, PASSWORD);
        let (mut id, _, data) = peer.identify(world);
        change(world, &mut peer, &mut id);
        let response = peer.md5(id, &data);
        ended(&peer.respond(world, id, MD5, &response)).0
    };
    let mut plan = group_plan(|group| group.protocols = Protocols::EAP_MD5);
    plan.clients.push(Some(("192.0.2.30:40000", 0, b"the secret of the NAS".to_vec())));
    let mut world = world_of(plan);
    assert_eq!(answer(&mut world, &|_, _, _| {}), Code::ACCESS_ACCEPT);
    world.pass(Duration::from_secs(20));
    assert_eq!(answer(&mut world, &|world, _, _| drop(world.pass(Duration::from_secs(29)))), Code::ACCESS_ACCEPT);
    assert_eq!(answer(&mut world, &|world, _, _| drop(world.pass(Duration::from_secs(32)))), Code::ACCESS_REJECT);
    world.pass(Duration::from_secs(20));
    assert_eq!(answer(&mut world, &|_, peer, _| peer.user = "bob@a.example"), Code::ACCESS_REJECT);
    world.pass(Duration::from_secs(20));
    assert_eq!(answer(&mut world, &|_, peer, _| peer.client = "192.0.2.30:40000"), Code::ACCESS_REJECT);
    world.pass(Duration::from_secs(20));
    assert_eq!(answer(&mut world, &|_, _, id| *id += 1), Code::ACCESS_REJECT, "of another round");
    world.pass(Duration::from_secs(20));
    assert_eq!(answer(&mut world, &|_, peer, _| peer.state[30] ^= 1), Code::ACCESS_REJECT);
}

#[test]
fn any_worker_continues_a_conversation() {
    let mut world = only(Protocols::EAP_MSCHAPV2);
    let mut other = world.beside(1);
    let mut peer = Peer::new(USER, PASSWORD);
    let (id, _, data) = peer.identify(&mut world);
    let (response, _) = peer.mschapv2(&data);
    let (id, ..) = challenged(&peer.respond(&mut other, id, MSCHAPV2, &response));
    assert_eq!(ended(&peer.respond(&mut world, id, MSCHAPV2, &[3])).0, Code::ACCESS_ACCEPT);
}

#[test]
fn what_the_account_may_not_is_said_at_the_end_of_the_conversation_too() {
    let mut world = group_world(|group| (group.protocols, group.simultaneous) = (Protocols::EAP_MSCHAPV2, 1));
    let mut peer = Peer::new(USER, PASSWORD);
    let (id, _, data) = peer.identify(&mut world);
    let (response, _) = peer.mschapv2(&data);
    let (id, ..) = challenged(&peer.respond(&mut world, id, MSCHAPV2, &response));
    world.put("alice", &Account { enabled: false, ..account() });
    assert_eq!(ended(&peer.respond(&mut world, id, MSCHAPV2, &[3])), (Code::ACCESS_REJECT, vec![4, id, 0, 4]));
    // And a disabled account's right answer is not told that it was right.
    let mut peer = Peer { next: 20, ..Peer::new(USER, PASSWORD) };
    let (id, _, data) = peer.identify(&mut world);
    let (response, _) = peer.mschapv2(&data);
    assert_eq!(ended(&peer.respond(&mut world, id, MSCHAPV2, &response)).0, Code::ACCESS_REJECT);
    assert_eq!(world.group_stats().rejected.disabled.read(), 2);
}

#[test]
fn an_identity_that_is_not_the_name_is_refused_and_an_empty_message_is_asked_for_one() {
    let mut world = only(Protocols::ALL);
    let mut peer = Peer::new(USER, PASSWORD);
    let reject = peer.respond(&mut world, 1, 1, b"bob@a.example");
    assert_eq!(ended(&reject).0, Code::ACCESS_REJECT);
    let asked = peer.send(&mut world, &[]);
    assert_eq!(
        (Code(asked.bytes[0]), value(&asked, attr::EAP_MESSAGE)),
        (Code::ACCESS_CHALLENGE, Some(vec![1, 0, 0, 5, 1]))
    );
    let (id, kind, data) = challenged(&peer.respond(&mut world, 0, 1, USER.as_bytes()));
    assert_eq!(kind, MSCHAPV2);
    let (response, _) = peer.mschapv2(&data);
    challenged(&peer.respond(&mut world, id, MSCHAPV2, &response));
}

#[test]
fn an_identity_without_the_suffix_that_the_carrier_adds_is_the_name() {
    let mut plan = group_plan(|group| group.protocols = Protocols::EAP_MSCHAPV2);
    plan.reshape(|snapshot| client(snapshot, 0).outer_suffix = Some((*b"carrier.example").into()));
    let mut world = world_of(plan);
    for identity in ["alice@a.example", "alice@a.example@carrier.example"] {
        let mut peer = Peer::new("alice@a.example@carrier.example", PASSWORD);
        let (id, _, data) = challenged(&peer.respond(&mut world, 1, 1, identity.as_bytes()));
        let (response, _) = peer.mschapv2(&data);
        let (id, ..) = challenged(&peer.respond(&mut world, id, MSCHAPV2, &response));
        assert_eq!(ended(&peer.respond(&mut world, id, MSCHAPV2, &[3])).0, Code::ACCESS_ACCEPT, "{identity}");
    }
    let mut peer = Peer::new("alice@a.example@carrier.example", PASSWORD);
    assert_eq!(ended(&peer.respond(&mut world, 1, 1, b"alice")).0, Code::ACCESS_REJECT);
}

#[test]
fn what_was_proved_by_a_former_password_is_worth_nothing() {
    let mut world = only(Protocols::EAP_MSCHAPV2);
    let mut peer = Peer::new(USER, PASSWORD);
    let (id, _, data) = peer.identify(&mut world);
    let (response, _) = peer.mschapv2(&data);
    let (id, ..) = challenged(&peer.respond(&mut world, id, MSCHAPV2, &response));
    let another = PASSWORD.replace("open", "shut");
    world.put("alice", &Account { secret: recoverable(&another), ..account() });
    assert_eq!(ended(&peer.respond(&mut world, id, MSCHAPV2, &[3])).0, Code::ACCESS_REJECT);
}

#[test]
fn a_repeated_round_gets_the_same_challenge() {
    let mut world = only(Protocols::EAP_MD5);
    let mut peer = Peer::new(USER, PASSWORD);
    peer.identify(&mut world);
    let state = peer.state.clone();
    let (action, again) = world.receive(Socket::Service(AUTH), address(NAS), &peer.request);
    assert!(matches!(action, Action::Send(_)));
    assert_eq!(value(&again.unwrap(), attr::STATE).unwrap(), state);
    assert_eq!(world.group_stats().challenges.read(), 1);
}

#[test]
fn whatever_a_peer_says_it_gets_an_answer_and_nothing_panics() {
    let mut world = only(Protocols::ALL);
    let mut peer = Peer::new(USER, PASSWORD);
    let odd: [&[u8]; 9] = [
        &[2],
        &[2, 1, 0, 4],
        &[2, 1, 0, 5, 3],
        &[2, 1, 0, 200, 1],
        &[1, 1, 0, 5, 1],
        &[3, 1, 0, 4],
        &[2, 1, 0, 6, 4, 0],
        &[2, 1, 0, 9, 26, 2, 1, 0, 4],
        &[2, 1, 0, 6, 255, 255],
    ];
    for message in odd {
        assert_eq!(peer.send(&mut world, message).bytes[0], Code::ACCESS_REJECT.0, "{message:?}");
    }
}
