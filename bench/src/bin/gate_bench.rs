//! `sekisho-gate-bench`: what a packet costs in the kernel.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sekisho_bench::gate::GateBench;
use sekisho_bench::gate::keys::TURNS;
use sekisho_bench::stop::Stop;

/// Measures what a packet costs in the XDP gate, by BPF test runs; prints a table, and writes JSON to --results. Needs root.
#[derive(Parser)]
#[command(name = "sekisho-gate-bench", version)]
struct Arguments {
    /// The sekisho program, to measure a retransmit in userspace too.
    #[arg(long, value_name = "PROGRAM")]
    sekisho: Option<PathBuf>,
    /// How often each figure is taken, the floor in turn with it.
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Runs in each round; the default takes every key.
    #[arg(long, default_value_t = TURNS as u32)]
    repeat: u32,
    /// Sources where there are many; at most 1,048,576.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=TURNS as i64))]
    sources: u32,
    /// Write the results into this directory, as DATE-KIND_OF_MACHINE-gate.json.
    #[arg(long, value_name = "DIRECTORY")]
    results: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sekisho-gate-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let bench = GateBench {
        rounds: arguments.rounds,
        repeat: arguments.repeat,
        many: arguments.sources,
        sekisho: arguments.sekisho,
    };
    let results = bench.run(&Stop::on_signals()?, &mut |line| eprintln!("{line}"))?;
    println!("{}", results.markdown()?);
    if let Some(directory) = arguments.results {
        std::fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{}-{}-gate.json", results.date, results.machine.kind()));
        std::fs::write(&path, serde_json::to_string_pretty(&results)? + "\n")?;
        eprintln!("written to {}", path.display());
    }
    Ok(())
}
