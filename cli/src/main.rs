//! `monstrum`, also installed as `kubectl-monstrum`.

fn main() -> std::process::ExitCode {
    monstrum_cli::run()
}
