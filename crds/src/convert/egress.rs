//! How destinations are reached that administrators name.

use ipnet::IpNet;
use monstrum_contract::egress::Proxy;
use serde::Serialize;

use crate::kinds;
use crate::validate::address::Destination;
use crate::world::World;

/// How a destination is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedEgress {
    /// The ranges that may be reached although they are not the public internet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_addresses: Vec<IpNet>,
    /// PEM certificates of the authorities to trust, where they are not the public ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<String>,
    /// What the connections go through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
}

impl ResolvedEgress {
    /// To a destination that is reached directly or through a proxy.
    pub(super) fn new(
        destination: Destination<'_>,
        ca_certificate: Option<&String>,
        proxy: Option<&kinds::Proxy>,
        world: &World,
    ) -> Self {
        Self {
            allowed_addresses: destination.ranges(world),
            ca_certificate: ca_certificate.cloned(),
            proxy: proxy.map(|proxy| Proxy {
                url: proxy.url.clone(),
                allowed_addresses: proxy.destination().ranges(world),
            }),
        }
    }
}
