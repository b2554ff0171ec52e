//! `monstrum-channel`: one channel.

fn main() -> std::process::ExitCode {
    monstrum_service::run("monstrum-channel", async |cli, service| {
        monstrum_channel::server::serve(cli, service)
    })
}
