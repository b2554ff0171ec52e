//! The command line.

use std::ffi::OsString;
use std::path::Path;

use clap::{Command, CommandFactory as _, Parser};

use crate::cluster::ClusterArgs;
use crate::command::Action;
use crate::exit;
use crate::output::{ColorWhen, Format};

/// Governed bots on Kubernetes: talk with them, see what they may do and why, check policy and audit.
///
/// Commands that talk with a bot reach its gateway through a port-forward, with your own Kubernetes rights.
/// `validate`, `policy`, `audit verify`, and `tools` and `explain` with -f need no cluster.
#[derive(Debug, Parser)]
#[command(name = "monstrum", version, after_long_help = exit::TABLE, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) action: Action,
}

/// What every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// The format of the answer
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) output: Format,
    #[arg(
        help = "When to use colours; NO_COLOR in the environment means never, unless this says otherwise",
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN"
    )]
    pub(crate) color: ColorWhen,
}

/// The command line under the name that it was called by.
pub(crate) fn command(program: Option<&OsString>) -> Command {
    let command = Cli::command();
    if is_plugin(program) {
        renamed(command.bin_name(PLUGIN))
    } else {
        command
    }
}

const PLUGIN: &str = "kubectl monstrum";

fn is_plugin(program: Option<&OsString>) -> bool {
    let stem = program.and_then(|program| Path::new(program).file_stem());
    stem.is_some_and(|stem| stem == "kubectl-monstrum")
}

/// The examples, too, must say what the user types.
fn renamed(mut command: Command) -> Command {
    if let Some(text) = command.get_after_long_help().map(ToString::to_string) {
        command = command.after_long_help(text.replace("  monstrum ", &format!("  {PLUGIN} ")));
    }
    command.mut_subcommands(renamed)
}

/// The name of a Kubernetes object, so that it can go into a selector or a path as it is.
pub(crate) fn object_name(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if text.len() <= 253 && text.chars().all(legal) && edge(text.chars().next()) && edge(text.chars().last())
    {
        return Ok(text.to_owned());
    }
    Err(
        "a name has lower-case letters, digits, '-' and '.', and begins and ends with a letter or digit"
            .to_owned(),
    )
}

/// `NAME` or `NAMESPACE/NAME`.
pub(crate) fn bot_name(text: &str) -> Result<String, String> {
    text.splitn(2, '/')
        .try_for_each(|part| object_name(part).map(drop))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn the_command_line_is_consistent() {
        command(None).debug_assert();
        command(Some(&"kubectl-monstrum".into())).debug_assert();
    }

    #[rstest]
    #[case("/usr/bin/kubectl-monstrum", true)]
    #[case("kubectl-monstrum.exe", true)]
    #[case("monstrum", false)]
    #[case("./kubectl", false)]
    fn a_plugin_is_known_by_its_name(#[case] program: &str, #[case] plugin: bool) {
        assert_eq!(is_plugin(Some(&program.into())), plugin);
    }

    #[rstest]
    #[case("triage", true)]
    #[case("a.b-1", true)]
    #[case("", false)]
    #[case("-a", false)]
    #[case("Triage", false)]
    #[case("a,component=other", false)]
    #[case("a/b", false)]
    fn names_are_those_of_objects(#[case] name: &str, #[case] legal: bool) {
        assert_eq!(object_name(name).is_ok(), legal);
    }
}
