//! `sekisho-home`: a small home server for trials, tests and benches.

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use sekisho_bench::home::users::{User, parse};
use sekisho_bench::home::{Extras, Faults, Home, Running, Users};
use sekisho_bench::options::{SecretOption, duration};
use sekisho_bench::stop::{LOOK, Stop};

/// A small RADIUS home server: checks passwords (PAP, CHAP), answers accounting, prints counts as JSON when it ends.
#[derive(Parser)]
#[command(name = "sekisho-home", version)]
struct Arguments {
    /// Address and port for authentication.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:1912")]
    listen_auth: SocketAddr,
    /// Address and port for accounting.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:1913")]
    listen_acct: SocketAddr,
    #[command(flatten)]
    secret: SecretOption,
    /// A user as NAME:PASSWORD; the name * is everybody else. May be repeated.
    #[arg(long, value_name = "NAME:PASSWORD")]
    user: Vec<User>,
    /// A file of such users, one a line.
    #[arg(long, value_name = "FILE")]
    users_file: Option<PathBuf>,
    /// Threads, each with its own sockets.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Put a Tunnel-Password into each Accept. May be repeated: tags 1, 2, …
    #[arg(long, value_name = "PASSWORD")]
    tunnel_password: Vec<String>,
    /// Put MS-MPPE-Send-Key and MS-MPPE-Recv-Key into each Accept.
    #[arg(long)]
    mppe: bool,
    /// Discard Access-Requests without Message-Authenticator.
    #[arg(long)]
    require_message_authenticator: bool,
    /// Send every reply that much later.
    #[arg(long, value_parser = duration, default_value = "0s")]
    delay: Duration,
    /// Leave every Nth request unanswered.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "silent")]
    drop_every: u64,
    /// Answer nothing at all.
    #[arg(long)]
    silent: bool,
    /// Send a forged reply before each right one.
    #[arg(long)]
    forge: bool,
    /// Send each reply twice.
    #[arg(long)]
    duplicate: bool,
    /// Print counts as a line of JSON that often, too.
    #[arg(long, value_name = "INTERVAL", value_parser = duration)]
    stats: Option<Duration>,
    /// Print nothing but counts.
    #[arg(long)]
    quiet: bool,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sekisho-home: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let stop = Stop::on_signals()?;
    let mut users: Users = arguments.user.into_iter().collect();
    if let Some(path) = &arguments.users_file {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
        parse(&text).map_err(|error| told(&error))?.into_iter().for_each(|user| users.add(user));
    }
    let names = users.names();
    let home = Home {
        authentication: Some(arguments.listen_auth),
        accounting: Some(arguments.listen_acct),
        secret: arguments.secret.read()?,
        users,
        extras: Extras {
            tunnel_passwords: arguments.tunnel_password,
            mppe_keys: arguments.mppe,
            require_message_authenticator: arguments.require_message_authenticator,
        },
        faults: Faults {
            delay: arguments.delay,
            drop_every: if arguments.silent { 1 } else { arguments.drop_every },
            forge: arguments.forge,
            duplicate: arguments.duplicate,
        },
        workers: arguments.workers,
    };
    let running = home.start().map_err(|error| {
        format!("cannot listen on {} and {}: {error}", arguments.listen_auth, arguments.listen_acct)
    })?;
    if !arguments.quiet {
        greet(&running, &names)?;
    }
    let mut next = arguments.stats.map(|interval| Instant::now() + interval);
    while !stop.is_set() && !running.has_failed() {
        std::thread::sleep(LOOK);
        if let (Some(interval), Some(due)) = (arguments.stats, next)
            && due <= Instant::now()
        {
            print_stats(&running.stats())?;
            next = Some(due + interval);
        }
    }
    print_stats(&running.stop()?)?;
    Ok(())
}

fn greet(running: &Running, names: &[String]) -> io::Result<()> {
    let address = |address: Option<SocketAddr>| address.map_or_else(|| "-".into(), |address| address.to_string());
    let (authentication, accounting) = (address(running.authentication), address(running.accounting));
    let mut out = io::stdout().lock();
    writeln!(out, "home server ready: authentication on {authentication}, accounting on {accounting}")?;
    match names.len() {
        0 => writeln!(out, "no user is known, every login will be rejected (see --user)")?,
        1..=8 => writeln!(out, "users: {}", names.join(", "))?,
        count => writeln!(out, "{count} users")?,
    }
    out.flush()
}

fn print_stats(stats: &sekisho_bench::home::Stats) -> Result<(), Box<dyn Error>> {
    println!("{}", serde_json::to_string(stats)?);
    Ok(())
}
