//! The special ranges: IANA's special-purpose registries for IPv4 and IPv6, what is not allocated, and where clouds serve metadata.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{Reach, Special};

/// Everything that is not the public internet. Ranges may lie in one another.
pub static SPECIAL: [Special; 49] = [
    v4([0, 0, 0, 0], 8, "unspecified", Reach::Never),
    v4([10, 0, 0, 0], 8, "private", Reach::Named),
    v4([100, 64, 0, 0], 10, "shared (carrier NAT)", Reach::Named),
    v4([100, 100, 100, 200], 32, "cloud metadata", Reach::Never),
    v4([127, 0, 0, 0], 8, "loopback", Reach::Never),
    v4([168, 63, 129, 16], 32, "cloud host", Reach::Never),
    v4([169, 254, 0, 0], 16, "link-local", Reach::Never),
    v4([172, 16, 0, 0], 12, "private", Reach::Named),
    v4([192, 0, 0, 0], 24, "protocol", Reach::Named),
    v4([192, 0, 0, 192], 32, "cloud metadata", Reach::Never),
    v4([192, 0, 2, 0], 24, "documentation", Reach::Named),
    v4([192, 31, 196, 0], 24, "AS112", Reach::Named),
    v4([192, 52, 193, 0], 24, "multicast relay", Reach::Named),
    v4([192, 88, 99, 0], 24, "6to4 relay", Reach::Named),
    v4([192, 168, 0, 0], 16, "private", Reach::Named),
    v4([192, 175, 48, 0], 24, "AS112", Reach::Named),
    v4([198, 18, 0, 0], 15, "benchmarking", Reach::Named),
    v4([198, 51, 100, 0], 24, "documentation", Reach::Named),
    v4([203, 0, 113, 0], 24, "documentation", Reach::Named),
    v4([224, 0, 0, 0], 4, "multicast", Reach::Never),
    v4([240, 0, 0, 0], 4, "reserved", Reach::Named),
    v4([255, 255, 255, 255], 32, "broadcast", Reach::Never),
    // Only 2000::/3 is global unicast; the rest of the space is special as a whole, whatever it may become.
    v6([0, 0, 0, 0, 0, 0, 0, 0], 3, "unallocated", Reach::Named),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, "IPv4-compatible", Reach::Named),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, "unspecified", Reach::Never),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback", Reach::Never),
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, "IPv4-translated", Reach::Named),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, "NAT64", Reach::Named),
    // Only its translator knows where in such an address the IPv4 address stands.
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "local NAT64", Reach::Never),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, "discard", Reach::Named),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "protocol", Reach::Named),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "Teredo", Reach::Named),
    v6(
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0],
        32,
        "documentation",
        Reach::Named,
    ),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "6to4", Reach::Named),
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, "AS112", Reach::Named),
    v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16, "former 6bone", Reach::Named),
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "documentation", Reach::Named),
    v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 2, "unallocated", Reach::Named),
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, "segment routing", Reach::Named),
    v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 1, "unallocated", Reach::Named),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "unique local", Reach::Named),
    v6(
        [0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42],
        128,
        "cloud metadata",
        Reach::Never,
    ),
    v6(
        [0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe],
        128,
        "cloud metadata",
        Reach::Never,
    ),
    v6(
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0],
        32,
        "cloud metadata",
        Reach::Never,
    ),
    v6(
        [0xfd20, 0xce, 0, 0, 0, 0, 0, 0],
        32,
        "cloud metadata",
        Reach::Never,
    ),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local", Reach::Never),
    v6(
        [0xfec0, 0, 0, 0, 0, 0, 0, 0],
        10,
        "former site-local",
        Reach::Named,
    ),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast", Reach::Never),
    // Mapped addresses are folded before they are judged; a range of them is one that nobody has to name.
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "IPv4-mapped", Reach::Named),
];

/// What is nobody's and not the public internet: networks of an organisation, of a cluster, of a carrier's customers.
pub const PRIVATE: [IpNet; 6] = [
    net4([10, 0, 0, 0], 8),
    net4([100, 64, 0, 0], 10),
    net4([172, 16, 0, 0], 12),
    net4([192, 168, 0, 0], 16),
    net4([198, 18, 0, 0], 15),
    net6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
];

/// Global unicast: all that can be public of IPv6.
pub const GLOBAL_V6: IpNet = net6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

const fn v4(octets: [u8; 4], length: u8, what: &'static str, reach: Reach) -> Special {
    Special {
        network: net4(octets, length),
        what,
        reach,
    }
}

const fn v6(segments: [u16; 8], length: u8, what: &'static str, reach: Reach) -> Special {
    Special {
        network: net6(segments, length),
        what,
        reach,
    }
}

const fn net4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn net6(segments: [u16; 8], length: u8) -> IpNet {
    let [first, second, third, fourth, fifth, sixth, last, end] = segments;
    let address = Ipv6Addr::new(first, second, third, fourth, fifth, sixth, last, end);
    IpNet::V6(Ipv6Net::new_assert(address, length))
}

/// The IPv4 addresses that an IPv6 address carries: whoever sends to it may have a tunnel or a translator send to those.
pub(super) fn carried(address: IpAddr) -> impl Iterator<Item = IpAddr> {
    let IpAddr::V6(address) = address else {
        return [None, None].into_iter().flatten();
    };
    let segments = address.segments();
    let [first, second, third, fourth, fifth, sixth, last, end] = segments;
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Some(IpAddr::from([a, b, c, d]))
    };
    let by_prefix = match (first, second) {
        // Teredo: its server, and the client in complement.
        (0x2001, 0) => [of(third, fourth), of(!last, !end)],
        (0x2002, _) => [of(second, third), None],
        // NAT64, compatible, translated.
        (0x64, 0xff9b) | (0, 0) => [of(last, end), None],
        _ => [None, None],
    };
    // ISATAP, below any prefix.
    let isatap = matches!(fifth, 0 | 0x200) && sixth == 0x5efe;
    let [one, two] = by_prefix;
    [one, two.or(if isatap { of(last, end) } else { None })]
        .into_iter()
        .flatten()
}

/// An IPv4 range behind the well-known prefix of NAT64.
pub(super) fn translated(network: &IpNet) -> Option<IpNet> {
    let IpNet::V4(network) = network else { return None };
    let [high, low] = [16, 0].map(|shift| u16::try_from((network.addr().to_bits() >> shift) & 0xffff));
    let address = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high.ok()?, low.ok()?);
    let length = network.prefix_len().checked_add(96)?;
    Ipv6Net::new(address, length).ok().map(IpNet::V6)
}
