//! `monstrum-channel`: one channel.

fn main() -> std::process::ExitCode {
    monstrum_service::run("monstrum-channel", monstrum_channel::server::serve)
}
