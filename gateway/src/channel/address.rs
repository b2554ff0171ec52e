//! Which addresses a callback may reach. The name of the callback's host decides what is expected: a name of the cluster, or a
//! literal private address, may be private; a public name that leads to a private address is an attack.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::TokioResolver;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Public,
    /// Of a private network: fine for whoever names it.
    Private,
    /// This host, the link (cloud metadata), multicast, documentation: nothing that a callback could mean.
    Special,
}

/// Decides on addresses, for one callback host.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    allowed: Arc<[IpNet]>,
    internal: bool,
}

/// Resolves names to permitted addresses only; the connection then goes to exactly these.
#[derive(Clone)]
pub(super) struct GuardedDns {
    resolver: Arc<TokioResolver>,
    guard: Guard,
}

impl Guard {
    /// For a host as it stands in the URL.
    pub(super) fn new(host: &str, allowed: &[IpNet]) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let name = host.parse::<IpAddr>().is_err();
        let last = host.rsplit('.').next().unwrap_or_default();
        let of_cluster = last == host || last == "svc" || host.ends_with(".cluster.local");
        Self {
            allowed: allowed.into(),
            internal: !name || of_cluster,
        }
    }

    /// Whether the callback may go there.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self.allowed.iter().any(|range| range.contains(&address)) {
            return true;
        }
        match sort(address) {
            Sort::Public => true,
            Sort::Private => self.internal,
            Sort::Special => false,
        }
    }
}

impl GuardedDns {
    pub(super) fn new(guard: Guard) -> Result<Self, hickory_resolver::net::NetError> {
        let resolver = TokioResolver::builder_tokio()?.build()?;
        Ok(Self {
            resolver: Arc::new(resolver),
            guard,
        })
    }
}

impl Resolve for GuardedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let dns = self.clone();
        Box::pin(async move {
            let found = dns.resolver.lookup_ip(name.as_str()).await?;
            let permitted: Vec<SocketAddr> = found
                .iter()
                .filter(|address| dns.guard.permits(*address))
                .map(|address| SocketAddr::new(address, 0))
                .collect();
            if permitted.is_empty() {
                return Err("the callback's host has no address that may be reached".into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

fn sort(address: IpAddr) -> Sort {
    match address {
        IpAddr::V4(address) => sort_v4(address),
        IpAddr::V6(address) => sort_v6(address),
    }
}

fn sort_v4(address: Ipv4Addr) -> Sort {
    match address.octets() {
        // Also Alibaba's metadata service, which lies in shared address space.
        [0 | 127 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [100, 100, 100, 200] => Sort::Special,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18 | 19, ..] => {
            Sort::Private
        }
        _ => Sort::Public,
    }
}

fn sort_v6(address: Ipv6Addr) -> Sort {
    match address.segments() {
        // IPv4 inside IPv6: compatible, NAT64, 6to4.
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => sort_v4(embedded(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => sort_v4(embedded(high, low)),
        // Amazon's metadata service lies among the private addresses; Teredo, ORCHID and documentation among the public ones.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
            Sort::Special
        }
        [0xfc00..=0xfdff, ..] => Sort::Private,
        [0x2000..=0x3fff, ..] => Sort::Public,
        _ => Sort::Special,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::public("93.184.216.34", Sort::Public)]
    #[case::public_v6("2606:2800:220:1:248:1893:25c8:1946", Sort::Public)]
    #[case::loopback("127.8.9.1", Sort::Special)]
    #[case::this_network("0.0.0.0", Sort::Special)]
    #[case::metadata("169.254.169.254", Sort::Special)]
    #[case::metadata_alibaba("100.100.100.200", Sort::Special)]
    #[case::metadata_v6("fd00:ec2::254", Sort::Special)]
    #[case::multicast("224.0.0.1", Sort::Special)]
    #[case::broadcast("255.255.255.255", Sort::Special)]
    #[case::private("10.1.2.3", Sort::Private)]
    #[case::private_middle("172.31.0.1", Sort::Private)]
    #[case::just_outside("172.32.0.1", Sort::Public)]
    #[case::benchmark("198.18.0.1", Sort::Private)]
    #[case::unique_local("fd12::1", Sort::Private)]
    #[case::loopback_v6("::1", Sort::Special)]
    #[case::unspecified_v6("::", Sort::Special)]
    #[case::link_local_v6("fe80::1", Sort::Special)]
    #[case::multicast_v6("ff02::1", Sort::Special)]
    #[case::compatible("::127.0.0.1", Sort::Special)]
    #[case::nat64_metadata("64:ff9b::a9fe:a9fe", Sort::Special)]
    #[case::nat64_private("64:ff9b::a00:1", Sort::Private)]
    #[case::six_to_four_loopback("2002:7f00:1::", Sort::Special)]
    #[case::teredo("2001:0:1::1", Sort::Special)]
    #[case::documentation("2001:db8::1", Sort::Special)]
    fn addresses_are_sorted(#[case] address: &str, #[case] expected: Sort) {
        assert_eq!(sort(address.parse().unwrap()), expected);
    }

    #[rstest]
    #[case::public_name_to_private("hooks.example.com", "10.0.0.1", false)]
    #[case::public_name_to_public("hooks.example.com", "93.184.216.34", true)]
    #[case::public_name_to_mapped_private("hooks.example.com", "::ffff:10.0.0.1", false)]
    #[case::cluster_name_to_private("receiver.team-a.svc", "198.19.0.7", true)]
    #[case::whole_cluster_name("receiver.team-a.svc.cluster.local.", "10.0.0.7", true)]
    #[case::short_name("receiver", "10.0.0.7", true)]
    #[case::literal("10.0.0.7", "10.0.0.7", true)]
    #[case::cluster_name_to_metadata("receiver.team-a.svc", "169.254.169.254", false)]
    #[case::cluster_name_to_mapped_loopback("receiver.team-a.svc", "::ffff:127.0.0.1", false)]
    #[case::lookalike("receiver.svc.evil.example", "10.0.0.7", false)]
    fn a_host_reaches_what_its_name_says(#[case] host: &str, #[case] address: &str, #[case] permitted: bool) {
        assert_eq!(Guard::new(host, &[]).permits(address.parse().unwrap()), permitted);
    }

    #[test]
    fn named_ranges_are_permitted() {
        let guard = Guard::new("hooks.example.com", &["10.1.0.0/16".parse().unwrap()]);
        assert!(guard.permits("10.1.2.3".parse().unwrap()));
        assert!(guard.permits("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!guard.permits("10.2.2.3".parse().unwrap()));
    }
}
