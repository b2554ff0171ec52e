//! Addresses that are not the public internet: reached only by a pattern that names them.
//!
//! From the IANA special-purpose registries, with multicast, former site-local, every range that embeds an IPv4 address, and the
//! one metadata address that lies in a public range.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const V4: [(u8, u8, u8, u8, u8); 20] = [
    (0, 0, 0, 0, 8),
    (10, 0, 0, 0, 8),
    (100, 64, 0, 0, 10),
    (127, 0, 0, 0, 8),
    (168, 63, 129, 16, 32),
    (169, 254, 0, 0, 16),
    (172, 16, 0, 0, 12),
    (192, 0, 0, 0, 24),
    (192, 0, 2, 0, 24),
    (192, 31, 196, 0, 24),
    (192, 52, 193, 0, 24),
    (192, 88, 99, 0, 24),
    (192, 168, 0, 0, 16),
    (192, 175, 48, 0, 24),
    (198, 18, 0, 0, 15),
    (198, 51, 100, 0, 24),
    (203, 0, 113, 0, 24),
    (224, 0, 0, 0, 4),
    (240, 0, 0, 0, 4),
    (255, 255, 255, 255, 32),
];

/// Only `2000::/3` is global unicast; the rest of the space is special as a whole.
const V6: [(u128, u8); 7] = [
    (0, 3),
    (0x2001 << 112, 23),
    ((0x2001 << 112) | (0xdb8 << 96), 32),
    (0x2002 << 112, 16),
    (0x3fff << 112, 20),
    (1 << 126, 2),
    (1 << 127, 1),
];

/// Every special range.
pub(crate) fn specials() -> impl Iterator<Item = IpNet> {
    let v4 = V4.iter().filter_map(|&(a, b, c, d, length)| {
        Ipv4Net::new(std::net::Ipv4Addr::new(a, b, c, d), length)
            .ok()
            .map(IpNet::V4)
    });
    let v6 = V6.iter().filter_map(|&(bits, length)| {
        Ipv6Net::new(std::net::Ipv6Addr::from_bits(bits), length)
            .ok()
            .map(IpNet::V6)
    });
    v4.chain(v6)
}

/// Whether a network that a pattern names covers the address. Special addresses only count when the network lies within
/// a special range: `0.0.0.0/0` is the public internet, `10.0.0.0/8` is itself.
pub(super) fn covers(network: &IpNet, address: IpAddr) -> bool {
    if !network.contains(&address) {
        return false;
    }
    let mut ranges = specials().filter(|range| range.contains(&address)).peekable();
    ranges.peek().is_none() || ranges.any(|range| range.contains(network))
}

/// One form for each address: an IPv4 address that IPv6 merely wraps is that IPv4 address.
pub(super) fn folded(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0.0.0.0/0", "93.184.216.34", true)]
    #[case("0.0.0.0/0", "10.1.2.3", false)]
    #[case("0.0.0.0/0", "127.0.0.1", false)]
    #[case("0.0.0.0/0", "169.254.169.254", false)]
    #[case("0.0.0.0/0", "100.100.100.200", false)]
    #[case("0.0.0.0/0", "168.63.129.16", false)]
    #[case("0.0.0.0/0", "224.0.0.1", false)]
    #[case("0.0.0.0/0", "255.255.255.255", false)]
    #[case("0.0.0.0/1", "10.1.2.3", false)]
    #[case("8.0.0.0/6", "10.1.2.3", false)]
    #[case("10.0.0.0/8", "10.1.2.3", true)]
    #[case("10.1.0.0/16", "10.1.2.3", true)]
    #[case("10.1.0.0/16", "10.2.2.3", false)]
    #[case("127.0.0.1/32", "127.0.0.1", true)]
    #[case("::/0", "2606:4700::1111", true)]
    #[case("::/0", "::1", false)]
    #[case("::/0", "fd00:ec2::254", false)]
    #[case("::/0", "fe80::1", false)]
    #[case("::/0", "ff02::1", false)]
    #[case("::/0", "64:ff9b::a00:1", false)]
    #[case("::/0", "2002:a00:1::1", false)]
    #[case("::/0", "2001:0:a00::1", false)]
    #[case("::/0", "::10.0.0.1", false)]
    #[case("fd00::/8", "fd00:ec2::254", true)]
    #[case("::1/128", "::1", true)]
    fn special_addresses_are_named(#[case] network: IpNet, #[case] address: IpAddr, #[case] expected: bool) {
        assert_eq!(covers(&network, address), expected);
    }
}
