//! `completions`: what a shell needs to complete this program's words.

use crate::arguments;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Screen;

/// Print the completion script of a shell
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum completions bash > /etc/bash_completion.d/monstrum
  monstrum completions zsh > \"${fpath[1]}/_monstrum\"
  monstrum completions fish > ~/.config/fish/completions/monstrum.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &CompletionsArgs, screen: &mut Screen) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut arguments::command(None), "monstrum", &mut script);
    screen.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
