//! The channel service: signed webhooks in, a bot's answer out.
//!
//! A request goes through the same gates each time, and each of them refuses by itself: type and form of the signature → announced
//! size → a share of the budget for unverified bodies → signature over the raw bytes → time window → unpacking → JSON → route → who
//! may talk → replay store. Only then does a gateway hear of it.
//!
//! Every attempt of a sender is signed anew (Standard Webhooks: same `webhook-id`, new `webhook-timestamp`). An attempt
//! that comes again after it was answered is a replay and gets 200 or 202 and `{"status":"duplicate"}` without reaching a gateway; one that
//! was answered with a failure that may pass is taken as if it came for the first time. A new attempt of
//! the same message reaches it under the same message id, which the gateway runs once: it replays the answer, or goes
//! on where it was cut off.
//!
//! A message whose sender does not wait for the answer is kept by the ledger before it is answered with 202, in the write that
//! takes its attempt in the replay store, until the answer was sent.

mod admission;
mod attempt;
mod callback;
mod config;
mod content;
mod delivery;
mod http;
mod inbox;
mod intake;
mod json;
mod metrics;
mod route;
mod secret;
mod signature;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use monstrum_service::listener::{Entrance, Limits, serve_http};
use monstrum_service::{Incoming, Service, Tls, TlsError};
use monstrum_wire::identity::Identity;

pub use config::{Config, ConfigError};
pub use secret::SecretError;
pub use signature::sign;

use crate::args::ChannelArgs;
use crate::ledger::Ledger;
use callback::Callbacks;
use config::Mode;
use delivery::Gateways;
use intake::Intake;
use metrics::Metrics;
use secret::Keys;

/// How often the secret's file is looked at.
const RELOAD: Duration = Duration::from_secs(5);

/// Why a channel does not start.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// Its certificate or the ledger's address.
    #[error("mutual TLS can't be set up")]
    Tls(#[from] TlsError),
    /// Its certificate is none of a channel.
    #[error("the certificate names no channel")]
    Identity,
    /// Its settings.
    #[error("the channel's settings can't be used")]
    Config(#[from] ConfigError),
    /// Its signing secret. Without one everybody could speak, so it does not start.
    #[error("the channel does not start without its signing secret")]
    Secret(#[from] SecretError),
    /// Its port.
    #[error("{address}: can't listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The client for callbacks.
    #[error("callbacks can't be sent: {0}")]
    Callbacks(String),
}

/// What the parts of a channel share.
#[derive(Debug)]
struct Channel {
    name: String,
    config: Config,
    keys: Keys,
    ledger: Ledger,
    gateways: Gateways,
    callbacks: Callbacks,
    intake: Intake,
    metrics: Metrics,
    service: Service,
}

/// Starts a channel service on the runtime that this is called on; returns once it listens.
pub fn serve(args: ChannelArgs, service: Service) -> Result<(), ChannelError> {
    let tls = Tls::load(&args.tls)?;
    tls.watch(&service);
    start(args, tls, service).map(|_| ())
}

/// Starts a channel service with an identity that is at hand.
pub fn start(args: ChannelArgs, tls: Tls, service: Service) -> Result<SocketAddr, ChannelError> {
    let Some(Identity::Channel(identity)) = tls.identity() else {
        return Err(ChannelError::Identity);
    };
    let config = Config::read(&args.config)?;
    let keys = Keys::read(&args.secret)?;
    let callbacks = Callbacks::new(args.egress.egress(), &config).map_err(ChannelError::Callbacks)?;
    let intake = Intake::new(config.largest_body());
    let channel = Arc::new(Channel {
        name: identity.name,
        config,
        keys,
        ledger: Ledger::new(tls.channel(&args.ledger, &Identity::Ledger)?),
        gateways: Gateways::new(tls, args.gateway_template, identity.namespace),
        callbacks,
        intake,
        metrics: Metrics::new(&service),
        service: service.clone(),
    });
    follow_secret(Arc::clone(&channel), args.secret);
    if channel.config.mode == Mode::Callback {
        inbox::follow(Arc::clone(&channel));
    }
    let incoming = Incoming::bind(args.listen, Entrance::Plain, Limits::default()).map_err(|source| {
        ChannelError::Listen {
            address: args.listen,
            source,
        }
    })?;
    let address = incoming.local_addr();
    let serving = serve_http(incoming, http::router(channel), service.shutdown());
    service.spawn_quiet("http", serving);
    Ok(address)
}

/// Takes up a rotated secret. A file that became unreadable or empty changes nothing: the old keys go on.
fn follow_secret(channel: Arc<Channel>, path: PathBuf) {
    let service = channel.service.clone();
    service.spawn_quiet("channel-secret", async move {
        loop {
            tokio::select! {
                () = tokio::time::sleep(RELOAD) => {}
                () = channel.service.shutdown().requested() => return,
            }
            if let Err(error) = channel.keys.reload(&path) {
                tracing::warn!(error = %error, "the signing secret can't be read; the old one stays");
            }
        }
    });
}
