//! `monstrum-gateway`: one bot's gateway (`serve`), or a channel service (`channel`).

use std::process::ExitCode;

fn main() -> ExitCode {
    monstrum_service::run("monstrum-gateway", monstrum_gateway::start::start)
}
