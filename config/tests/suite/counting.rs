//! Whose accounting counts sessions, and what may not go by their number where nobody counts them.

use crate::common::{BALANCED, TUNNEL, tunnel_refused, tunnel_taken, tunnel_warned, with};
use sekisho_config::Counting;

/// The customer with two contracts that share an LNS: for realms of its own each, counted so.
fn shared(first: &str, second: &str, lns: &str) -> String {
    let text = with(TUNNEL, "[[lns]]\n", &format!("[[realm]]\nsuffix = \"b.example\"\n[[lns]]\n{lns}\n"));
    let text =
        with(&text, "type = \"D\"\n", &format!("type = \"D\"\nrealms = [\"acme.example\"]\naccounting = {first:?}\n"));
    format!(
        "{text}[[vpdn]]\ncontract = \"second\"\ntype = \"D\"\nrealms = [\"b.example\"]\nlns = [\"tokyo\"]\naccounting = {second:?}\n"
    )
}

#[test]
fn where_lnss_count_each_has_a_secret() {
    let counted = with(BALANCED, "type = \"D\"", "type = \"D\"\naccounting = \"lns\"");
    let secret = |text: &str, name: &str| {
        with(
            text,
            &format!("name = \"{name}\"\n"),
            &format!("name = \"{name}\"\nsecret = \"secret of {name}'s accounting\"\n"),
        )
    };
    let two = secret(&secret(&counted, "tokyo"), "nagoya");
    let says = "vpdn[0].accounting: LNS \"osaka\" has no secret, so it sends no accounting that could be counted. Give the [[lns]]";
    tunnel_refused(&two, &[says]);
    let all = tunnel_taken(&secret(&two, "osaka"));
    assert_eq!(all.vpdn[0].accounting, Counting::Lns);
    assert!(all.lnss.iter().all(|lns| lns.accounting.is_some()));
}

#[test]
fn without_accounting_nothing_goes_by_the_number_of_sessions() {
    let none =
        |text: &str, keys: &str| with(text, "type = \"D\"", &format!("type = \"D\"\naccounting = \"none\"\n{keys}"));
    assert_eq!(tunnel_taken(&none(TUNNEL, "")).vpdn[0].accounting, Counting::None);
    let says = "vpdn[0].max_sessions: needs sessions counted, and with `accounting = \"none\"` nobody counts them. Set";
    tunnel_refused(&none(TUNNEL, "max_sessions = 5"), &[says]);
    let says = "needs sessions counted, and with `accounting = \"none\"` nobody counts them. Set `accounting` to \"lac\" or \"lns\", or choose";
    let first = with(&none(BALANCED, ""), "strategy = \"round-robin\"", "strategy = \"least-sessions\"");
    tunnel_refused(&first, &["vpdn[0].load_balancing.strategy: \"least-sessions\" ", says]);
    let tier = with(&none(BALANCED, ""), "lns = [\"nagoya\"]", "lns = [\"nagoya\"]\nstrategy = \"least-sessions\"");
    tunnel_refused(&tier, &["vpdn[0].load_balancing.tier[0].strategy: \"least-sessions\" ", says]);
    let lns = with(&none(TUNNEL, ""), "name = \"tokyo\"", "name = \"tokyo\"\nmax_sessions = 5");
    let says = "max_sessions: needs sessions counted, and no contract that it is for has `accounting` other than \"none\". Set";
    tunnel_refused(&lns, &["lns[0].", says]);
    let customer = with(&none(TUNNEL, ""), "name = \"acme\"", "name = \"acme\"\nmax_vpdn_sessions = 5");
    tunnel_refused(&customer, &["customer.max_vpdn_sessions: needs sessions counted, and no contract"]);
    let overflow =
        with(&none(BALANCED, ""), "[[vpdn.load_balancing.tier]]\nlns = [\"nagoya\"]", "overflow = [\"nagoya\"]");
    let overflow = with(&overflow, "name = \"nagoya\"", "name = \"nagoya\"\nmax_sessions = 5");
    tunnel_refused(&overflow, &["lns[2].", says]);
    let says = "vpdn[0].interim_interval: means nothing with `accounting = \"none\"`. Take it out.";
    tunnel_warned(&none(TUNNEL, "interim_interval = \"5m\""), &[says]);
    tunnel_warned(&none(TUNNEL, ""), &[]);
}

#[test]
fn a_limit_that_contracts_share_is_an_estimate_where_one_is_not_counted() {
    let says = "lns[0].max_sessions: is an estimate: sessions of contract \"second\" are not counted (`accounting = \"none\"`).";
    tunnel_warned(&shared("lac", "none", "max_sessions = 100"), &[says]);
    tunnel_warned(&shared("lac", "lac", "max_sessions = 100"), &[]);
    tunnel_warned(&shared("lac", "none", ""), &[]);
    let most = with(&shared("none", "lac", ""), "name = \"acme\"", "name = \"acme\"\nmax_vpdn_sessions = 5");
    tunnel_warned(
        &most,
        &["customer.max_vpdn_sessions: is an estimate: sessions of contract \"acme-vpdn\" are not counted"],
    );
}

#[test]
fn contracts_that_share_an_lns_are_counted_by_one_source() {
    let secret = "secret = \"secret of tokyo's accounting\"";
    let says = "vpdn[1].accounting: sessions on LNS \"tokyo\" are counted by another source at ";
    tunnel_refused(
        &shared("lac", "lns", secret),
        &[says, "acme.toml:16, and one that both report counts twice. Give contracts"],
    );
    tunnel_taken(&shared("lns", "lns", secret));
    tunnel_taken(&shared("lns", "none", secret));
}
