//! The operator's process.

fn main() -> std::process::ExitCode {
    monstrum_service::run("monstrum-operator", monstrum_operator::start)
}
