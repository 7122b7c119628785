//! `sekisho sessions`: who is on which LNS.

use super::{AdminArgs, Exit, show};
use crate::{
    admin::client::Client,
    page::sessions,
    vpdn::asked::{LIMIT, LIMIT_MAX, Query},
};

/// What to show.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Sessions are those that agree with everything that is said. A reserved one has its Accept, and no Start yet. \
                  The answer names subscribers: treat it as such."
)]
pub(super) struct Args {
    #[command(flatten)]
    admin: AdminArgs,
    /// Of this customer
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// Of this `vpdn` contract
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    /// On this LNS
    #[arg(long, value_name = "NAME")]
    lns: Option<String>,
    /// From this access network
    #[arg(long, value_name = "NAME")]
    network: Option<String>,
    /// Of this number, however it is written, or of this IMSI
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    number: Option<String>,
    /// With this User-Name, exactly
    #[arg(long, value_name = "USER-NAME")]
    user: Option<String>,
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
        limit: Some(args.limit),
    };
    match Client::new(&args.admin.admin).sessions(&query) {
        Ok(found) => show(&found, args.json, |found, style| sessions(found, args.limit, style)),
        Err(error) => error.into(),
    }
}
