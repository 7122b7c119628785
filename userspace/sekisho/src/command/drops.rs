//! `sekisho drops`: what the running node drops, live.

use std::{
    io::{IsTerminal as _, stdout},
    net::IpAddr,
    str::FromStr,
    thread,
    time::Duration,
};

use sekisho_abi::{Reason, address_bytes, is_mapped};

use super::{AdminArgs, Exit, say};
use crate::{
    admin::client::Client,
    page::{Style, drops},
    report::Drop,
};

/// What to show.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Drops are counted by reason and sampled by sender: sums are right, the share of a single sender is an estimate. Sessions are hashes, keyed anew for \
                  each node: no subscriber is shown."
)]
pub(super) struct Args {
    #[command(flatten)]
    admin: AdminArgs,
    /// Once, instead of each second
    #[arg(long)]
    once: bool,
    /// As JSON, for programs: a line each second
    #[arg(long)]
    json: bool,
    /// Drops for this reason only; may be given several times
    #[arg(long, value_name = "REASON", value_parser = reason)]
    reason: Vec<&'static str>,
    /// Drops of this address, or of addresses with this prefix, only
    #[arg(long, value_name = "ADDRESS[/LENGTH]")]
    source: Option<Sources>,
}

/// Rows on a terminal.
const SHOWN: usize = 30;
/// Clears a terminal and goes to its first line.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sources {
    address: IpAddr,
    length: u32,
}

impl FromStr for Sources {
    type Err = String;

    fn from_str(text: &str) -> Result<Sources, String> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| format!("{address:?} is no IP address"))?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(most), str::parse).ok().filter(|length| *length <= most);
        Ok(Sources { address, length: length.ok_or_else(|| format!("a prefix has 0 to {most} bits"))? })
    }
}

impl Sources {
    fn contain(&self, other: IpAddr) -> bool {
        let [ours, theirs] = [self.address, other].map(address_bytes);
        if is_mapped(&ours) != is_mapped(&theirs) {
            return false;
        }
        let length = if self.address.is_ipv4() { self.length + 96 } else { self.length };
        let differ = u128::from_be_bytes(ours) ^ u128::from_be_bytes(theirs);
        differ.leading_zeros() >= length
    }
}

fn reason(name: &str) -> Result<&'static str, String> {
    let found = Reason::ALL.iter().map(|reason| reason.name()).find(|known| *known == name);
    found.ok_or_else(|| {
        "there is no such reason: docs/operation.md lists them, and `sekisho drops` those that occur".to_owned()
    })
}

impl Args {
    fn wanted(&self, row: &Drop) -> bool {
        let reason = self.reason.is_empty() || self.reason.contains(&row.reason.as_str());
        reason && self.source.is_none_or(|sources| sources.contain(row.source))
    }

    fn show(&self, rows: &[Drop], terminal: bool) -> Result<(), serde_json::Error> {
        if self.json {
            let text = if self.once { serde_json::to_string_pretty(rows)? } else { serde_json::to_string(rows)? };
            say(&(text + "\n"));
            return Ok(());
        }
        let colours = terminal && std::env::var_os("NO_COLOR").is_none();
        let style = if colours { Style::Colours } else { Style::Plain };
        let live = terminal && !self.once;
        let page = drops(rows, if live { SHOWN } else { usize::MAX }, style);
        say(&if live { format!("{CLEAR}{page}") } else { page });
        Ok(())
    }
}

pub(super) fn run(args: &Args) -> Exit {
    let client = Client::new(&args.admin.admin);
    let terminal = stdout().is_terminal();
    loop {
        let shown = client.drops().map_err(|error| error.to_string()).and_then(|mut rows| {
            rows.retain(|row| args.wanted(row));
            args.show(&rows, terminal).map_err(|error| error.to_string())
        });
        if let Err(error) = shown {
            eprintln!("{error}");
            return Exit::Failure;
        }
        if args.once {
            return Exit::Success;
        }
        thread::sleep(Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_source_is_an_address_or_a_prefix() {
        let one: Sources = "192.0.2.1".parse().unwrap();
        assert!(one.contain(address("192.0.2.1")) && !one.contain(address("192.0.2.2")));
        let many: Sources = "192.0.2.0/28".parse().unwrap();
        assert!(many.contain(address("192.0.2.15")) && !many.contain(address("192.0.2.16")));
        let all: Sources = "::/0".parse().unwrap();
        assert!(all.contain(address("2001:db8::1")) && !all.contain(address("192.0.2.1")));
        let v6: Sources = "2001:db8::/32".parse().unwrap();
        assert!(v6.contain(address("2001:db8:7::1")) && !v6.contain(address("2001:db9::1")));
        for nonsense in ["", "acme", "192.0.2.1/33", "192.0.2.1/", "::/129", "192.0.2.1/-1"] {
            assert!(nonsense.parse::<Sources>().is_err(), "{nonsense}");
        }
    }

    #[test]
    fn a_reason_is_one_of_those_that_there_are() {
        assert_eq!(reason("client_rate"), Ok("client_rate"));
        assert!(reason("because").is_err());
    }
}
