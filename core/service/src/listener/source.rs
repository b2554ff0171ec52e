//! Where connections come from, as far as that says who may be behind them.

use std::net::IpAddr;

/// An IPv4 address, or the half of an IPv6 address that one network hands out: whoever has one of its addresses has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    V4([u8; 4]),
    V6([u16; 4]),
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [first, second, third, fourth, ..] = address.segments();
                Self::V6([first, second, third, fourth])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::same_network("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    #[case::other_network("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    #[case::mapped("::ffff:192.0.2.1", "192.0.2.1", true)]
    #[case::neighbours("192.0.2.1", "192.0.2.2", false)]
    fn sources_are_told_apart(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(source(one) == source(other), same);
    }
}
