//! `policy diff`: what another policy would change.

mod change;
mod contract;
mod example;
mod grant;
mod report;
mod words;

use std::path::PathBuf;

use monstrum_crds::object::{Kind, Object};

use self::change::BotChange;
use crate::cluster::{self, Cluster, ClusterArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::output::{Format, Screen};
use crate::policy::{self, Compiled};

/// Show what files would change: tools seen, grants, calls permitted and forbidden
///
/// Compares with the cluster, or with other files (--against). Applying files to a cluster leaves what they don't mention;
/// compared files replace each other, so that what is missing counts as deleted. Choose with --as.
///
/// Whatever is not proven to be harmless may permit more, and is told. A new grant is harmless where old grants permit all
/// that it permits, on the same target with the same credential, as seldom and with the same approval. Besides permissions,
/// everything is looked at that a bot depends on: budgets, suspension, credentials and where they may go, the model and its address, bounds of turns,
/// channels and who may talk, sandboxes, and the ceilings of the namespace. Newly permitted calls are shown as examples,
/// each judged by the engine itself: where one shows it, it `permits more`; elsewhere it `may permit more`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum policy diff -f new.yaml
  monstrum policy diff -f policy/ --against ../main/policy/
  monstrum policy diff -f policy/ --as replace -o json

The exit code is 0 when nothing more is permitted, which is proven then; 4 when something is or may be; 64 when the command line is
wrong, 66 when a file is, 69 when the cluster cannot be reached.")]
pub(crate) struct DiffArgs {
    /// The new files or folders
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Compare with these files or folders; `cluster` is the cluster
    #[arg(long, value_name = "FILE", default_value = "cluster")]
    against: Vec<PathBuf>,
    /// Whether the files are applied to what is there, or replace it [default: apply for the cluster, replace for files]
    #[arg(long = "as", value_enum, value_name = "HOW")]
    how: Option<How>,
}

/// What becomes of objects that the new files don't mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum How {
    /// They stay.
    Apply,
    /// They go.
    Replace,
}

pub(super) async fn run(
    args: &DiffArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let live = args.against.iter().all(|path| path.as_os_str() == "cluster");
    let how = args.how.unwrap_or(if live { How::Apply } else { How::Replace });
    let (old, new) = if live {
        let cluster = Cluster::connect(cluster).await?;
        let there = cluster::fetch(&cluster).await?;
        let files = input(&args.files, &cluster.namespace)?;
        let objects = becoming(how, &there, files.objects);
        (
            policy::within_cluster(&cluster, there, &[]).await?,
            policy::within_cluster(&cluster, objects, &files.secrets).await?,
        )
    } else {
        let namespace = cluster.namespace.as_deref().unwrap_or("default");
        let (there, files) = (input(&args.against, namespace)?, input(&args.files, namespace)?);
        let objects = becoming(how, &there.objects, files.objects);
        let secrets = match how {
            How::Apply => [there.secrets.clone(), files.secrets].concat(),
            How::Replace => files.secrets,
        };
        (
            policy::from_objects(there.objects, &there.secrets)?,
            policy::from_objects(objects, &secrets)?,
        )
    };
    let changes = change::between(&old, &new);
    show(&changes, screen)?;
    Ok(if changes.iter().any(BotChange::widens) {
        Exit::Widened
    } else {
        Exit::Success
    })
}

/// What files hold, without their places.
struct Files {
    objects: Vec<Object>,
    secrets: Vec<files::Secret>,
}

fn input(paths: &[PathBuf], namespace: &str) -> Result<Files, Failure> {
    let input = policy::read(paths, namespace)?;
    // The files themselves must be free of duplicates, which only they can tell the place of.
    let _: Compiled = policy::from_input(&input)?;
    let objects = input.manifests.into_iter().map(|manifest| manifest.object);
    Ok(Files {
        objects: objects.collect(),
        secrets: input.secrets,
    })
}

fn becoming(how: How, there: &[Object], files: Vec<Object>) -> Vec<Object> {
    match how {
        How::Apply => applied(there, files),
        How::Replace => files,
    }
}

/// Objects that files hold take the place of those of the same kind and name.
fn applied(old: &[Object], files: Vec<Object>) -> Vec<Object> {
    let key = |object: &Object| -> (Kind, Option<String>, String) {
        let namespace = object
            .meta()
            .namespace
            .clone()
            .filter(|_| object.kind() != Kind::ResourceType);
        (object.kind(), namespace, object.name().to_owned())
    };
    let replaced: Vec<_> = files.iter().map(key).collect();
    old.iter()
        .filter(|object| !replaced.contains(&key(object)))
        .cloned()
        .chain(files)
        .collect()
}

fn show(changes: &[BotChange], screen: &mut Screen) -> std::io::Result<()> {
    if screen.format() == Format::Table {
        screen.text(&report::render(changes))
    } else {
        screen.data(&changes)
    }
}
