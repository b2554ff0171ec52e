//! Measures the installation on the cluster of `KUBECONFIG` and prints a table: what `make bench` shows beside criterion.

use clap::Parser;
use monstrum_e2e::measure;

/// How long changes take, and how much an idle installation holds.
#[derive(Debug, Parser)]
struct Args {
    /// How many changes are made.
    #[arg(long, default_value_t = 100)]
    changes: usize,
    /// How many bots are made one after the other.
    #[arg(long, default_value_t = 5)]
    bots: usize,
    /// How many turns are run.
    #[arg(long, default_value_t = 100)]
    turns: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    println!("{}", measure::machine());
    println!("| what | median | p99 or most | samples |\n| --- | --- | --- | --- |");
    for row in measure::all(args.changes, args.bots, args.turns).await? {
        println!("{row}");
    }
    Ok(())
}
