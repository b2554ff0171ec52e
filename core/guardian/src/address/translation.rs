//! Translators of IPv4 into IPv6 (NAT64, RFC 6052) under a prefix of their own.
//!
//! The well-known prefix is part of the table. Any other looks like an address of the internet, and what is sent to it goes where the
//! IPv4 address in it says: a name that leads to such an address would be a way to metadata and private networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv6Net};

use super::Special;

/// The name that a resolver which synthesises addresses (DNS64) synthesises one for, RFC 7050.
pub const PROBE: &str = "ipv4only.arpa.";
/// What that name is at.
const PROBED: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];
/// Lengths that a translator's prefix can have.
const LENGTHS: [u8; 6] = [96, 64, 56, 48, 40, 32];
/// Between the parts of the IPv4 address, where the prefix is short; it is zero.
const GAP: usize = 8;

/// A prefix under which a translator has IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Translation(Ipv6Net);

impl Translation {
    /// By which prefixes an address may have been made for [`PROBE`]; more than one where that is not certain.
    pub fn probed(address: Ipv6Addr) -> impl Iterator<Item = Self> {
        LENGTHS.into_iter().filter_map(move |length| {
            let prefix = Self(Ipv6Net::new(address, length).ok()?.trunc());
            let carried = prefix.carried(address)?;
            PROBED.contains(&carried).then_some(prefix)
        })
    }

    /// The IPv4 address that an address under this prefix stands for.
    pub fn carried(&self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        if !self.0.contains(&address) {
            return None;
        }
        let length = usize::from(self.0.prefix_len() / 8);
        let octets = address.octets();
        let behind = octets
            .iter()
            .enumerate()
            .skip(length)
            .filter(|(place, _)| *place != GAP);
        let carried: Vec<u8> = behind.map(|(_, octet)| *octet).take(4).collect();
        <[u8; 4]>::try_from(carried).ok().map(Ipv4Addr::from)
    }
}

/// Why an address may not be dialled where these translators are, with the address that it stands for; nothing if it may.
pub fn refusal_behind(
    address: IpAddr,
    named: &[IpNet],
    translations: &[Translation],
) -> Option<(IpAddr, &'static Special)> {
    let IpAddr::V6(address) = super::folded(address) else {
        return None;
    };
    let carried = translations
        .iter()
        .filter_map(|translation| translation.carried(address));
    carried
        .map(IpAddr::V4)
        .find_map(|carried| super::refusal(carried, named).map(|special| (carried, special)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn prefixes(probe: &str) -> Vec<String> {
        let address = probe.parse().unwrap();
        Translation::probed(address)
            .map(|translation| translation.0.to_string())
            .collect()
    }

    /// The examples of RFC 6052, section 2.4, with the addresses of RFC 7050.
    #[rstest]
    #[case("2001:db8:c000:aa::", "2001:db8::/32")]
    #[case("2001:db8:1c0:0:aa::", "2001:db8:100::/40")]
    #[case("2001:db8:122:c000:0:aa00::", "2001:db8:122::/48")]
    #[case("2001:db8:122:3c0:0:aa::", "2001:db8:122:300::/56")]
    #[case("2001:db8:122:344:c0:0:aa00:0", "2001:db8:122:344::/64")]
    #[case("2001:db8:122:344::c000:ab", "2001:db8:122:344::/96")]
    #[case("64:ff9b::c000:aa", "64:ff9b::/96")]
    fn a_prefix_is_known_by_what_it_makes_of_a_known_address(#[case] probe: &str, #[case] expected: &str) {
        assert_eq!(prefixes(probe), [expected]);
    }

    #[rstest]
    #[case("2606:4700::1111")]
    #[case("2001:db8::c000:ac")]
    fn another_address_has_no_prefix(#[case] probe: &str) {
        assert!(prefixes(probe).is_empty());
    }

    #[rstest]
    #[case::metadata("2001:db8:64::a9fe:a9fe", Some("169.254.169.254"))]
    #[case::private("2001:db8:64::a01:203", Some("10.1.2.3"))]
    #[case::public("2001:db8:64::5db8:d822", None)]
    #[case::elsewhere("2001:db8:65::a9fe:a9fe", None)]
    #[case::no_ipv6("10.1.2.3", None)]
    fn an_address_is_judged_by_the_one_that_it_stands_for(
        #[case] address: IpAddr,
        #[case] refused: Option<&str>,
    ) {
        let refused: Option<IpAddr> = refused.map(|address| address.parse().unwrap());
        let known: Vec<_> = Translation::probed("2001:db8:64::c000:aa".parse().unwrap()).collect();
        let found = refusal_behind(address, &[], &known);
        assert_eq!(found.map(|(carried, _)| carried), refused);
        assert_eq!(refusal_behind(address, &[], &[]), None);
        let named = ["10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "::/0"].map(|range| range.parse().unwrap());
        let metadata = refused.filter(|address| address.to_string().starts_with("169."));
        let found = refusal_behind(address, &named, &known);
        assert_eq!(found.map(|(carried, _)| carried), metadata);
    }
}
