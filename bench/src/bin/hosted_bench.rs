//! `sekisho-hosted-bench`: logins to hosted accounts, side by side with FreeRADIUS.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sekisho_bench::hosted::{HostedBench, Server};
use sekisho_bench::load::Kind;
use sekisho_bench::options::duration;
use sekisho_bench::stop::Stop;

/// Measures what a login costs a server that has the accounts itself, on loopback; prints a table, and writes JSON to --results.
#[derive(Parser)]
#[command(name = "sekisho-hosted-bench", version)]
struct Arguments {
    /// The sekisho program; without it, it takes no part.
    #[arg(long, value_name = "PROGRAM")]
    sekisho: Option<PathBuf>,
    /// Only these, in this order: sekisho, FreeRADIUS with a users file, FreeRADIUS with SQLite.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "sekisho,files,sqlite")]
    servers: Vec<Server>,
    /// Kinds of login: pap, chap, mschapv2. FreeRADIUS is set up for MS-CHAP only where it is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "pap,chap")]
    kinds: Vec<Kind>,
    /// Logins outstanding at once.
    #[arg(long, value_delimiter = ',', default_value = "64,1024")]
    windows: Vec<usize>,
    /// How often everything is measured, the servers in turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each measurement takes.
    #[arg(long, value_parser = duration, default_value = "5s")]
    time: Duration,
    /// Load before that, not counted.
    #[arg(long, value_parser = duration, default_value = "1s")]
    warm_up: Duration,
    /// Send an unanswered login again after that time.
    #[arg(long, value_parser = duration, default_value = "1s")]
    timeout: Duration,
    /// How often to send it again.
    #[arg(long, default_value_t = 3)]
    retries: u32,
    /// Source ports that logins come from, in turn, as from so many NASes (default: twice what the window needs, at least 4).
    #[arg(long)]
    ports: Option<usize>,
    /// How many accounts each server has.
    #[arg(long, default_value_t = 10_000, value_parser = at_least_one)]
    accounts: usize,
    /// Measure what an account takes of a server's memory, too: the difference between 10 and 100,000 accounts.
    #[arg(long)]
    accounts_memory: bool,
    /// Write the results into this directory, as DATE-KIND_OF_MACHINE-hosted.json.
    #[arg(long, value_name = "DIRECTORY")]
    results: Option<PathBuf>,
}

/// Between these numbers of accounts memory is measured.
const MEMORY: (usize, usize) = (10, 100_000);

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sekisho-hosted-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    if !arguments.kinds.iter().all(|kind| kind.is_login()) {
        return Err("accounting is no login: --kinds takes pap, chap and mschapv2".into());
    }
    let bench = HostedBench {
        servers: arguments.servers,
        kinds: arguments.kinds,
        windows: arguments.windows,
        rounds: arguments.rounds.max(1),
        time: arguments.time,
        warm_up: arguments.warm_up,
        timeout: arguments.timeout,
        retries: arguments.retries,
        ports: arguments.ports,
        accounts: arguments.accounts,
        memory: arguments.accounts_memory.then_some(MEMORY),
        // It is run from a directory of its own.
        sekisho: arguments.sekisho.map(std::path::absolute).transpose()?,
    };
    let results = bench.run(&Stop::on_signals()?, &mut |line| eprintln!("{line}"))?;
    println!("{}", results.markdown()?);
    if let Some(directory) = arguments.results {
        std::fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{}-{}-hosted.json", results.date, results.machine.kind()));
        std::fs::write(&path, serde_json::to_string_pretty(&results)? + "\n")?;
        eprintln!("written to {}", path.display());
    }
    Ok(())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one account has to log in".into()),
        Ok(count) => Ok(count),
        Err(error) => Err(format!("{text:?} is no number of accounts: {error}")),
    }
}
