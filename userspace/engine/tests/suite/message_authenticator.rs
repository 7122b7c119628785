//! Message-Authenticator: what is asked of clients and home servers, and learned of them (rules 22 to 30; CVE-2024-3596).

use std::{sync::Arc, time::Duration};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    health::Health,
    packet::{Action, Socket},
    snapshot::{Require, RoutingSnapshot},
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signed {
    No,
    Wrongly,
    First,
    Last,
    Twice,
}

const SIGNED: [Signed; 5] = [Signed::No, Signed::Wrongly, Signed::First, Signed::Last, Signed::Twice];

impl Signed {
    fn write(self, builder: RequestBuilder, rest: impl FnOnce(RequestBuilder) -> RequestBuilder) -> RequestBuilder {
        match self {
            Signed::No => rest(builder),
            Signed::Wrongly => rest(builder.attribute(attr::MESSAGE_AUTHENTICATOR, [7; 16])),
            Signed::First => rest(builder.message_authenticator()),
            Signed::Last => rest(builder).message_authenticator(),
            Signed::Twice => rest(builder.attribute(attr::MESSAGE_AUTHENTICATOR, [0; 16])).message_authenticator(),
        }
    }

    fn rightly(self) -> bool {
        matches!(self, Signed::First | Signed::Last)
    }
}

/// What is asked, and whether the sender has shown before that it signs.
#[derive(Clone, Copy, Debug)]
struct Asked {
    require: Require,
    learned: bool,
}

const ASKED: [Asked; 4] = [
    Asked { require: Require::Yes, learned: false },
    Asked { require: Require::No, learned: true },
    Asked { require: Require::Auto, learned: false },
    Asked { require: Require::Auto, learned: true },
];

fn client_world(asked: Asked, limit: bool) -> World {
    let shape = move |snapshot: &mut RoutingSnapshot| {
        let client = client(snapshot, 0);
        client.require_message_authenticator = asked.require;
        client.limit_proxy_state = limit;
        client.state.learned.set_message_authenticator(asked.learned);
    };
    World::with(Plan::shaped(shape), Limits::default())
}

fn login(signed: Signed, proxy_state: bool, eap: bool) -> Vec<u8> {
    let builder = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16]);
    let builder = signed.write(builder, |mut builder| {
        builder = builder.attribute(attr::USER_NAME, "alice@a.example");
        builder = match eap {
            true => builder.attribute(attr::EAP_MESSAGE, b"\x02\x01\x00\x06\x03\x19"),
            false => builder.user_password(b"opensesame", &nas_secret()),
        };
        if proxy_state { builder.attribute(attr::PROXY_STATE, "of the client") } else { builder }
    });
    builder.build(&nas_secret()).unwrap()
}

fn learned_of_client(world: &World) -> bool {
    world.snapshot.clients[0].as_ref().unwrap().state.learned.message_authenticator()
}

/// What the rules say of an Access-Request; `None`: it is forwarded.
fn refusal(signed: Signed, proxy_state: bool, eap: bool, asked: Asked, limit: bool) -> Option<Reason> {
    match (signed, asked.require) {
        (Signed::First | Signed::Last, _) => None,
        (Signed::Wrongly, _) => Some(Reason::MessageAuthenticatorBad),
        (Signed::Twice, _) => Some(Reason::MessageAuthenticatorRepeated),
        (Signed::No, Require::Yes) => Some(Reason::MessageAuthenticatorMissing),
        (Signed::No, Require::Auto) if asked.learned => Some(Reason::MessageAuthenticatorDowngrade),
        (Signed::No, _) if eap => Some(Reason::EapWithoutMessageAuthenticator),
        (Signed::No, _) if proxy_state && limit => Some(Reason::ProxyStateWithoutMessageAuthenticator),
        (Signed::No, _) => None,
    }
}

#[test]
fn the_whole_matrix_of_requests() {
    let flags = [false, true];
    let mut seen = 0;
    for signed in SIGNED {
        for (asked, [proxy_state, eap, limit]) in ASKED.into_iter().flat_map(|asked| {
            let all = flags.map(|a| flags.map(|b| flags.map(|c| [a, b, c])));
            all.into_iter().flatten().flatten().map(move |flags| (asked, flags))
        }) {
            let case = format!("{signed:?} Proxy-State {proxy_state} EAP {eap} {asked:?} limit {limit}");
            let mut world = client_world(asked, limit);
            let (action, sent) = world.receive(Socket::Service(AUTH), address(NAS), &login(signed, proxy_state, eap));
            match refusal(signed, proxy_state, eap, asked, limit) {
                None => {
                    let attrs = verified_at_home(&sent.unwrap(), 0);
                    assert_eq!(attrs[0].0, attr::MESSAGE_AUTHENTICATOR, "{case}: first in what we send");
                    let count = attrs.iter().filter(|(number, _)| *number == attr::MESSAGE_AUTHENTICATOR).count();
                    assert_eq!(count, 1, "{case}");
                }
                Some(reason) => {
                    assert_eq!(action, Action::Drop(reason), "{case}");
                    assert_eq!((world.dropped(reason), world.engine.in_flight()), (1, 0), "{case}");
                    assert_eq!(world.pass(Duration::from_secs(20)), [], "{case}: no reply, ever");
                }
            }
            let teaches = signed.rightly() && !eap && asked.require == Require::Auto;
            assert_eq!(learned_of_client(&world), asked.learned || teaches, "{case}");
            seen += 1;
        }
    }
    assert_eq!(seen, 5 * 4 * 8);
}

#[test]
fn a_client_that_signs_once_is_held_to_it_in_the_same_batch_and_after_a_reload() {
    let learned = Arc::new(sekisho_engine::health::ClientState::default());
    let shape = {
        let learned = Arc::clone(&learned);
        move |snapshot: &mut RoutingSnapshot| {
            client(snapshot, 0).require_message_authenticator = Require::Auto;
            client(snapshot, 0).state = Arc::clone(&learned);
        }
    };
    let mut world = World::with(Plan::shaped(shape), Limits::default());
    let socket = Socket::Service(AUTH);
    let unsigned = |id: u8| {
        let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16]).attribute(attr::USER_NAME, "x@a.example");
        builder.build(&nas_secret()).unwrap()
    };
    let outcomes = world.receive_all(&[
        (socket, address(NAS), unsigned(1)),
        (socket, address(NAS), pap(2, "x@a.example", 2)),
        (socket, address(NAS), unsigned(3)),
    ]);
    assert!(outcomes[0].1.is_some() && outcomes[1].1.is_some());
    assert_eq!(outcomes[2].0, Action::Drop(Reason::MessageAuthenticatorDowngrade));
    world.reload(|_| {});
    assert_eq!(
        world.receive(socket, address(NAS), &unsigned(4)).0,
        Action::Drop(Reason::MessageAuthenticatorDowngrade)
    );
    learned.learned.set_message_authenticator(false);
    assert!(world.ask(&unsigned(5)).is_some(), "once it is forgotten");
}

#[test]
fn accounting_is_no_concern_of_these_flags() {
    for asked in ASKED {
        let mut world = client_world(asked, true);
        let request = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16])
            .attribute(attr::USER_NAME, "alice@a.example")
            .attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, 1])
            .attribute(attr::ACCT_SESSION_ID, "s")
            .attribute(attr::PROXY_STATE, "of the client")
            .build(&nas_secret())
            .unwrap();
        assert!(world.ask_acct(&request).is_some(), "{asked:?}");
        assert_eq!(learned_of_client(&world), asked.learned);
    }
}

#[test]
fn a_status_server_is_signed_whatever_is_asked_and_teaches_nothing() {
    for asked in ASKED {
        let mut world = client_world(asked, true);
        let probe = |id: u8| RequestBuilder::new(Code::STATUS_SERVER, id, [8; 16]);
        let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &probe(1).build(&nas_secret()).unwrap());
        assert_eq!(action, Action::Drop(Reason::MessageAuthenticatorMissing), "{asked:?}");
        assert!(world.ask(&probe(2).message_authenticator().build(&nas_secret()).unwrap()).is_some(), "{asked:?}");
        assert_eq!(learned_of_client(&world), asked.learned);
    }
}

fn home_world(asked: Asked) -> World {
    let shape = move |snapshot: &mut RoutingSnapshot| {
        let home = home(snapshot, 0);
        home.require_message_authenticator = asked.require;
        home.state.learned.set_message_authenticator(asked.learned);
    };
    World::with(Plan::shaped(shape), Limits::default())
}

#[test]
fn the_whole_matrix_of_replies() {
    for signed in SIGNED {
        for asked in ASKED {
            for eap in [false, true] {
                for code in [Code::ACCESS_ACCEPT, Code::ACCESS_REJECT, Code::ACCESS_CHALLENGE] {
                    reply_case(signed, asked, eap, code);
                }
            }
        }
    }
}

fn reply_case(signed: Signed, asked: Asked, eap: bool, code: Code) {
    let case = format!("{signed:?} {asked:?} EAP {eap} {code}");
    let mut world = home_world(asked);
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let reply = |signed: Signed| {
        written_reply(&sent, "the secret of home 0", code, |builder| {
            signed.write(builder, |builder| match eap {
                true => builder.attribute(attr::EAP_MESSAGE, b"\x03\x01\x00\x04"),
                false => builder.attribute(attr::REPLY_MESSAGE, "hello"),
            })
        })
    };
    let refused = match (signed, asked.require) {
        (Signed::First | Signed::Last, _) => None,
        (Signed::No, Require::Auto) if asked.learned => Some(Reason::ReplyDowngrade),
        (Signed::No, Require::Yes) => Some(Reason::ReplyForged),
        (Signed::No, _) if !eap => None,
        _ => Some(Reason::ReplyForged),
    };
    let home = Arc::clone(world.snapshot.homes[0].as_ref().unwrap());
    let before = home.state.last_reply();
    world.now = world.now + Duration::from_millis(500);
    let (action, mut back) = world.answer(&sent, &reply(signed));
    assert_eq!(home.state.learned.message_authenticator(), {
        asked.learned || (asked.require == Require::Auto && signed.rightly() && !eap)
    });
    if let Some(reason) = refused {
        // Rule 29: nothing has changed, and the true reply still comes through.
        assert_eq!(action, Action::Drop(reason), "{case}");
        assert_eq!((world.dropped(reason), home.stats.sum(|stats| &stats.forged)), (1, 1), "{case}");
        assert_eq!((home.state.last_reply(), home.state.health()), (before, Health::Alive), "{case}");
        assert_eq!(home.stats.sum(|stats| &stats.outstanding), 1, "{case}");
        back = world.answer(&sent, &reply(Signed::First)).1;
    }
    let back = back.unwrap();
    let attrs = verified_at_nas(&back, &request);
    assert_eq!((back.bytes[0], attrs[0].0), (code.0, attr::MESSAGE_AUTHENTICATOR), "{case}: first in what we send");
}

#[test]
fn a_home_server_that_signs_once_is_held_to_it() {
    let mut world = home_world(Asked { require: Require::Auto, learned: false });
    let mut ask = |id: u8, signed: Signed| {
        let sent = world.ask(&pap(id, "alice@a.example", id)).unwrap();
        let reply = written_reply(&sent, "the secret of home 0", Code::ACCESS_ACCEPT, |builder| {
            signed.write(builder, |builder| builder)
        });
        world.answer(&sent, &reply).0
    };
    assert!(matches!(ask(1, Signed::No), Action::Send(_)), "an old server answers PAP without one");
    assert!(matches!(ask(2, Signed::Last), Action::Send(_)));
    assert_eq!(ask(3, Signed::No), Action::Drop(Reason::ReplyDowngrade));
}

#[test]
fn an_accounting_response_needs_none_whatever_is_asked() {
    for asked in ASKED {
        let shape = move |snapshot: &mut RoutingSnapshot| {
            let home = home(snapshot, 2);
            home.require_message_authenticator = asked.require;
            home.state.learned.set_message_authenticator(asked.learned);
        };
        let mut world = World::with(Plan::shaped(shape), Limits::default());
        let sent = world.ask_acct(&accounting(1, "alice@a.example", 1)).unwrap();
        let reply = home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[]);
        assert!(world.answer(&sent, &reply).1.is_some(), "{asked:?}");
    }
}
