//! `sekisho-load`: a RADIUS load generator.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sekisho_bench::load::{End, Kind, Pace, Plan};
use sekisho_bench::options::{SecretOption, duration};
use sekisho_bench::stop::Stop;

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
    /// The realm of every user.
    #[arg(long, default_value = "acme.example")]
    realm: String,
    /// How many users.
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
    /// Seed of authenticators (default: another one each time).
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
    let plan = Plan {
        target: arguments.target,
        secret: arguments.secret.read()?,
        kind: arguments.kind,
        realm: arguments.realm,
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
    Ok(())
}
