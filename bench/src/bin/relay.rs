//! `sekisho-relay`: moves datagrams to a home server and back, and does no RADIUS.

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use sekisho_bench::relay::Relay;
use sekisho_bench::stop::Stop;

/// A bare UDP relay: the floor of what a proxy can cost. Clients and home server share one secret.
#[derive(Parser)]
#[command(name = "sekisho-relay", version)]
struct Arguments {
    /// Address and port for authentication.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen_auth: SocketAddr,
    /// Address and port for accounting.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen_acct: SocketAddr,
    /// The home server's address and port for authentication.
    #[arg(long, value_name = "ADDRESS:PORT")]
    home_auth: SocketAddr,
    /// The home server's address and port for accounting.
    #[arg(long, value_name = "ADDRESS:PORT")]
    home_acct: SocketAddr,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sekisho-relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let stop = Stop::on_signals()?;
    let ways = [(arguments.listen_auth, arguments.home_auth), (arguments.listen_acct, arguments.home_acct)];
    Relay::bind(&ways)?.run(&stop)?;
    Ok(())
}
