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

/// Just before, first, last, and just after a range.
fn borders(network: &IpNet) -> [(IpAddr, bool); 4] {
    let step = |address: IpAddr, up: bool| match address {
        IpAddr::V4(address) => {
            let bits = address.to_bits();
            IpAddr::V4(
                (if up {
                    bits.wrapping_add(1)
                } else {
                    bits.wrapping_sub(1)
                })
                .into(),
            )
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            IpAddr::V6(
                (if up {
                    bits.wrapping_add(1)
                } else {
                    bits.wrapping_sub(1)
                })
                .into(),
            )
        }
    };
    [
        (step(network.network(), false), false),
        (network.network(), true),
        (network.broadcast(), true),
        (step(network.broadcast(), true), false),
    ]
}

#[test]
fn every_entry_holds_from_its_first_to_its_last_address() {
    let mapped: IpNet = "::ffff:0:0/96".parse().unwrap();
    for entry in SPECIAL.iter().filter(|entry| entry.network != mapped) {
        for (address, within) in borders(&entry.network) {
            assert_eq!(entry.network.contains(&address), within, "{address}");
            let others = SPECIAL.iter().any(|other| other.network.contains(&address));
            assert_eq!(special(address).is_some(), others, "{address}");
            let wide: IpNet = if address.is_ipv4() { "0.0.0.0/0" } else { "::/0" }
                .parse()
                .unwrap();
            assert_eq!(covers(&wide, address), !others, "{address}");
            if within {
                assert!(refusal(address, &[]).is_some(), "{address}");
                let named = refusal(address, &[entry.network, "0.0.0.0/0".parse().unwrap()]);
                assert!(entry.reach == Reach::Named || named.is_some(), "{address}");
            }
        }
    }
}

#[rstest]
#[case::loopback("127.0.0.1")]
#[case::loopback_elsewhere("127.255.255.254")]
#[case::unspecified("0.0.0.0")]
#[case::this_network("0.1.2.3")]
#[case::metadata("169.254.169.254")]
#[case::metadata_of_tasks("169.254.170.2")]
#[case::metadata_alibaba("100.100.100.200")]
#[case::metadata_oracle_classic("192.0.0.192")]
#[case::host_azure("168.63.129.16")]
#[case::multicast("239.255.255.250")]
#[case::broadcast("255.255.255.255")]
#[case::loopback_v6("::1")]
#[case::unspecified_v6("::")]
#[case::link_local_v6("fe80::1")]
#[case::multicast_v6("ff02::1")]
#[case::metadata_amazon_v6("fd00:ec2::254")]
#[case::pod_identity_v6("fd00:ec2::23")]
#[case::metadata_google_v6("fd20:ce::254")]
#[case::metadata_oracle_v6("fd00:c1::a9fe:a9fe")]
#[case::mapped_loopback("::ffff:127.0.0.1")]
#[case::mapped_metadata("::ffff:a9fe:a9fe")]
#[case::compatible_loopback("::127.0.0.1")]
#[case::translated_loopback("::ffff:0:127.0.0.1")]
#[case::nat64_metadata("64:ff9b::a9fe:a9fe")]
#[case::nat64_local("64:ff9b:1::a00:1")]
#[case::six_to_four_loopback("2002:7f00:1::")]
#[case::teredo_client_loopback("2001:0:102:304:0:0:80ff:fffe")]
#[case::teredo_server_metadata("2001:0:a9fe:a9fe::1")]
#[case::isatap_loopback("2606:4700::5efe:7f00:1")]
#[case::isatap_metadata("2606:4700::200:5efe:a9fe:a9fe")]
fn nobody_reaches_it_whatever_is_named(#[case] address: IpAddr) {
    let all: Vec<IpNet> = ["0.0.0.0/0", "::/0"].map(|all| all.parse().unwrap()).to_vec();
    assert!(refusal(address, &all).is_some());
    assert!(refusal(address, &[IpNet::from(address)]).is_some());
}

#[rstest]
#[case::private("10.1.2.3", "10.0.0.0/8")]
#[case::shared("100.64.0.1", "100.64.0.0/16")]
#[case::benchmark("198.19.255.255", "198.18.0.0/15")]
#[case::reserved("240.0.0.1", "240.0.0.0/8")]
#[case::unique_local("fd12::1", "fd12::/16")]
#[case::mapped("::ffff:10.1.2.3", "10.0.0.0/8")]
fn who_names_it_reaches_it(#[case] address: IpAddr, #[case] range: IpNet) {
    assert!(refusal(address, &[]).is_some());
    assert_eq!(refusal(address, &[range]), None);
    assert!(refusal(address, &["192.168.0.0/16".parse().unwrap()]).is_some());
}

#[rstest]
#[case("93.184.216.34")]
#[case("172.32.0.1")]
#[case("168.63.129.15")]
#[case("168.63.129.17")]
#[case("2606:4700::1111")]
#[case("2606:4700::5efe:5db8:d822")]
fn the_internet_is_nobodys(#[case] address: IpAddr) {
    assert_eq!((special(address), refusal(address, &[])), (None, None));
}

#[test]
fn a_translation_prefix_opens_no_private_address() {
    let prefix: IpNet = "64:ff9b::/96".parse().unwrap();
    let private: IpNet = "10.0.0.0/8".parse().unwrap();
    let through: IpAddr = "64:ff9b::a00:1".parse().unwrap();
    assert!(refusal(through, &[prefix]).is_some());
    assert_eq!(refusal(through, &[prefix, private]), None);
    assert_eq!(refusal("64:ff9b::101:101".parse().unwrap(), &[prefix]), None);
}

#[test]
fn what_is_cut_out_of_the_internet_does_not_overlap() {
    for whole in ["0.0.0.0/0", "2000::/3"] {
        let cut = special_within(&whole.parse().unwrap());
        for (place, one) in cut.iter().enumerate() {
            assert!(
                !cut.iter()
                    .skip(place + 1)
                    .any(|other| one.contains(other) || other.contains(one)),
                "{one}"
            );
        }
    }
    assert!(special_within(&"0.0.0.0/0".parse().unwrap()).contains(&"168.63.129.16/32".parse().unwrap()));
}

#[rstest]
#[case("10.0.0.0/8", false)]
#[case("100.64.0.0/10", true)]
#[case("fd00::/8", true)]
#[case("168.0.0.0/7", true)]
#[case("169.254.1.0/24", true)]
fn a_range_that_holds_what_nobody_reaches_is_known(#[case] range: IpNet, #[case] holds: bool) {
    assert_eq!(never_within(&range).is_some(), holds);
}

#[rstest]
#[case("ollama", Some(Service::Beside))]
#[case("ollama.models.svc", Some(Service::Of("models")))]
#[case("ollama.models.svc.cluster.local", Some(Service::Of("models")))]
#[case("ollama.models.svc.cluster.local.", Some(Service::Of("models")))]
#[case("ollama-0.ollama.models.svc", Some(Service::Of("models")))]
#[case("localhost", None)]
#[case("ollama.models", None)]
#[case("10-1-2-3.models.pod", None)]
#[case("ollama.models.svc.evil.example", None)]
#[case("10.0.0.1", None)]
#[case("::1", None)]
fn services_have_their_names(#[case] host: &str, #[case] expected: Option<Service<'static>>) {
    assert_eq!(service(host), expected);
}

#[test]
fn a_translated_range_has_holes_where_nobody_reaches_through() {
    let nat64: IpNet = "64:ff9b::/96".parse().unwrap();
    let holes = holes(&nat64);
    assert!(
        holes.contains(&"64:ff9b::a9fe:0/112".parse().unwrap()),
        "{holes:?}"
    );
    for hole in holes {
        assert!(
            refusal(hole.addr(), &[nat64, "0.0.0.0/0".parse().unwrap()]).is_some(),
            "{hole}"
        );
    }
    assert!(super::holes(&"10.0.0.0/8".parse().unwrap()).is_empty());
}
