//! From the command line to an exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::arguments::{self, Cli};
use crate::command;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Screen};

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    // An error means that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let words: Vec<OsString> = std::env::args_os().collect();
    let cli = match parse(&words) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    output::colour(cli.global.color);
    let mut screen = Screen::stdout(cli.global.output);
    conclude(execute(cli, &mut screen), &mut screen)
}

fn parse(words: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = arguments::command(words.first()).try_get_matches_from(words)?;
    Cli::from_arg_matches(&matches)
}

/// Help goes to the standard output and is no error.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Success.into()
    }
}

fn execute(cli: Cli, screen: &mut Screen) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Runtime)?;
    let result = runtime.block_on(command::run(cli, screen));
    // A task of a connection that nobody needs any more must not delay the end.
    runtime.shutdown_background();
    result
}

fn conclude(result: Result<Exit, Failure>, screen: &mut Screen) -> ExitCode {
    let result = result.and_then(|exit| screen.flush().map(|()| exit).map_err(Failure::Output));
    match result {
        Ok(exit) => exit.into(),
        Err(failure) if failure.is_broken_pipe() => Exit::Success.into(),
        Err(failure) => {
            let exit = failure.exit();
            output::report(&miette::Report::new(failure));
            exit.into()
        }
    }
}
