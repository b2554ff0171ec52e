//! What `cargo xtask` can be told.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::{arrows, generated};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Generators and checks")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the files that are generated from the Rust types: custom resource definitions, the chart that installs
    /// them, JSON schemas, reference pages.
    Gen {
        /// Write nothing; fail if a file is missing, differs or should not be there.
        #[arg(long)]
        check: bool,
    },
    /// Check which crate depends on which against the list of allowed edges.
    Arrows,
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    match Args::parse().command {
        Command::Gen { check: false } => {
            let written = generated::write(&root()?)?;
            println!("{written} generated files are up to date");
            Ok(ExitCode::SUCCESS)
        }
        Command::Gen { check: true } => {
            let stale = generated::stale(&root()?)?;
            Ok(report("not as generated; run `cargo xtask gen`", &stale))
        }
        Command::Arrows => Ok(report(
            "not an allowed dependency; see DESIGN and xtask/src/arrows.rs",
            &arrows::forbidden(&root()?)?,
        )),
    }
}

fn report(what: &str, findings: &[String]) -> ExitCode {
    for finding in findings {
        eprintln!("{finding}: {what}");
    }
    if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The repository: the parent of this crate.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask has no parent folder")?.to_owned())
}
