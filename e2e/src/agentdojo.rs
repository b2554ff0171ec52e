//! The tasks of `AgentDojo` through the permission engine, without a model: what a standing policy permits and what it stops.
//!
//! The tasks' calls come from `e2e/agentdojo/extract.py`, the policies from the folders beside it. How to read the
//! numbers: `docs/agentdojo.md`.

mod policy;
mod replay;
mod report;
mod suite;
mod trace;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, ensure};

pub use report::Report;
use suite::Suite;
pub use trace::{Kind, Trace, TracedCall, read};

/// Replays traces under the policies of their suites: each a folder of `policies` that has the suite's name.
pub fn replay(policies: &Path, traces: &[Trace]) -> Result<Report> {
    let names: BTreeSet<&str> = traces.iter().map(|trace| trace.suite.as_str()).collect();
    ensure!(!names.is_empty(), "there are no traces");
    let suites = names
        .into_iter()
        .map(|name| {
            let engine = policy::load(&policies.join(name), name)?;
            let own = traces.iter().filter(|trace| trace.suite == name);
            Suite::replay(name, &engine, &own.collect::<Vec<_>>())
        })
        .collect::<Result<_>>()?;
    Ok(Report { suites })
}
