//! `policy lint`: grants that are right and still not what was meant.

mod finding;
mod rule;

use std::collections::BTreeSet;
use std::path::PathBuf;

use self::finding::{Finding, Level};
use crate::cluster::{Cluster, ClusterArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Screen, paint, printable};
use crate::policy;

/// Find grants that are right and still not what was meant
///
/// Objects that are refused with their grants, dead grants, grants and patterns that another one makes superfluous, patterns
/// that permit anything, dimensions that a grant leaves open, options that swallow values, programs that run other programs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum policy lint -f policy/
  monstrum policy lint -n team-a -o json

The exit code is 1 when there is a warning; notes do not count.")]
pub(crate) struct LintArgs {
    /// Look at these files or folders instead of the cluster's objects
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Leave notes out
    #[arg(long)]
    warnings_only: bool,
}

pub(super) async fn run(
    args: &LintArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let namespace = cluster.namespace.as_deref().unwrap_or("default");
    let (compiled, manifests) = if args.files.is_empty() {
        (
            policy::from_cluster(&Cluster::connect(cluster).await?).await?,
            Vec::new(),
        )
    } else {
        let input = policy::read(&args.files, namespace)?;
        (policy::from_input(&input)?, input.manifests)
    };
    let mut findings: Vec<Finding> = compiled.bots.iter().flat_map(rule::findings).collect();
    findings.retain(|finding| !args.warnings_only || finding.level == Level::Warning);
    for finding in &mut findings {
        finding.locate(&manifests);
    }
    // Told first: whoever is refused has no grants left that could be looked at.
    let mut told = BTreeSet::new();
    let refused = compiled
        .problems
        .iter()
        .filter(|problem| told.insert(problem.key()));
    findings.splice(0..0, refused.map(Finding::of_problem));
    show(&findings, screen)?;
    Ok(
        if findings.iter().any(|finding| finding.level == Level::Warning) {
            Exit::Found
        } else {
            Exit::Success
        },
    )
}

fn show(findings: &[Finding], screen: &mut Screen) -> std::io::Result<()> {
    if screen.format() != Format::Table {
        return screen.data(&findings);
    }
    for finding in findings {
        let level = match finding.level {
            Level::Warning => paint::with(paint::WARN, "warning"),
            Level::Note => paint::with(paint::DIM, "note"),
        };
        let place = finding
            .place
            .as_deref()
            .map(|place| format!("{place}: "))
            .unwrap_or_default();
        screen.line(&format!(
            "{place}{level} {}: {}: {}",
            finding.rule,
            printable(&finding.subject()),
            printable(&finding.message)
        ))?;
    }
    if findings.is_empty() {
        screen.line(&paint::with(paint::GOOD, "Nothing to say."))
    } else {
        Ok(())
    }
}
