use super::*;
use rstest::rstest;
use std::net::IpAddr;

const HERE: Vantage<'_> = Vantage {
    namespace: "team-a",
    cluster_domain: "cluster.local",
};

fn target(url: &str, ranges: &[&str]) -> Target {
    let ranges: Vec<IpNet> = ranges.iter().map(|range| range.parse().unwrap()).collect();
    Target::of(url, &ranges, None, HERE).unwrap()
}

/// Whether a rule opens an address, as a policy engine reads it.
fn opens(rule: &NetworkPolicyEgressRule, address: IpAddr) -> bool {
    rule.to
        .iter()
        .flatten()
        .filter_map(|peer| peer.ip_block.as_ref())
        .any(|block| {
            let holds = |range: &String| range.parse::<IpNet>().unwrap().contains(&address);
            holds(&block.cidr) && !block.except.iter().flatten().any(holds)
        })
}

#[rstest]
#[case::metadata("http://169.254.169.254/v1")]
#[case::metadata_in_hexadecimal("http://0xa9fea9fe/v1")]
#[case::metadata_mapped("http://[::ffff:169.254.169.254]/v1")]
#[case::cloud_host("http://168.63.129.16")]
#[case::loopback("http://127.0.0.1:8080")]
#[case::loopback_v6("http://[::1]:8080")]
#[case::link_local("http://[fe80::1]")]
#[case::cloud_metadata_v6("http://[fd00:ec2::254]")]
fn what_nobody_may_reach_is_never_opened(#[case] url: &str) {
    assert_eq!(to_target(&target(url, &[])), None);
    assert_eq!(
        to_target(&target(url, &["0.0.0.0/0", "::/0", "169.254.0.0/16"])),
        None
    );
}

#[test]
fn a_private_address_is_opened_where_it_is_named() {
    assert_eq!(to_target(&target("http://10.1.2.3:8080", &[])), None);
    let rule = to_target(&target("http://10.1.2.3:8080", &["10.0.0.0/8"])).unwrap();
    assert!(opens(&rule, "10.1.2.3".parse().unwrap()));
    assert!(!opens(&rule, "10.1.2.4".parse().unwrap()));
}

#[test]
fn a_service_is_opened_where_its_addresses_are_named() {
    let url = "http://ollama.models.svc:11434";
    assert_eq!(to_target(&target(url, &[])), None);
    assert!(to_target(&target(url, &["10.96.0.0/12"])).is_some());
}

/// The rule of a name and the guard that dials it agree on every entry of the table and its borders.
#[test]
fn a_name_opens_exactly_what_the_guard_lets_through() {
    let named = ["10.0.0.0/8", "64:ff9b::/96", "169.254.0.0/16", "::/0"];
    for ranges in [&[][..], &named[..1], &named[..]] {
        let target = target("https://api.example.com", ranges);
        let rule = to_target(&target).unwrap();
        for entry in &address::SPECIAL {
            for at in [entry.network.network(), entry.network.broadcast()] {
                let reached = address::refusal(at, &target.ranges).is_none();
                assert!(!opens(&rule, at) || reached || is_carrier(at), "{at}");
            }
        }
        for at in ["93.184.216.34", "2606:4700::1111", "168.63.129.15", "172.32.0.1"] {
            assert!(opens(&rule, at.parse().unwrap()), "{at}");
        }
        for at in [
            "168.63.129.16",
            "169.254.169.254",
            "127.0.0.1",
            "fd00:ec2::254",
            "::1",
            "64:ff9b::a9fe:a9fe",
        ] {
            assert!(!opens(&rule, at.parse().unwrap()), "{at}");
        }
    }
}

/// Translated private addresses: a policy can't tell what a translator does, the guard can.
fn is_carrier(address: IpAddr) -> bool {
    "64:ff9b::/96".parse::<IpNet>().unwrap().contains(&address)
}

#[test]
fn a_sandbox_reaches_the_internet_and_nothing_special() {
    let rule = to_internet(&[443], &[]);
    for entry in &address::SPECIAL {
        for at in [entry.network.network(), entry.network.broadcast()] {
            assert!(!opens(&rule, at), "{at}");
        }
    }
    assert!(opens(&rule, "1.1.1.1".parse().unwrap()));
}

#[test]
fn through_a_proxy_only_the_proxy_is_opened() {
    let ranges: Vec<IpNet> = vec!["10.20.0.0/16".parse().unwrap()];
    let proxy = Some(("http://10.20.0.5:3128", ranges.as_slice()));
    let target = Target::of("https://api.example.com", &[], proxy, HERE).unwrap();
    let rule = to_target(&target).unwrap();
    assert!(opens(&rule, "10.20.0.5".parse().unwrap()));
    assert!(!opens(&rule, "1.1.1.1".parse().unwrap()));
}
