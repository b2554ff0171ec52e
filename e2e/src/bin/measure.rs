//! Measures the installation on the cluster of `KUBECONFIG` and prints a table: what `make bench` shows beside criterion.

use clap::Parser;
use monstrum_e2e::measure::{self, Amounts};

/// How long changes, checks and turns take, and how much an idle installation holds.
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    amounts: Amounts,
}

// One thread: what is measured is the other end, and this one must not wake a second processor for each answer.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    println!("{}", measure::machine());
    println!("| what | median | p99 or most | samples |\n| --- | --- | --- | --- |");
    for row in measure::all(args.amounts).await? {
        println!("{row}");
    }
    Ok(())
}
