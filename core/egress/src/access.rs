//! What an administrator said about the way to a destination.

use ipnet::IpNet;
use monstrum_guardian::address;
use url::Url;

/// How one destination is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// Ranges that may be reached although they are not the public internet.
    pub allowed: Vec<IpNet>,
    /// PEM certificates of the authorities that the server is verified with, instead of the public ones.
    pub ca_certificate: Option<String>,
    /// What the connections go through.
    pub proxy: Option<Proxy>,
}

/// A forward proxy: `https` targets by CONNECT, `http` targets by absolute requests.
///
/// It gets the target's *name*, since proxies filter by name and since the server's certificate is checked against it. The name
/// has been resolved and judged before; what the proxy makes of it is for whoever runs the proxy to bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Where it listens; http or https, without credentials.
    pub url: Url,
    /// Ranges that it may stand in although they are not the public internet.
    pub allowed: Vec<IpNet>,
}

/// A text that should have been an address or a CIDR.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a CIDR")]
pub struct NotARange(String);

/// Ranges as people write them; a single address is a range of its own.
pub fn ranges<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<Vec<IpNet>, NotARange> {
    let range = |text: &String| address::range(text).ok_or_else(|| NotARange(text.clone()));
    texts.into_iter().map(range).collect()
}
