//! `policy diff`: what another policy would change.

mod change;
mod example;
mod report;
mod words;

use std::path::PathBuf;

use monstrum_crds::object::{Kind, Object};

use self::change::BotChange;
use crate::cluster::{self, Cluster, ClusterArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Format, Screen};
use crate::policy::{self, Compiled};

/// Show what files would change: tools seen, grants, calls permitted and forbidden
///
/// Compares with the cluster, or with other files (--against). Applying files to a cluster leaves what they don't mention;
/// compared files replace each other, so that what is missing counts as deleted. Choose with --as.
///
/// Whatever is not proven to be harmless is told as a widening: a new grant is harmless where one old grant permits all
/// that it permits, on the same target with the same credential. Newly permitted calls are shown as examples, each judged by
/// the engine itself.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum policy diff -f new.yaml
  monstrum policy diff -f policy/ --against ../main/policy/
  monstrum policy diff -f policy/ --as replace -o json

The exit code is 0 when nothing is widened, 4 when something is or may be.")]
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
    let (old, namespace) = if live {
        let cluster = Cluster::connect(cluster).await?;
        (cluster::fetch(&cluster).await?, cluster.namespace)
    } else {
        let namespace = cluster.namespace.clone().unwrap_or_else(|| "default".to_owned());
        (objects(&args.against, &namespace)?, namespace)
    };
    let how = args.how.unwrap_or(if live { How::Apply } else { How::Replace });
    let files = objects(&args.files, &namespace)?;
    let new = match how {
        How::Apply => applied(&old, files),
        How::Replace => files,
    };
    let changes = change::between(&policy::from_objects(old)?, &policy::from_objects(new)?);
    show(&changes, screen)?;
    Ok(if changes.iter().any(BotChange::widens) {
        Exit::Widened
    } else {
        Exit::Success
    })
}

fn objects(paths: &[PathBuf], namespace: &str) -> Result<Vec<Object>, Failure> {
    let input = policy::read(paths, namespace)?;
    // The files themselves must be free of duplicates, which only they can tell the place of.
    let _: Compiled = policy::from_input(&input)?;
    Ok(input
        .manifests
        .into_iter()
        .map(|manifest| manifest.object)
        .collect())
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
