//! `sekisho-compare`: relay, sekisho, FreeRADIUS and radsecproxy side by side.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sekisho_bench::compare::{Comparison, Proxy};
use sekisho_bench::load::Kind;
use sekisho_bench::options::duration;
use sekisho_bench::stop::Stop;

/// Measures what a proxied transaction costs each proxy, on loopback; prints a table, and writes JSON to --results.
#[derive(Parser)]
#[command(name = "sekisho-compare", version)]
struct Arguments {
    /// The sekisho program; without it, it takes no part.
    #[arg(long, value_name = "PROGRAM")]
    sekisho: Option<PathBuf>,
    /// An earlier build of sekisho, to see what a change costs; without it, none takes part.
    #[arg(long, value_name = "PROGRAM")]
    former: Option<PathBuf>,
    /// Only these, in this order.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "relay,sekisho,former,freeradius,radsecproxy")]
    proxies: Vec<Proxy>,
    /// Kinds of request.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "acct,pap")]
    kinds: Vec<Kind>,
    /// Requests outstanding at once.
    #[arg(long, value_delimiter = ',', default_value = "64,1024")]
    windows: Vec<usize>,
    /// How often everything is measured, the proxies in turn.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each measurement takes.
    #[arg(long, value_parser = duration, default_value = "5s")]
    time: Duration,
    /// Load before that, not counted.
    #[arg(long, value_parser = duration, default_value = "1s")]
    warm_up: Duration,
    /// Send an unanswered request again after that time.
    #[arg(long, value_parser = duration, default_value = "1s")]
    timeout: Duration,
    /// How often to send it again.
    #[arg(long, default_value_t = 3)]
    retries: u32,
    /// Write the results into this directory, as DATE-KIND_OF_MACHINE.json.
    #[arg(long, value_name = "DIRECTORY")]
    results: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sekisho-compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let comparison = Comparison {
        proxies: arguments.proxies,
        kinds: arguments.kinds,
        windows: arguments.windows,
        rounds: arguments.rounds.max(1),
        time: arguments.time,
        warm_up: arguments.warm_up,
        timeout: arguments.timeout,
        retries: arguments.retries,
        sekisho: arguments.sekisho,
        former: arguments.former,
    };
    let results = comparison.run(&Stop::on_signals()?, &mut |line| eprintln!("{line}"))?;
    println!("{}", results.markdown()?);
    if let Some(directory) = arguments.results {
        std::fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{}-{}.json", results.date, results.machine.kind()));
        std::fs::write(&path, serde_json::to_string_pretty(&results)? + "\n")?;
        eprintln!("written to {}", path.display());
    }
    Ok(())
}
