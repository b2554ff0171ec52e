//! `monstrum-gateway`: one bot's gateway.

fn main() -> std::process::ExitCode {
    monstrum_service::run("monstrum-gateway", monstrum_gateway::serve::serve)
}
