//! `validate`: what is wrong with files of objects, without a cluster.

mod cascade;
mod structure;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use self::cascade::Cascade;
use self::structure::Definitions;
use crate::cluster::ClusterArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::{self, Document, Manifest, Secret};
use crate::output::{Format, Screen, paint, render};
use crate::policy::{self, Input, Problem};

/// Validate files of objects, without a cluster
///
/// Checks what the API server checks (metadata, schemas and their rules), what the admission webhook refuses, what the
/// operator would report in conditions, and whether every pattern of every grant compiles. Files are read as kubectl reads
/// them. Give all files that belong together, resource types included: references are followed. Secrets are judged by
/// their annotations where they are in the files, and taken to exist and to agree where they are not.
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
    let definitions = Definitions::installed();
    let mut input = Input::default();
    let mut cascade = Cascade::default();
    let mut problems = Vec::new();
    let mut objects: usize = 0;
    for source in files::collect(&args.files)? {
        for found in Document::each(&source) {
            match found {
                Ok(document) => {
                    objects = objects.saturating_add(1);
                    let (manifest, found) = judged(document, &definitions, namespace, &mut cascade)?;
                    input.manifests.extend(manifest);
                    problems.extend(found);
                }
                Err(error) => problems.push(Problem::of_document(error)?),
            }
        }
        // What is no YAML was told above.
        input
            .secrets
            .extend(Secret::all(&source, namespace).unwrap_or_default());
    }
    let compiled = policy::from_input(&input)?;
    let mut semantic = compiled.problems;
    cascade.thin(&problems, &mut semantic);
    problems.extend(semantic);
    let problems = ordered(problems);
    show(objects, &problems, &compiled.assumed, screen)?;
    Ok(if problems.is_empty() {
        Exit::Success
    } else {
        Exit::Found
    })
}

/// What is wrong with one document by itself, and the object that others may be judged by.
fn judged(
    document: Document,
    definitions: &Definitions,
    namespace: &str,
    cascade: &mut Cascade,
) -> Result<(Option<Manifest>, Vec<Problem>), Failure> {
    let mut problems = definitions.problems(&document, namespace);
    let (kind, name) = (
        document.kind,
        document.meta("name").unwrap_or_default().to_owned(),
    );
    let is_nameless = problems.iter().any(|problem| problem.field == "metadata.name");
    let manifest = match Manifest::of(document, namespace) {
        Ok(manifest) if !is_nameless => Some(manifest),
        Ok(_) => None,
        // A value that does not fit was told in better words.
        Err(_) if !problems.is_empty() => None,
        Err(error) => {
            problems.push(Problem::of_document(error)?);
            None
        }
    };
    if manifest.is_none() {
        cascade.unread(kind, &name);
    }
    Ok((manifest, problems))
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
    let none = objects == 0 && problems.is_empty();
    let objects = count(objects, "object");
    if none {
        screen.line("no object of monstrum.dev is in these files")
    } else if problems.is_empty() {
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
