//! The runner process.

use std::process::ExitCode;

fn main() -> ExitCode {
    monstrum_runner::main()
}
