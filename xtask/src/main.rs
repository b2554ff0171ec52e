//! Generators and checks: `cargo xtask --help`.

use std::process::ExitCode;

mod arrows;
mod command;
mod generated;

fn main() -> ExitCode {
    match command::run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
