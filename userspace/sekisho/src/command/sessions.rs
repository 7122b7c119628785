//! `sekisho sessions`: who is on which LNS, and which hosted accounts are in use.

use super::{AdminArgs, Exit, say, show};
use crate::{
    admin::client::Client,
    asked::{LIMIT, LIMIT_MAX, Query},
    page::sessions,
};

/// What to show.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Sessions are those that agree with everything that is said. A reserved one has its Accept, and no Start yet. A login \
                  through an LNS to a hosted account counts for both contracts. The answer names subscribers: treat it as such.\n\n\
                  --forget is for sessions whose Stop was lost and that keep an account from logging in. The NAS is told nothing: \
                  a session that goes on all the same counts again from its next Interim."
)]
pub(super) struct Args {
    #[command(flatten)]
    admin: AdminArgs,
    /// Of this customer
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// Of this `vpdn` or `group` contract
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    /// On this LNS
    #[arg(long, value_name = "NAME")]
    lns: Option<String>,
    /// From this access network, or this client of hosted accounts
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Of this number, however it is written, or of this IMSI
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    number: Option<String>,
    /// With this User-Name, exactly
    #[arg(long, value_name = "USER-NAME")]
    user: Option<String>,
    /// Forget those of hosted accounts that are meant, instead of showing them
    #[arg(long, conflicts_with_all = ["limit", "json"])]
    forget: bool,
    /// So many at most
    #[arg(long, value_name = "NUMBER", default_value_t = LIMIT, value_parser = limit)]
    limit: usize,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

fn limit(text: &str) -> Result<usize, String> {
    let limit = text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| format!("a number from 1 to {LIMIT_MAX}"))
}

pub(super) fn run(args: &Args) -> Exit {
    let query = Query {
        customer: args.customer.clone(),
        contract: args.contract.clone(),
        lns: args.lns.clone(),
        network: args.network.clone(),
        number: args.number.clone(),
        user: args.user.clone(),
        limit: (!args.forget).then_some(args.limit),
    };
    let client = Client::new(&args.admin.admin);
    if args.forget {
        return match client.forget_sessions(&query) {
            Ok(count) => {
                let sessions = if count == 1 { "1 session is" } else { &format!("{count} sessions are") };
                say(&format!("{sessions} forgotten.\n"));
                Exit::Success
            }
            Err(error) => error.into(),
        };
    }
    match client.sessions(&query) {
        Ok(found) => show(&found, args.json, |found, style| sessions(found, args.limit, style)),
        Err(error) => error.into(),
    }
}
