//! `validate`: what is wrong with files of objects, without a cluster.

mod dropped;
mod structure;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use crate::cluster::ClusterArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{self, Manifest, Secret};
use crate::output::{Format, Screen, paint, render};
use crate::policy::{self, Input, Problem};

/// Validate files of objects, without a cluster
///
/// Checks what the API server checks by schema, what the admission webhook refuses, what the operator would report in
/// conditions, and whether every pattern of every grant compiles. Give all files that belong together, resource types
/// included: references are followed. Secrets are judged by their annotations where they are in the files, and taken to
/// exist and to agree where they are not. CEL rules of the definitions are left to the API server.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum validate -f policy/
  monstrum validate -f bot.yaml -f github.yaml -o json
  kustomize build . | monstrum validate -f -

The exit code is 0 when nothing is wrong, 1 when something is.")]
pub(crate) struct ValidateArgs {
    /// Files or folders of YAML or JSON; - is the standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// What came of it. The names are API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Findings<'a> {
    objects: usize,
    problems: Vec<policy::Described<'a>>,
    /// Secrets that are in no file: whether they agree to their use can't be seen.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    assumed_secrets: &'a BTreeSet<String>,
}

pub(super) fn run(args: &ValidateArgs, cluster: &ClusterArgs, screen: &mut Screen) -> Result<Exit, Failure> {
    let namespace = cluster.namespace.as_deref().unwrap_or("default");
    let mut input = Input::default();
    let mut problems = Vec::new();
    for source in files::collect(&args.files)? {
        for found in Manifest::each(&source, namespace) {
            match found {
                Ok(manifest) => input.manifests.push(manifest),
                Err(error) => problems.push(Problem::of_document(error)?),
            }
        }
        // What is no YAML was told above.
        input
            .secrets
            .extend(Secret::all(&source, namespace).unwrap_or_default());
    }
    let compiled = policy::from_input(&input)?;
    problems.extend(structure::problems(&input.manifests));
    problems.extend(dropped::problems(&input.manifests));
    problems.extend(compiled.problems);
    let problems = ordered(problems);
    show(input.manifests.len(), &problems, &compiled.assumed, screen)?;
    Ok(if problems.is_empty() {
        Exit::Success
    } else {
        Exit::Found
    })
}

/// In the order of files and lines, each once.
fn ordered(mut problems: Vec<Problem>) -> Vec<Problem> {
    let mut told = BTreeSet::new();
    problems.retain(|problem| told.insert(problem.key()));
    problems.sort_by_key(|problem| {
        problem
            .place
            .as_ref()
            .map(|place| (place.0.source.name.clone(), place.0.place.offset))
    });
    problems
}

fn show(
    objects: usize,
    problems: &[Problem],
    assumed: &BTreeSet<String>,
    screen: &mut Screen,
) -> std::io::Result<()> {
    if screen.format() != Format::Table {
        return screen.data(&Findings {
            objects,
            problems: problems.iter().map(Problem::describe).collect(),
            assumed_secrets: assumed,
        });
    }
    for problem in problems {
        screen.line(&render(&miette::Report::new(problem.clone())))?;
    }
    if !assumed.is_empty() {
        let names: Vec<_> = assumed.iter().map(String::as_str).collect();
        screen.line(&format!(
            "not in these files, and taken to exist and to agree: Secret {}",
            names.join(", ")
        ))?;
    }
    let objects = count(objects, "object");
    if problems.is_empty() {
        screen.line(&format!(
            "{} {objects}, no problems",
            paint::with(paint::GOOD, "✓")
        ))
    } else {
        let problems = count(problems.len(), "problem");
        screen.line(&format!("{} {objects}, {problems}", paint::with(paint::BAD, "✗")))
    }
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}
