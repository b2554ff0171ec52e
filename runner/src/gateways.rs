//! The bot's gateways: which there are, as any one of them tells, and a link to each.
//!
//! A Service leads every connection to some gateway, so it can't be how a runner gets to all of them. It is only asked for the
//! list; each gateway on it is then dialled at its own address, and must show the Service's name in its certificate, and be
//! the gateway of this runner's own bot.

mod links;

use monstrum_service::{Channel, Shutdown, Tls, TlsError};
use monstrum_wire::identity::Identity;
use monstrum_wire::runner::GatewaysRequest;
use monstrum_wire::runner::link_client::LinkClient;
use tonic::Status;

use crate::backoff::Backoff;
use crate::link::Shared;
use links::Links;

/// Keeps a link to each gateway.
pub(crate) struct Gateways {
    service: LinkClient<Channel>,
    links: Links,
}

impl Gateways {
    /// Of the Service at `uri`, whose gateways' certificates carry `name` and name `gateway`.
    pub(crate) fn new(
        tls: Tls,
        uri: &str,
        name: String,
        gateway: Identity,
        shared: Shared,
    ) -> Result<Self, TlsError> {
        let service = LinkClient::new(tls.channel_named(uri, &name, &gateway)?);
        Ok(Self {
            service,
            links: Links::new(tls, name, gateway, shared),
        })
    }

    /// Until the process stops and the last call has ended.
    pub(crate) async fn run(mut self, shutdown: &Shutdown) {
        let mut backoff = Backoff::default();
        while !shutdown.is_requested() {
            let Err(status) = self.follow(shutdown, &mut backoff).await else {
                break;
            };
            backoff.detached();
            let wait = backoff.next();
            tracing::warn!(
                code = ?status.code(),
                error = status.message(),
                retry_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                "the gateways are not known"
            );
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.links.look_after(shutdown) => {}
                () = shutdown.requested() => {}
            }
        }
        self.links.ended().await;
    }

    /// Follows the list; ends with an error, or when the process stops.
    async fn follow(&mut self, shutdown: &Shutdown, backoff: &mut Backoff) -> Result<(), Status> {
        let mut service = self.service.clone();
        let told = tokio::select! {
            told = service.gateways(GatewaysRequest {}) => told,
            () = self.links.look_after(shutdown) => return Ok(()),
            () = shutdown.requested() => return Ok(()),
        };
        let mut lists = told?.into_inner();
        backoff.attached();
        loop {
            tokio::select! {
                list = lists.message() => match list? {
                    Some(list) => self.links.want(&list.addresses, shutdown),
                    None => return Err(Status::unavailable("the gateway ended the list")),
                },
                () = self.links.look_after(shutdown) => return Ok(()),
                () = shutdown.requested() => return Ok(()),
            }
        }
    }
}
