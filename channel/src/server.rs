//! A channel, put together and started.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use monstrum_service::listener::{Entrance, Limits, serve_http};
use monstrum_service::{Incoming, Service, Tls, TlsError};
use monstrum_wire::identity::Identity;

use crate::args::{ChannelArgs, Cli};
use crate::callback::Callbacks;
use crate::config::{Config, ConfigError, Mode};
use crate::delivery::Gateways;
use crate::intake::Intake;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::secret::{Keys, SecretError};
use crate::{http, inbox};

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
pub(crate) struct Channel {
    pub(crate) name: String,
    pub(crate) config: Config,
    pub(crate) keys: Keys,
    pub(crate) ledger: Ledger,
    pub(crate) gateways: Gateways,
    pub(crate) callbacks: Callbacks,
    pub(crate) intake: Intake,
    pub(crate) metrics: Metrics,
    pub(crate) service: Service,
}

/// Starts a channel service on the runtime that this is called on; returns once it listens.
pub async fn serve(cli: Cli, service: Service) -> Result<(), ChannelError> {
    let tls = Tls::load(&cli.channel.tls)?;
    tls.watch(&service);
    start(cli.channel, tls, service).map(|_| ())
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
