//! Addresses that are not the public internet: the one table of them, and who may reach them.
//!
//! Everything that speaks of addresses derives from it: the matching of `Host` and `Url`, the guard that every process dials
//! through, the validation of objects, and the network rules of pods.
//!
//! A special address is reached only by whoever names a range that holds it, and some never: this machine, the link, cloud
//! metadata, multicast. In a *pattern* a range is a statement about text, so that every range can be named there; whether such
//! an address is dialled is judged again at the door.

mod service;
mod table;
mod translation;

use std::net::IpAddr;

use ipnet::IpNet;

pub use service::{CLUSTER_DOMAIN, Service, service, service_of};
pub use table::{GLOBAL_V6, PRIVATE, SPECIAL};
pub use translation::{PROBE, Translation, refusal_behind};

/// A range that is not the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Special {
    /// Which addresses.
    pub network: IpNet,
    /// What they are, as an adjective: "a … address".
    pub what: &'static str,
    /// Who may reach them.
    pub reach: Reach,
}

/// Who may reach a special address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Whoever names a range that holds it.
    Named,
    /// Nobody.
    Never,
}

/// Reads a network, `10.0.0.0/8`. A number that begins with 0 is eight to some readers and ten to others, and so none.
pub fn network(text: &str) -> Option<IpNet> {
    // The groups of an IPv6 address are hexadecimal however they begin.
    let decimal = text.rsplit(':').next().unwrap_or_default();
    let mut numbers = decimal.split(['.', '/']);
    let is_v6_group = text.contains(':') && !decimal.contains('.');
    if is_v6_group {
        numbers.next();
    }
    if numbers.any(|number| number.len() > 1 && number.starts_with('0')) {
        return None;
    }
    text.parse().ok()
}

/// A range as people write it; a single address is a range of its own.
pub fn range(text: &str) -> Option<IpNet> {
    network(text)
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
        .map(|range| range.trunc())
}

/// The range that an address belongs to; of several, one that nobody may reach.
pub fn special(address: IpAddr) -> Option<&'static Special> {
    let address = folded(address);
    let of = |reach: Reach| {
        SPECIAL
            .iter()
            .filter(move |special| special.reach == reach && special.network.contains(&address))
            // The narrowest says best what the address is.
            .max_by_key(|special| special.network.prefix_len())
    };
    of(Reach::Never).or_else(|| of(Reach::Named))
}

/// Why an address may not be dialled; nothing if it may. `named` are the ranges that were named for this purpose.
///
/// An address that carries another one is no way around the rules for that one.
pub fn refusal(address: IpAddr, named: &[IpNet]) -> Option<&'static Special> {
    refused(address, named).map(|(_, special)| special)
}

/// The same, with the address that is refused: this one, or one that it carries.
pub fn refused(address: IpAddr, named: &[IpNet]) -> Option<(IpAddr, &'static Special)> {
    let address = folded(address);
    let refused = |address: IpAddr| {
        let special = special(address).filter(|special| {
            special.reach == Reach::Never || !named.iter().any(|network| network.contains(&address))
        });
        special.map(|special| (address, special))
    };
    let carried = || table::carried(address).find_map(refused);
    match refused(address) {
        // What nobody may reach is the better reason than a prefix that could be named.
        Some((_, special)) if special.reach == Reach::Named => carried()
            .filter(|(_, special)| special.reach == Reach::Never)
            .or_else(|| refused(address)),
        Some(found) => Some(found),
        None => carried(),
    }
}

/// A range that nobody may reach and that shares addresses with `network`.
pub fn never_within(network: &IpNet) -> Option<&'static Special> {
    SPECIAL.iter().find(|special| {
        special.reach == Reach::Never
            && (special.network.contains(network) || network.contains(&special.network))
    })
}

/// What is not to be reached in a range that may be: translated addresses of what nobody may reach.
pub fn holes(network: &IpNet) -> Vec<IpNet> {
    SPECIAL
        .iter()
        .filter(|special| special.reach == Reach::Never)
        .filter_map(|special| table::translated(&special.network))
        .filter(|hole| network.contains(hole))
        .collect()
}

/// The special ranges within `network`, without those that lie in another one of them.
pub fn special_within(network: &IpNet) -> Vec<IpNet> {
    let within = || {
        SPECIAL
            .iter()
            .map(|special| special.network)
            .filter(|special| network.contains(special))
    };
    let is_outermost = |special: &IpNet| !within().any(|other| other != *special && other.contains(special));
    within().filter(is_outermost).collect()
}

/// One form for each address: an IPv4 address that IPv6 merely wraps is that IPv4 address.
pub fn folded(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// Every special range.
pub(crate) fn specials() -> impl Iterator<Item = IpNet> {
    SPECIAL.iter().map(|special| special.network)
}

/// Whether a network is a special range or lies within one: only then a pattern that names it reaches special addresses.
pub(crate) fn is_special(network: &IpNet) -> bool {
    specials().any(|range| range.contains(network))
}

/// Whether a network that a pattern names covers the address. Special addresses only count when the network lies within
/// a special range: `0.0.0.0/0` is the public internet, `10.0.0.0/8` is itself.
pub(crate) fn covers(network: &IpNet, address: IpAddr) -> bool {
    if !network.contains(&address) {
        return false;
    }
    let mut ranges = specials().filter(|range| range.contains(&address)).peekable();
    ranges.peek().is_none() || ranges.any(|range| range.contains(network))
}

#[cfg(test)]
mod tests;
