//! What an installation costs: time to enforce, time to be ready, memory.

mod guardian;
mod memory;
mod own_time;
mod samples;
mod times;

use anyhow::Result;

use crate::harness::{BotSetup, Workspace};
pub use samples::Row;

/// How many of each are measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Amounts {
    /// How many changes are made.
    #[arg(long, default_value_t = 100)]
    changes: usize,
    /// How many bots are made one after the other.
    #[arg(long, default_value_t = 5)]
    bots: usize,
    /// How many turns are run, of each sort.
    #[arg(long, default_value_t = 100)]
    turns: usize,
    /// How many calls are checked.
    #[arg(long, default_value_t = 10_000)]
    checks: usize,
}

/// Every measurement, in a namespace of its own.
pub async fn all(amounts: Amounts) -> Result<Vec<Row>> {
    let Amounts {
        changes,
        bots,
        turns,
        checks,
    } = amounts;
    let mut rows = vec![times::apply_to_ready(bots).await?];
    let workspace = Workspace::create("measure").await?;
    BotSetup::triage().install(&workspace).await?;
    rows.push(guardian::over_grpc(&workspace, checks).await?);
    rows.push(times::turn(&workspace, turns).await?);
    rows.extend(own_time::of_turns(&workspace, turns).await?);
    // The last of those that need the bot's grants, which it changes.
    rows.push(times::change_to_enforced(&workspace, changes).await?);
    rows.extend(memory::of(&workspace).await?);
    workspace.remove().await?;
    Ok(rows)
}

/// Processor, cores and memory, for the record.
pub fn machine() -> String {
    let file = |path| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default();
        line.split_once(':')
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let (cpu, memory) = (file("/proc/cpuinfo"), file("/proc/meminfo"));
    format!(
        "Machine: {}, {cores} cores, {} memory, Linux {}",
        field(&cpu, "model name"),
        field(&memory, "MemTotal"),
        file("/proc/sys/kernel/osrelease").trim()
    )
}
