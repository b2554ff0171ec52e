//! The tests' servers, as one program: `monstrum-fixtures model|github|inbox`.

use std::net::SocketAddr;

use axum::serve::ListenerExt as _;
use clap::{Parser, ValueEnum};
use monstrum_e2e::fixtures::{github, inbox, model};

/// Serves one of the tests' servers.
#[derive(Debug, Parser)]
struct Args {
    /// Which one.
    server: Server,
    /// Where it listens.
    #[arg(long, default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Server {
    /// A scripted model that speaks the providers' wire formats.
    Model,
    /// A GitHub-shaped API.
    Github,
    /// Records what is posted to it.
    Inbox,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let router = match args.server {
        Server::Model => model::router(),
        Server::Github => github::router(),
        Server::Inbox => inbox::router(),
    };
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    // Without it, the small pieces of a stream wait for the other end's delayed acknowledgements.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("a connection keeps its delays: {error}");
        }
    });
    axum::serve(listener, router)
        .with_graceful_shutdown(stopped())
        .await?;
    Ok(())
}

/// Resolves on SIGTERM, which process 1 of a container only gets when it asks for it.
async fn stopped() {
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        signal.recv().await;
    }
}
