//! A channel, put together and started.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use monstrum_service::listener::{Entrance, Limits, serve_http};
use monstrum_service::{Incoming, Service, Tls, TlsError};
use monstrum_wire::identity::Identity;
use tokio::time::Instant;

use crate::args::{ChannelArgs, Cli};
use crate::channel::Channel;
use crate::delivery::Gateways;
use crate::inbox::{self, Room};
use crate::intake::Intake;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::platform::{self, Means, Platform, Receiving};
use crate::secret::SecretError;
use crate::settings::{self, Settings, SettingsError};

/// Pauses before a connection that ended is made again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Why a channel does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its certificate or the ledger's address.
    #[error("mutual TLS can't be set up")]
    Tls(#[from] TlsError),
    /// Its certificate is none of a channel.
    #[error("the certificate names no channel")]
    Identity,
    /// Its settings.
    #[error("the channel's settings can't be used")]
    Settings(#[from] SettingsError),
    /// Its secret. Without one everybody could speak, so it does not start.
    #[error("the channel does not start without its secret")]
    Secret(#[from] SecretError),
    /// Its port.
    #[error("{address}: can't listen")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// Starts a channel on the runtime that this is called on; returns once it listens, or dials.
pub fn serve(cli: Cli, service: Service) -> Result<(), StartError> {
    let tls = Tls::load(&cli.channel.tls)?;
    tls.watch(&service);
    start(cli.channel, tls, service).map(|_| ())
}

/// Starts a channel with an identity that is at hand: where it listens, if its platform calls.
pub fn start(args: ChannelArgs, tls: Tls, service: Service) -> Result<Option<SocketAddr>, StartError> {
    let settings = settings::read(&args.config)?;
    let means = Means {
        secret: args.secret.clone(),
        egress: args.egress.egress(),
        service: service.clone(),
    };
    let platform = platform::of(&settings, means)?;
    open(args, settings, platform, tls, service)
}

/// Starts a channel of a platform that is at hand.
pub fn open<P>(
    args: ChannelArgs,
    settings: Settings<P>,
    platform: Arc<dyn Platform>,
    tls: Tls,
    service: Service,
) -> Result<Option<SocketAddr>, StartError> {
    let Some(Identity::Channel(identity)) = tls.identity() else {
        return Err(StartError::Identity);
    };
    settings::check(&settings.routes)?;
    let channel = Arc::new(Channel {
        name: identity.name,
        routes: settings.routes,
        talkers: settings.talkers,
        platform,
        ledger: Ledger::new(tls.channel(&args.ledger, &Identity::Ledger)?),
        gateways: Gateways::new(tls, args.gateway_template, identity.namespace),
        room: Room::default(),
        metrics: Metrics::new(&service),
        service,
    });
    if channel.platform.sends() {
        inbox::follow(Arc::clone(&channel));
    }
    match receiving(&channel) {
        Receiving::Listens(router) => listen(&channel, args.listen, router).map(Some),
        Receiving::Dials(connection) => {
            let dialling = dial(Arc::clone(&channel), connection);
            channel.service.spawn_quiet("receive", dialling);
            Ok(None)
        }
    }
}

fn receiving(channel: &Arc<Channel>) -> Receiving {
    Arc::clone(&channel.platform).receive(Intake::new(Arc::clone(channel)))
}

fn listen(channel: &Channel, address: SocketAddr, router: axum::Router) -> Result<SocketAddr, StartError> {
    let incoming = Incoming::bind(address, Entrance::Plain, Limits::default())
        .map_err(|source| StartError::Listen { address, source })?;
    let address = incoming.local_addr();
    let serving = serve_http(incoming, router, channel.service.shutdown());
    channel.service.spawn_quiet("http", serving);
    Ok(address)
}

/// Dials again whenever a connection has ended, ever later while none lasts.
async fn dial(channel: Arc<Channel>, mut connection: BoxFuture<'static, ()>) {
    let shutdown = channel.service.shutdown();
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        tokio::select! {
            () = connection => tracing::info!("the connection to the platform has ended; it is made again"),
            () = shutdown.requested() => return,
        }
        if began.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.requested() => return,
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        connection = match receiving(&channel) {
            Receiving::Dials(connection) => connection,
            Receiving::Listens(_) => {
                return channel
                    .service
                    .fail("a platform that dials can't listen".to_owned());
            }
        };
    }
}
