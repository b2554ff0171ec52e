//! Address ranges that no request goes to unless it is named: IANA's special-purpose registries and the cloud's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What sort of special address this is; nothing for a public one. Mapped IPv4 must have been folded before.
pub(super) fn forbidden(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => forbidden_v4(address),
        IpAddr::V6(address) => forbidden_v6(address),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [0, ..] => Some("unspecified"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Some("private"),
        [100, 64..=127, ..] => Some("shared (carrier NAT)"),
        [127, ..] => Some("loopback"),
        [169, 254, ..] => Some("link-local"),
        [168, 63, 129, 16] => Some("cloud platform"),
        [192, 0, 0, _] => Some("protocol"),
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Some("documentation"),
        [192, 88, 99, _] => Some("6to4 relay"),
        [198, 18..=19, ..] => Some("benchmarking"),
        [224..=239, ..] => Some("multicast"),
        [240..=255, ..] => Some("reserved"),
        _ => None,
    }
}

/// Only global unicast (`2000::/3`) can be public, and not all of it is.
fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("loopback"),
        [0x0064, 0xff9b, ..] => Some("NAT64"),
        [0xfc00..=0xfdff, ..] => Some("unique local"),
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        [0x2001, 0x0db8, ..] | [0x3fff, 0x0000..=0x0fff, ..] => Some("documentation"),
        [0x2001, 0x0000, ..] => Some("Teredo"),
        [0x2001, 0x0000..=0x01ff, ..] => Some("protocol"),
        [0x2002, ..] => Some("6to4"),
        [0x3ffe, ..] => Some("reserved"),
        [0x2000..=0x3fff, ..] => None,
        _ => Some("reserved"),
    }
}

/// The IPv4 address that an IPv6 address of a translation mechanism leads to.
pub(super) fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    let [first, second, third, .., last, end] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match (first, second) {
        (0x2002, _) => Some(v4(second, third)),
        // Teredo hides the client's address by inverting it.
        (0x2001, 0x0000) => Some(v4(!last, !end)),
        (0x0064, 0xff9b) | (0, 0) => Some(v4(last, end)),
        _ => None,
    }
}
