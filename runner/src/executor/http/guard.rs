//! Against server-side request forgery: which addresses a host may stand for.
//!
//! A name is resolved once, here; what passes is what the client connects to, so that a second answer of the same
//! name changes nothing.

mod range;

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::LookupIpStrategy;
use ipnet::IpNet;
use url::{Host, Url};

use crate::call::Failure;

/// Resolves names.
pub(super) struct Names {
    resolver: Result<TokioResolver, String>,
}

impl Names {
    /// As the pod's `/etc/resolv.conf` and `/etc/hosts` say.
    pub(super) fn system() -> Self {
        let resolver = TokioResolver::builder_tokio().and_then(|mut builder| {
            builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            builder.build()
        });
        Self {
            resolver: resolver.map_err(|error| error.to_string()),
        }
    }

    /// As `resolver` says.
    pub(super) fn with(resolver: TokioResolver) -> Self {
        Self {
            resolver: Ok(resolver),
        }
    }

    async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, Failure> {
        let resolver = self
            .resolver
            .as_ref()
            .map_err(|error| Failure::internal(format!("names can't be resolved in this pod: {error}")))?;
        let found = resolver
            .lookup_ip(name)
            .await
            .map_err(|error| Failure::unreachable(format!("{name} can't be resolved: {error}")))?;
        Ok(found.iter().collect())
    }
}

/// Where a request may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The URL's host, as the client will ask for it.
    pub(super) host: String,
    /// The addresses that passed, in a fixed order. Never empty.
    pub(super) addresses: Vec<SocketAddr>,
}

/// Resolves the host of `url` and keeps the addresses that it may be reached at.
pub(super) async fn resolve(names: &Names, url: &Url, allowed: &[IpNet]) -> Result<Target, Failure> {
    let missing = || Failure::invalid("the request's URL has no host");
    let host = url.host().ok_or_else(missing)?;
    let port = url.port_or_known_default().ok_or_else(missing)?;
    let found = match host {
        // Every notation (decimal, octal, hex, mapped) was folded when the URL was parsed.
        Host::Ipv4(address) => vec![IpAddr::V4(address)],
        Host::Ipv6(address) => vec![IpAddr::V6(address)],
        Host::Domain(name) => names.lookup(name).await?,
    };
    let host = url.host_str().ok_or_else(missing)?.to_owned();
    let mut addresses = permitted(&host, &found, allowed)?;
    addresses.sort_unstable();
    addresses.dedup();
    Ok(Target {
        host,
        addresses: addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, port))
            .collect(),
    })
}

fn permitted(host: &str, found: &[IpAddr], allowed: &[IpNet]) -> Result<Vec<IpAddr>, Failure> {
    let fits = |address: &&IpAddr| refusal(**address, allowed).is_none();
    let passed: Vec<IpAddr> = found.iter().filter(fits).copied().collect();
    if !passed.is_empty() {
        return Ok(passed);
    }
    let Some(first) = found.first() else {
        return Err(Failure::unreachable(format!("{host} has no address")));
    };
    let range = refusal(*first, allowed).unwrap_or("forbidden");
    Err(Failure::refused(format!(
        "{host} is at {first}, a {range} address that this resource may not reach; \
         name it in the resource's allowedAddresses if it should"
    )))
}

/// Why `address` may not be reached; nothing if it may.
fn refusal(address: IpAddr, allowed: &[IpNet]) -> Option<&'static str> {
    let address = address.to_canonical();
    let named = |address: IpAddr| allowed.iter().any(|network| network.contains(&address));
    let range = range::forbidden(address)?;
    if !named(address) {
        return Some(range);
    }
    // An address that carries another one is no way around the rules for that one.
    match range::embedded(address) {
        Some(inner) if !named(IpAddr::V4(inner)) => range::forbidden(IpAddr::V4(inner)),
        Some(_) | None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::FailureKind;
    use rstest::rstest;

    fn unresolvable() -> Names {
        Names {
            resolver: Err("not asked in this test".to_owned()),
        }
    }

    async fn check(url: &str, allowed: &[&str]) -> Result<Target, Failure> {
        let allowed: Vec<IpNet> = allowed.iter().map(|network| network.parse().unwrap()).collect();
        resolve(&unresolvable(), &Url::parse(url).unwrap(), &allowed).await
    }

    #[rstest]
    #[case::loopback("http://127.0.0.1/")]
    #[case::loopback_elsewhere("http://127.8.8.8/")]
    #[case::short("http://127.1/")]
    #[case::decimal("http://2130706433/")]
    #[case::octal("http://0177.0.0.1/")]
    #[case::hex("http://0x7f.1/")]
    #[case::hex_whole("http://0x7f000001/")]
    #[case::trailing_dot("http://127.0.0.1./")]
    #[case::full_width("http://１２７.０.０.１/")]
    #[case::circled("http://①②⑦.⓪.⓪.①/")]
    #[case::percent_encoded("http://%31%32%37.0.0.1/")]
    #[case::unspecified("http://0.0.0.0/")]
    #[case::zero("http://0/")]
    #[case::metadata("http://169.254.169.254/latest/meta-data/")]
    #[case::azure("http://168.63.129.16/")]
    #[case::ten("https://10.96.0.1/")]
    #[case::private("http://192.168.1.1/")]
    #[case::private_172("http://172.31.255.255/")]
    #[case::cgnat("http://100.100.100.200/")]
    #[case::benchmark("http://198.19.0.1/")]
    #[case::documentation("http://203.0.113.9/")]
    #[case::relay_6to4("http://192.88.99.1/")]
    #[case::multicast("http://224.0.0.1/")]
    #[case::reserved("http://240.0.0.1/")]
    #[case::broadcast("http://255.255.255.255/")]
    #[case::loopback_v6("http://[::1]/")]
    #[case::unspecified_v6("http://[::]/")]
    #[case::mapped("http://[::ffff:127.0.0.1]/")]
    #[case::mapped_hex("http://[::ffff:a9fe:a9fe]/")]
    #[case::compatible("http://[::127.0.0.1]/")]
    #[case::translated("http://[::ffff:0:127.0.0.1]/")]
    #[case::nat64("http://[64:ff9b::7f00:1]/")]
    #[case::nat64_local("http://[64:ff9b:1::a00:1]/")]
    #[case::via_6to4("http://[2002:7f00:1::]/")]
    #[case::teredo("http://[2001:0:7f00:1::]/")]
    #[case::documentation_v6("http://[2001:db8::1]/")]
    #[case::documentation_v6_new("http://[3fff::1]/")]
    #[case::unique_local("http://[fd00:ec2::254]/")]
    #[case::link_local("http://[fe80::1]/")]
    #[case::site_local("http://[fec0::1]/")]
    #[case::multicast_v6("http://[ff02::1]/")]
    #[case::discard("http://[100::1]/")]
    #[tokio::test]
    async fn a_literal_address_in_a_forbidden_range_is_refused(#[case] url: &str) {
        assert_eq!(check(url, &[]).await.unwrap_err().kind, FailureKind::Refused);
    }

    #[rstest]
    #[case::v4("http://1.1.1.1/", "1.1.1.1:80")]
    #[case::v4_tls("https://8.8.8.8/", "8.8.8.8:443")]
    #[case::port("https://8.8.8.8:8443/", "8.8.8.8:8443")]
    #[case::beside_private("http://172.32.0.1/", "172.32.0.1:80")]
    #[case::v6("https://[2606:4700::1111]/", "[2606:4700::1111]:443")]
    #[case::mapped_public("http://[::ffff:1.1.1.1]/", "[::ffff:1.1.1.1]:80")]
    #[tokio::test]
    async fn a_public_address_passes(#[case] url: &str, #[case] address: &str) {
        assert_eq!(
            check(url, &[]).await.unwrap().addresses,
            [address.parse().unwrap()]
        );
    }

    #[tokio::test]
    async fn only_what_is_named_is_allowed_in_addition() {
        assert!(check("http://10.1.2.3/", &["10.0.0.0/8"]).await.is_ok());
        assert!(check("http://[::ffff:10.1.2.3]/", &["10.0.0.0/8"]).await.is_ok());
        assert!(check("http://192.168.0.1/", &["10.0.0.0/8"]).await.is_err());
        assert!(check("http://1.1.1.1/", &["10.0.0.0/8"]).await.is_ok());
    }

    #[tokio::test]
    async fn an_allowed_translation_prefix_opens_no_private_address() {
        let prefix = ["64:ff9b::/96"];
        assert!(check("http://[64:ff9b::101:101]/", &prefix).await.is_ok());
        assert!(check("http://[64:ff9b::a00:1]/", &prefix).await.is_err());
        assert!(
            check("http://[64:ff9b::a00:1]/", &["64:ff9b::/96", "10.0.0.0/8"])
                .await
                .is_ok()
        );
        assert!(check("http://[2002:7f00:1::]/", &["2002::/16"]).await.is_err());
    }

    #[test]
    fn of_several_addresses_only_the_permitted_stay() {
        let found = ["10.0.0.1".parse().unwrap(), "1.1.1.1".parse().unwrap()];
        assert_eq!(
            permitted("x", &found, &[]).unwrap(),
            ["1.1.1.1".parse::<IpAddr>().unwrap()]
        );
    }
}
