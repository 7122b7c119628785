//! `group` contracts: realms whose logins are answered here.

use std::{sync::Arc, time::Duration};

use sekisho_config::{Group, Node, Passwords, Protocol};
use sekisho_engine::{
    hosted::GroupSessions,
    snapshot::{self, Calling, CustomerId, GroupId, Lockout, PasswordForm, Protocols, RoutingSnapshot},
    stats::PerWorker,
};
use sekisho_wire::policy::{Policy, Rule, Value};

use crate::{book::IdBook, compile::Context, routing::put};

/// Adds a contract. Its accounts are not here: they come and go without a new snapshot.
pub(crate) fn contract(
    node: &Node,
    from: &Group,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> GroupId {
    let id = book.group(customer, &from.contract);
    let before = context.previous.and_then(|previous| previous.group(id));
    let reply = from.reply.iter().map(|(id, value)| Rule::Add(*id, Value::Literal(value.clone())));
    let group = snapshot::Group {
        id,
        contract: from.contract.clone(),
        customer,
        realms: from.realms.iter().map(|realm| book.realm(customer, realm.selector, realm.name.as_str())).collect(),
        protocols: from.protocols.iter().fold(Protocols::NONE, |all, one| all.with(protocol(*one))),
        form: match from.passwords {
            Passwords::Recoverable => PasswordForm::Recoverable,
            Passwords::Argon2id => PasswordForm::Argon2id,
        },
        simultaneous: from.simultaneous,
        max_sessions: from.max_sessions,
        calling: Calling::WhereListed,
        reply: Policy::new(reply.collect()).attributes().unwrap_or_default(),
        lockout: lockout(node),
        sessions: before.map_or_else(|| Arc::new(GroupSessions::default()), |before| Arc::clone(&before.sessions)),
        stats: match before {
            Some(before) => Arc::clone(&before.stats),
            None => Arc::new(PerWorker::new(context.workers)),
        },
    };
    put(&mut snapshot.groups, id.index(), group);
    id
}

/// The node's, in whole seconds.
fn lockout(node: &Node) -> Lockout {
    let hosted = &node.hosted;
    let seconds = |time: Duration| Duration::from_secs(time.as_secs().max(1));
    Lockout {
        failures: hosted.max_failures,
        client_failures: hosted.client_failures,
        window: seconds(hosted.failure_window),
        hold: seconds(hosted.lock),
    }
}

const fn protocol(from: Protocol) -> Protocols {
    match from {
        Protocol::Pap => Protocols::PAP,
        Protocol::Chap => Protocols::CHAP,
        Protocol::MsChap => Protocols::MSCHAP,
        Protocol::MsChapV2 => Protocols::MSCHAPV2,
        Protocol::EapMd5 => Protocols::EAP_MD5,
        Protocol::EapMsChapV2 => Protocols::EAP_MSCHAPV2,
    }
}
