//! `sekisho lns`: the LNSs, and the operator's word on them.

use std::str::FromStr;

use clap::Subcommand;

use super::{AdminArgs, Exit, say, show};
use crate::{
    admin::client::{AdminError, Client},
    page::lnss,
    vpdn::words::Verb,
};

/// What to show, or to do.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Without a command it shows the LNSs, those that are not well first. What is said by command goes before the \
                  customer's document, takes effect at once, and is kept over restarts; sessions in progress are never touched."
)]
pub(super) struct Args {
    #[command(subcommand)]
    word: Option<Word>,
    #[command(flatten)]
    admin: AdminArgs,
    /// Of this customer only
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Word {
    /// Give it no new sessions
    Drain(Of),
    /// Take that back; where the document itself says otherwise, use it all the same
    Undrain(Of),
    /// Take it out of service: new sessions never get it, not even while all others are down
    Down(Of),
    /// Take that back; where the document itself says otherwise, use it all the same
    Up(Of),
    /// Use a contract's preferred LNSs again, which `failback = "manual"` has wait for this
    Failback(Contract),
}

#[derive(Debug, clap::Args)]
struct Of {
    /// Which LNS
    #[arg(value_name = "CUSTOMER/LNS")]
    lns: Name,
    #[command(flatten)]
    admin: AdminArgs,
}

#[derive(Debug, clap::Args)]
struct Contract {
    /// Which `vpdn` contract
    #[arg(value_name = "CONTRACT", value_parser = name)]
    contract: String,
    #[command(flatten)]
    admin: AdminArgs,
}

/// A customer and an LNS.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name(String, String);

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Name, String> {
        let (customer, lns) = text.split_once('/').ok_or("a customer and one of its LNSs: acme/tokyo-1")?;
        Ok(Name(name(customer)?, name(lns)?))
    }
}

/// A name as documents have them, which is a part of a URL as it stands; but for the two that mean a place there.
fn name(text: &str) -> Result<String, String> {
    let is_sound = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
    let is_name = !matches!(text, "" | "." | "..") && text.bytes().all(is_sound);
    if is_name { Ok(text.to_owned()) } else { Err(format!("{text:?} is no name")) }
}

pub(super) fn run(args: &Args) -> Exit {
    let (done, words) = match &args.word {
        None => {
            return match Client::new(&args.admin.admin).lnss(args.customer.as_deref()) {
                Ok(found) => show(&found, args.json, lnss),
                Err(error) => error.into(),
            };
        }
        Some(Word::Drain(of)) => (tell(of, Verb::Drain), "It gets no new sessions; those in progress go on."),
        Some(Word::Undrain(of)) => (tell(of, Verb::Undrain), "It gets new sessions again, as far as it is well."),
        Some(Word::Down(of)) => (tell(of, Verb::Down), "It is out of service; sessions in progress go on."),
        Some(Word::Up(of)) => (tell(of, Verb::Up), "It is in service, as far as it is well."),
        Some(Word::Failback(of)) => (
            Client::new(&of.admin.admin).fail_back(&of.contract),
            "The preferred LNSs are used again as soon as one of them can be.",
        ),
    };
    match done {
        Ok(more) => {
            say(&format!("{words}\n"));
            eprint!("{more}");
            Exit::Success
        }
        Err(error) => error.into(),
    }
}

fn tell(of: &Of, verb: Verb) -> Result<String, AdminError> {
    let Name(customer, lns) = &of.lns;
    Client::new(&of.admin.admin).say_of_lns(customer, lns, verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_lns_is_named_with_its_customer() {
        assert_eq!("acme/tokyo-1".parse(), Ok(Name("acme".into(), "tokyo-1".into())));
        for nonsense in ["tokyo-1", "acme/", "/tokyo-1", "acme/tokyo/1", "acme/tokyo 1", "acme/../drain"] {
            assert!(nonsense.parse::<Name>().is_err(), "{nonsense}");
        }
    }
}
