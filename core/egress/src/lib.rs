//! The one guarded way out, for every address that somebody else wrote: a resource's, a model provider's, a callback's.
//!
//! 1. The host is resolved, without a search list: a name means the same for everybody.
//! 2. Every address is judged by the table of [`monstrum_guardian::address`]. Those that may not be reached are dropped; where none is
//!    left, nothing is dialled.
//!    Where a translator has IPv4 under a prefix of the network's own (NAT64), an address under that prefix is judged by the IPv4 address
//!    that it stands for; the prefix is what the resolver makes of `ipv4only.arpa` (RFC 7050).
//! 3. The client that comes out connects to the judged addresses and to nothing else: it asks no resolver, follows no redirect,
//!    reads no proxy from the environment, and sends nothing twice.
//!
//! A client is asked for anew for each request, so that a name that has moved is judged again; connections to the same addresses
//! are used again.
//!
//! Through a proxy (see [`Proxy`]) the target is resolved and judged all the same, and the proxy is a destination with ranges of
//! its own.
//!
//! **Architecture invariant:** no process makes an HTTP client for such an address by any other way.

mod access;
mod args;
mod client;
mod error;
mod names;

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;
use ipnet::IpNet;
use monstrum_guardian::address::{self, Translation};
use reqwest::Client;
use url::{Host, Url};

pub use access::{Access, NotARange, Proxy, ranges};
pub use args::EgressArgs;
pub use error::EgressError;

use client::{Clients, Target};
use names::Names;

/// Resolves, judges, and makes clients.
#[derive(Debug)]
pub struct Egress {
    names: Names,
    clients: Clients,
    reaches_loopback: bool,
}

impl Egress {
    /// Resolves names as the pod's `/etc/resolv.conf` and `/etc/hosts` say.
    pub fn new() -> Self {
        Self::over(Names::system())
    }

    /// Resolves names with `resolver`.
    pub fn with_resolver(resolver: TokioResolver) -> Self {
        Self::over(Names::with(resolver))
    }

    /// For a process that shares its machine with what it dials, as in development and in tests: loopback addresses are reached
    /// where they are named. Never in a pod.
    #[must_use]
    pub fn on_this_machine(mut self) -> Self {
        self.reaches_loopback = true;
        self
    }

    fn over(names: Names) -> Self {
        Self {
            names,
            clients: Clients::default(),
            reaches_loopback: false,
        }
    }

    /// What can be said of `url` before any name is resolved: its form, literal addresses, certificates.
    pub fn check(&self, url: &Url, access: &Access) -> Result<(), EgressError> {
        self.literal(url, &access.allowed)?;
        if let Some(proxy) = &access.proxy {
            self.literal(&proxy.url, &proxy.allowed)
                .map_err(|error| EgressError::Proxy(Box::new(error)))?;
        }
        access
            .ca_certificate
            .as_deref()
            .map_or(Ok(()), client::check_authorities)
    }

    /// A client for one request to `url`, which can connect nowhere else.
    pub async fn client(&self, url: &Url, access: &Access) -> Result<Client, EgressError> {
        let target = self.target(url, &access.allowed).await?;
        let proxy = match &access.proxy {
            None => None,
            Some(proxy) => Some((proxy.url.clone(), self.proxy(proxy).await?)),
        };
        self.clients.get(target, proxy, access.ca_certificate.as_deref())
    }

    async fn proxy(&self, proxy: &Proxy) -> Result<Target, EgressError> {
        self.target(&proxy.url, &proxy.allowed)
            .await
            .map_err(|error| EgressError::Proxy(Box::new(error)))
    }

    /// Resolves the host of `url` and keeps the addresses that may be reached.
    async fn target(&self, url: &Url, allowed: &[IpNet]) -> Result<Target, EgressError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let (addresses, port) = match self.literal(url, allowed)? {
            (Some(address), port) => (vec![address], port),
            (None, port) => {
                let found = self.names.lookup(&host).await?;
                (self.permitted(&host, &found, allowed)?, port)
            }
        };
        let addresses = self.untranslated(&host, addresses, allowed).await?;
        let mut addresses: Vec<SocketAddr> = addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        Ok(Target { host, addresses })
    }

    /// The port, and the address where the URL has a literal one that may be reached: the client takes it from there without
    /// asking. Every notation was folded when the URL was parsed.
    fn literal(&self, url: &Url, allowed: &[IpNet]) -> Result<(Option<IpAddr>, u16), EgressError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(EgressError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EgressError::UserInfo);
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(EgressError::NoHost);
        };
        let address = match host {
            Host::Ipv4(address) => IpAddr::V4(address),
            Host::Ipv6(address) => IpAddr::V6(address),
            Host::Domain(_) => return Ok((None, port)),
        };
        self.permitted(url.host_str().unwrap_or_default(), &[address], allowed)?;
        Ok((Some(address), port))
    }

    /// Of mixed answers only what may be reached stays, so that a private address beside a public one is never dialled.
    fn permitted(&self, host: &str, found: &[IpAddr], allowed: &[IpNet]) -> Result<Vec<IpAddr>, EgressError> {
        let refusal = |address| {
            if self.is_own_loopback(address, allowed) {
                return None;
            }
            let (judged, special) = address::refused(address, allowed)?;
            Some(EgressError::Refused {
                host: host.to_owned(),
                address,
                judged,
                special,
            })
        };
        sifted(host, found.iter().copied(), refusal)
    }

    /// Without the addresses that a translator of this network takes to where nothing may go.
    async fn untranslated(
        &self,
        host: &str,
        passed: Vec<IpAddr>,
        allowed: &[IpNet],
    ) -> Result<Vec<IpAddr>, EgressError> {
        if passed
            .iter()
            .all(|address| address::folded(*address).is_ipv4() || address.is_loopback())
        {
            return Ok(passed);
        }
        let known = self.names.translations().await;
        sifted(host, passed, |address| {
            behind(host, address, allowed, known.as_deref())
        })
    }

    fn is_own_loopback(&self, address: IpAddr, allowed: &[IpNet]) -> bool {
        let address = address::folded(address);
        self.reaches_loopback
            && address.is_loopback()
            && allowed.iter().any(|network| network.contains(&address))
    }
}

/// The addresses that nothing is said against; why not the first, where none is left.
fn sifted(
    host: &str,
    addresses: impl IntoIterator<Item = IpAddr>,
    refusal: impl Fn(IpAddr) -> Option<EgressError>,
) -> Result<Vec<IpAddr>, EgressError> {
    let mut refused = None;
    let mut kept = Vec::new();
    for address in addresses {
        match refusal(address) {
            None => kept.push(address),
            Some(error) => {
                refused.get_or_insert(error);
            }
        }
    }
    if kept.is_empty() {
        let host = host.to_owned();
        return Err(refused.unwrap_or(EgressError::NoAddress { host }));
    }
    Ok(kept)
}

/// Why an address that may be dialled as such may not be, for what becomes of it on its way.
fn behind(
    host: &str,
    address: IpAddr,
    allowed: &[IpNet],
    known: Result<&[Translation], &String>,
) -> Option<EgressError> {
    let host = host.to_owned();
    match known {
        Ok(known) => {
            let (judged, special) = address::refusal_behind(address, allowed, known)?;
            Some(EgressError::Refused {
                host,
                address,
                judged,
                special,
            })
        }
        Err(_) if address::folded(address).is_ipv4() => None,
        Err(_) if allowed.iter().any(|range| range.contains(&address)) => None,
        Err(why) => Some(EgressError::Untold {
            host,
            address,
            why: why.clone(),
        }),
    }
}

impl Default for Egress {
    fn default() -> Self {
        Self::new()
    }
}
