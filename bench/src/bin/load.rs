//! `sekisho-load`: a RADIUS load generator.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sekisho_bench::load::{Accounts, End, Kind, Pace, Plan};
use sekisho_bench::options::{SecretOption, duration};
use sekisho_bench::stop::Stop;
use sekisho_wire::code::Code;

/// Sends accounting records or logins, verifies every reply, and prints a summary as JSON.
///
/// Without --rate it keeps --window requests outstanding (closed loop).
#[derive(Parser)]
#[command(name = "sekisho-load", version)]
struct Arguments {
    /// The server or proxy: address and port.
    #[arg(value_name = "ADDRESS:PORT")]
    target: SocketAddr,
    /// What to send.
    #[arg(long, value_enum, default_value = "pap")]
    kind: Kind,
    #[command(flatten)]
    secret: SecretOption,
    /// Log in with these accounts, all of them in a random order: CSV whose first line names the columns user and password. Every
    /// answer has to be an Access-Accept, or the program fails in the end.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["users", "password"])]
    accounts: Option<PathBuf>,
    /// The realm of every user; an account that has one keeps it.
    #[arg(long, default_value = "acme.example")]
    realm: String,
    /// How many users, where there are no --accounts.
    #[arg(long, default_value_t = 1000)]
    users: usize,
    /// Their password.
    #[arg(long, default_value = "wonderland")]
    password: String,
    /// Requests outstanding at once.
    #[arg(long, value_name = "N", default_value_t = 64)]
    window: usize,
    /// Requests a second instead (open loop).
    #[arg(long, value_name = "R", conflicts_with = "window")]
    rate: Option<f64>,
    /// Stop after so many requests.
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    requests: Option<u64>,
    /// Stop after that time (default 5s).
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// Send from this address.
    #[arg(long)]
    source: Option<IpAddr>,
    /// Source ports, each with 256 ids (default: twice what the window needs, at least 4).
    #[arg(long)]
    ports: Option<usize>,
    /// Send an unanswered request again after that time.
    #[arg(long, value_parser = duration, default_value = "1s")]
    timeout: Duration,
    /// How often to send it again.
    #[arg(long, default_value_t = 3)]
    retries: u32,
    /// Send every request twice, back to back.
    #[arg(long)]
    double: bool,
    /// Count a reply to a login without Message-Authenticator as bad.
    #[arg(long)]
    require_message_authenticator: bool,
    /// Seed of authenticators and of the order of accounts (default: another one each time).
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sekisho-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let pace = match arguments.rate {
        Some(rate) if rate > 0.0 => Pace::Rate(rate),
        Some(_) => return Err("a rate is greater than 0".into()),
        None => Pace::Window(arguments.window),
    };
    if arguments.accounts.is_some() && !arguments.kind.is_login() {
        return Err("accounts log in: --kind pap, chap or mschapv2 goes with --accounts".into());
    }
    let plan = Plan {
        target: arguments.target,
        secret: arguments.secret.read()?,
        kind: arguments.kind,
        realm: arguments.realm,
        accounts: arguments.accounts.as_deref().map(Accounts::read).transpose()?,
        users: arguments.users,
        password: arguments.password,
        pace,
        end: match arguments.requests {
            Some(requests) => End::Requests(requests),
            None => End::After(arguments.duration.unwrap_or(Duration::from_secs(5))),
        },
        source: arguments.source,
        ports: arguments.ports,
        timeout: arguments.timeout,
        retries: arguments.retries,
        double: arguments.double,
        require_message_authenticator: arguments.require_message_authenticator,
        seed: arguments.seed.unwrap_or_else(rand::random),
    };
    let report = plan.run(&Stop::on_signals()?)?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    let accepted = report.replied(Code::ACCESS_ACCEPT);
    if plan.accounts.is_some() && accepted < report.sent {
        return Err(format!("{} of {} logins were not accepted", report.sent - accepted, report.sent).into());
    }
    Ok(())
}
