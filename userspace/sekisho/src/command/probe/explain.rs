//! What an answer, or its absence, means here.
//!
//! The node's counters before and after the probe tell what became of it inside. Other traffic counts too, so they are
//! told as what grew meanwhile, not as proof.

use std::{fmt::Write as _, time::Duration};

use sekisho_wire::{attr, code::Code};

use super::{
    answer,
    exchange::{Answer, Outcome},
    request::{Kind, Request},
    target::Target,
};
use crate::{
    advice,
    report::{Count, Customer, Realm, Report, Server},
};

/// Everything that is known about one probe. Writing to a String does not fail, so the results of `writeln!` are let go.
pub(super) struct Story<'a> {
    /// What was sent.
    pub(super) request: &'a Request,
    /// Where to.
    pub(super) target: &'a Target,
    /// Whom it was for.
    pub(super) user: &'a str,
    /// The node before.
    pub(super) before: Option<Report>,
    /// The node after.
    pub(super) after: Option<Report>,
}

impl Story<'_> {
    /// The explanation, in lines.
    pub(super) fn tell(&self, outcome: &Outcome) -> String {
        let mut text = String::new();
        match outcome {
            Outcome::Answer(found) => {
                let _ = writeln!(text, "{}", headline(found));
                text.push_str(&answer::describe(&found.packet));
                match found.code {
                    Code::ACCESS_REJECT => self.rejected(&mut text, found),
                    Code::ACCESS_CHALLENGE => {
                        let _ = writeln!(
                            text,
                            "The home server asks for more (EAP, or a one-time password); a probe goes no further."
                        );
                    }
                    _ => {}
                }
            }
            Outcome::Silence { waited, ignored } => {
                let _ = writeln!(text, "no answer within {:.0} s", waited.as_secs_f64());
                if let Some(ignored) = ignored {
                    let _ = writeln!(text, "  {ignored}");
                }
                self.silent(&mut text);
            }
        }
        text
    }

    fn rejected(&self, text: &mut String, found: &Answer) {
        let cause = answer::number(&found.packet, attr::ERROR_CAUSE);
        let grown = self.customers(|customer| customer.unroutable);
        let said_no = self.servers(|server| server.replies.reject);
        if let (Some(server), None) = (said_no.first(), grown.first()) {
            let _ = writeln!(
                text,
                "The home server {} ({}) said no: unknown user, wrong password, or a user that it does not let in now.",
                server.name, server.address
            );
            return;
        }
        if let Some(why) = self.withheld().or_else(|| self.unanswered()) {
            let _ = writeln!(text, "sekisho itself said no: {why}");
            return;
        }
        if grown.is_empty() && cause != Some(NOT_ROUTABLE) {
            return;
        }
        let Some(realm) = self.request.realm(self.user) else {
            let _ = writeln!(text, "sekisho itself said no: \"{}\" names no realm. Use user@realm.", self.user);
            return;
        };
        let _ = writeln!(
            text,
            "sekisho itself said no: it has no way for realm \"{realm}\" from this client. {}",
            self.realm(realm)
        );
    }

    /// What the home server's answer had that its client must not get.
    fn withheld(&self) -> Option<String> {
        let (before, after) = (self.before.as_ref()?, self.after.as_ref()?);
        let server = *self.servers(|server| server.withheld).first()?;
        let counts = before.totals.withheld.by_reason().into_iter().zip(after.totals.withheld.by_reason());
        let (_, (reason, _)) = counts.into_iter().find(|((_, then), (_, now))| now > then)?;
        let what = match reason {
            "service_type" => {
                "grants Service-Type Administrative or NAS-Prompt, and the client is not `administrative`"
            }
            "framed_address" => "gives an address outside the contract's `framed_networks`",
            "challenges" => "is one challenge more than a conversation may have",
            "kept_octets" => "has State and Class of more octets than are passed on",
            "unusable" => "is too long for its access network, with what has to be added",
            other => other,
        };
        Some(format!("the answer of the home server {} ({}) {what}.", server.name, server.address))
    }

    /// Which servers the node has waited for in vain, or not even asked.
    fn unanswered(&self) -> Option<String> {
        let (before, after) = (&self.before.as_ref()?.totals, &self.after.as_ref()?.totals);
        if after.rejected_down > before.rejected_down {
            let what = "every server of the contract is dead, out of service or without an address (`when_down`).";
            return Some(what.to_owned());
        }
        if after.rejected_unanswered == before.rejected_unanswered {
            return None;
        }
        let silent = self.servers(|server| server.timeouts).into_iter();
        let silent: Vec<String> = silent.map(|one| format!("{} ({}, {})", one.name, one.address, one.state)).collect();
        let asked = if silent.is_empty() { String::new() } else { format!(" Silent: {}.", silent.join(", ")) };
        Some(format!("no home server has answered within the client's `answer_within`.{asked}"))
    }

    /// Why a realm is not served for the customer whose client we are.
    fn realm(&self, realm: &str) -> String {
        let Some(after) = &self.after else { return String::new() };
        let ours =
            after.customers.iter().find(|one| one.clients.iter().any(|client| client.address == self.target.from));
        if let Some(ours) = ours
            && let Some(routed) = self.routed(ours, realm)
        {
            let taken =
                if same(&routed.name, realm) { String::new() } else { format!("It is taken for {}; ", routed.name) };
            return match &routed.contract {
                Some(contract) => format!(
                    "{taken}{contract} serves it, but has no server for logins: give one of them a port `auth`."
                ),
                None => format!("{taken}it is {}'s, but no contract serves it: name it in a [[proxy]].", ours.name),
            };
        }
        let owner = after.customers.iter().find(|one| one.realms.iter().any(|found| same(&found.name, realm)));
        match (ours, owner) {
            (Some(ours), Some(owner)) if ours.name == owner.name => {
                format!("It is {}'s, but no contract serves it: name it in a [[proxy]].", owner.name)
            }
            (Some(ours), Some(owner)) => format!(
                "It is {}'s, and this address ({}) is a client of {}: customers reach their own realms only.",
                owner.name, self.target.from, ours.name
            ),
            (Some(ours), None) => {
                format!("No customer has it: add a [[realm]] to {}'s document, or correct the name.", ours.name)
            }
            (None, _) => "This address is no client of anybody.".to_owned(),
        }
    }

    /// The realm of this customer that the login was taken for: its Rejects grew. The one of that name before others, whose
    /// own subscribers may be rejected meanwhile.
    fn routed<'r>(&self, customer: &'r Customer, realm: &str) -> Option<&'r Realm> {
        let old = self.before.as_ref()?.customers.iter().find(|one| one.name == customer.name)?;
        let then = |name: &str| old.realms.iter().find(|one| one.name == name).map_or(0, |one| one.replies.reject);
        let grown = || customer.realms.iter().filter(|one| one.replies.reject > then(&one.name));
        grown().find(|one| same(&one.name, realm)).or_else(|| grown().next())
    }

    fn silent(&self, text: &mut String) {
        let (Some(before), Some(after)) = (&self.before, &self.after) else {
            let _ = writeln!(text, "The node's admin API does not answer, so it cannot be asked why: is it running?");
            return;
        };
        let mut found = false;
        for (at, before, after) in
            [("kernel", &before.gate.dropped, &after.gate.dropped), ("userspace", &before.dropped, &after.dropped)]
        {
            for grown in grown(before, after) {
                found = true;
                let advice = advice::of_name(&grown.name).unwrap_or_default();
                let _ = writeln!(text, "Meanwhile {} grew by {} in {at}: {advice}.", grown.name, grown.count);
            }
        }
        for server in self.servers(|server| server.timeouts) {
            found = true;
            let _ = writeln!(
                text,
                "The home server {} ({}) did not answer in time and is {} now: is it running, is our address its client, \
                 and are the secrets the same?",
                server.name,
                server.address,
                if server.state == "zombie" { "a zombie" } else { &server.state }
            );
        }
        if found {
            return;
        }
        let requests = |report: &Report| report.totals.access + report.totals.accounting;
        if requests(after) == requests(before) {
            let _ = writeln!(
                text,
                "Nothing came to the node at {}: a firewall, another network namespace, or another address than its own.",
                self.target.server
            );
            return;
        }
        let waiting = after.customers.iter().flat_map(|customer| &customer.servers).filter(|one| one.outstanding > 0);
        for server in waiting {
            let _ = writeln!(
                text,
                "{} requests are outstanding at {} ({}, {}): it is silent so far.",
                server.outstanding, server.name, server.address, server.state
            );
        }
    }

    /// Customers of which a counter grew.
    fn customers(&self, counter: impl Fn(&Customer) -> u64) -> Vec<String> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return Vec::new() };
        let then = |name: &str| before.customers.iter().find(|one| one.name == name).map_or(0, &counter);
        let grown = after.customers.iter().filter(|one| counter(one) > then(&one.name));
        grown.map(|one| one.name.clone()).collect()
    }

    /// Servers of the right kind of which a counter grew.
    fn servers(&self, counter: impl Fn(&Server) -> u64) -> Vec<&Server> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else { return Vec::new() };
        let kind = if matches!(self.request.kind, Kind::Accounting(_)) { "acct" } else { "auth" };
        let mut found = Vec::new();
        for customer in &after.customers {
            let old = before.customers.iter().find(|one| one.name == customer.name);
            for server in customer.servers.iter().filter(|server| server.kind == kind) {
                let same = |one: &&Server| (&one.name, &one.kind) == (&server.name, &server.kind);
                let then = old.and_then(|old| old.servers.iter().find(same)).map_or(0, &counter);
                if counter(server) > then {
                    found.push(server);
                }
            }
        }
        found
    }
}

/// Error-Cause 502, Request Not Routable (Proxy), RFC 5176 §3.6.
const NOT_ROUTABLE: u32 = 502;

/// Whether both are one realm's name, however it is written.
fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('.').eq_ignore_ascii_case(other.trim_end_matches('.'))
}

fn headline(found: &Answer) -> String {
    let word = match found.code {
        Code::ACCESS_ACCEPT => "accepted",
        Code::ACCESS_REJECT => "rejected",
        Code::ACCESS_CHALLENGE => "challenged",
        Code::ACCOUNTING_RESPONSE => "recorded",
        _ => "answered",
    };
    let again = if found.sent > 1 { format!(", after sending {} times", found.sent) } else { String::new() };
    format!("{word} in {}{again}: {}", milliseconds(found.after), found.code.name())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn grown(before: &[Count], after: &[Count]) -> Vec<Count> {
    let then = |name: &str| before.iter().find(|one| one.name == name).map_or(0, |one| one.count);
    let grown = after.iter().filter(|one| one.count > then(&one.name));
    grown.map(|one| Count::new(&one.name, one.count - then(&one.name))).collect()
}
