//! Addresses on the network, as people write them into objects.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use monstrum_contract::http_url_fault;
use monstrum_guardian::address::{self, Reach};
use url::{Host, Url};

use super::{Fault, config, destination};
use crate::conditions::Reason;
use crate::kinds::Proxy;
use crate::world::World;

/// A place that an administrator names, and the ranges that may be reached for it although they are not the internet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) url: &'a str,
    pub(crate) allowed: &'a [String],
}

impl Destination<'_> {
    /// What is wrong with an HTTP service, with the URL under `url_field` and the ranges under `ranges_field`.
    pub(crate) fn faults(&self, url_field: &str, ranges_field: &str, world: &World) -> Vec<Fault> {
        let form = http_url_fault(self.url).map(|message| Fault::invalid(url_field, message));
        let mut faults: Vec<_> = form.into_iter().collect();
        config::further(&mut faults, self.reach_faults(url_field, ranges_field, world));
        faults
    }

    /// Why it may not be reached, whatever is spoken there.
    pub(crate) fn reach_faults(&self, url_field: &str, ranges_field: &str, world: &World) -> Vec<Fault> {
        let mut faults: Vec<Fault> = never_fault(self.url)
            .map(|message| Fault::invalid(url_field, message))
            .into_iter()
            .chain(destination::beyond_workspace(url_field, self.url, world))
            .collect();
        if faults.is_empty() && self.by_itself(world).is_some() && self.reached_by_itself(world).is_empty() {
            let message = "is a place on a private network, and the Workspace permits none of its addresses";
            faults.push(Fault::new(url_field, message, Reason::NotPermitted));
        }
        for (index, text) in self.allowed.iter().enumerate() {
            let field = format!("{ranges_field}[{index}]");
            faults.extend(range_fault(&field, text, world));
        }
        faults
    }

    /// The ranges that may be reached although they are not the internet: those that are named, and those that the URL itself
    /// means, which is a literal address or a Service of the cluster. A public name means none, so that it can't be led home.
    pub(crate) fn ranges(&self, world: &World) -> Vec<IpNet> {
        let named: Vec<IpNet> = self
            .allowed
            .iter()
            .filter_map(|text| address::range(text))
            .collect();
        let mut ranges = [within_bounds(named, world), self.reached_by_itself(world)].concat();
        ranges.sort();
        ranges.dedup();
        ranges
    }

    fn reached_by_itself(&self, world: &World) -> Vec<IpNet> {
        within_bounds(self.by_itself(world).unwrap_or_default(), world)
    }

    /// What the URL means without any range; nothing for what is on the internet.
    fn by_itself(&self, world: &World) -> Option<Vec<IpNet>> {
        match Url::parse(self.url).ok()?.host()? {
            Host::Ipv4(literal) => private(literal.into()),
            Host::Ipv6(literal) => private(literal.into()),
            Host::Domain(name) => {
                address::service_of(name, world.cluster_domain()).map(|_| address::PRIVATE.to_vec())
            }
        }
    }
}

/// What is wrong with a proxy.
pub(crate) fn proxy_faults(field: &str, proxy: Option<&Proxy>, world: &World) -> Vec<Fault> {
    proxy.map_or_else(Vec::new, |proxy| {
        let (url, ranges) = (format!("{field}.url"), format!("{field}.allowedAddresses"));
        proxy.destination().faults(&url, &ranges, world)
    })
}

/// What is wrong with certificates to trust.
pub(crate) fn authority_fault(field: &str, pem: Option<&str>) -> Option<Fault> {
    pem.and_then(monstrum_contract::authority_fault)
        .map(|message| Fault::invalid(field, message))
}

impl Proxy {
    pub(crate) fn destination(&self) -> Destination<'_> {
        Destination {
            url: &self.url,
            allowed: &self.allowed_addresses,
        }
    }
}

fn private(literal: IpAddr) -> Option<Vec<IpNet>> {
    let literal = address::folded(literal);
    address::special(literal)
        .filter(|special| special.reach == Reach::Named)
        .map(|_| vec![IpNet::from(literal)])
}

fn never_fault(url: &str) -> Option<String> {
    let literal = match Url::parse(url).ok()?.host()? {
        Host::Ipv4(literal) => IpAddr::from(literal),
        Host::Ipv6(literal) => literal.into(),
        Host::Domain(name) => {
            let is_this_machine =
                matches!(name.trim_end_matches('.'), "localhost") || name.ends_with(".localhost");
            return is_this_machine.then(|| "leads to the pod itself: name another host".to_owned());
        }
    };
    let everything = [
        IpNet::from(address::folded(literal)),
        IpNet::V4(Ipv4Net::default()),
    ];
    address::refusal(literal, &everything).map(|special| {
        format!(
            "has a {} address, which nobody may reach: name another host",
            special.what
        )
    })
}

fn range_fault(field: &str, text: &str, world: &World) -> Option<Fault> {
    if let Some(message) = allowed_range_fault(text) {
        return Some(Fault::invalid(field, message));
    }
    let range = address::range(text)?;
    let within = permitted(world)?.iter().any(|bound| bound.contains(&range));
    (!within).then(|| {
        let message = format!("{text:?} is not within the permittedAddresses of Workspace \"workspace\"");
        Fault::new(field, message, Reason::NotPermitted)
    })
}

/// The ranges that the Workspace bounds everything by, if it does. One that can't be read permits none.
fn permitted(world: &World) -> Option<Vec<IpNet>> {
    if world.is_workspace_unreadable {
        return Some(Vec::new());
    }
    let bounds = world.workspace.as_ref()?.spec.permitted_addresses.as_ref()?;
    Some(bounds.iter().filter_map(|text| address::range(text)).collect())
}

fn within_bounds(ranges: Vec<IpNet>, world: &World) -> Vec<IpNet> {
    let Some(bounds) = permitted(world) else {
        return ranges;
    };
    let both = |range: &IpNet, bound: &IpNet| {
        if bound.contains(range) {
            Some(*range)
        } else {
            range.contains(bound).then_some(*bound)
        }
    };
    ranges
        .iter()
        .flat_map(|range| bounds.iter().filter_map(move |bound| both(range, bound)))
        .collect()
}

/// Why a text is no range of addresses that may be allowed; reads after the field's name.
pub(crate) fn allowed_range_fault(text: &str) -> Option<String> {
    let Some(range) = address::range(text) else {
        return Some(format!(
            "{text:?} is not a range of IP addresses: write it as 10.0.0.0/8"
        ));
    };
    address::never_within(&range).map(|never| {
        format!(
            "{text:?} holds {} addresses ({}), which can never be allowed: name the service's own range",
            never.what, never.network
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("10.0.0.0/8")]
    #[case("10.96.0.10")]
    #[case("fd12:3456::/32")]
    fn private_ranges_can_be_allowed(#[case] text: &str) {
        assert_eq!(allowed_range_fault(text), None);
    }

    #[rstest]
    #[case::everything("0.0.0.0/0", "never")]
    #[case::everything_six("::/0", "never")]
    #[case::metadata("169.254.169.254", "never")]
    #[case::around_metadata("168.0.0.0/7", "never")]
    #[case::loopback("127.0.0.1/32", "never")]
    #[case::link_local("fe80::1/64", "never")]
    #[case::name("metadata.internal", "is not a range")]
    #[case::cloud_host("168.63.129.16", "never")]
    #[case::shared_with_metadata("100.64.0.0/10", "never")]
    #[case::multicast("239.0.0.0/8", "never")]
    #[case::broadcast("255.255.255.255", "never")]
    #[case::google_v6("fd20:ce::254", "never")]
    #[case::local_nat64("64:ff9b:1::/48", "never")]
    #[case::too_wide("10.0.0.0/33", "is not a range")]
    fn ranges_with_the_machine_or_metadata_are_refused(#[case] text: &str, #[case] part: &str) {
        let fault = allowed_range_fault(text).unwrap();
        assert!(fault.contains(part), "{fault}");
    }

    fn ranges(url: &str, named: &[&str], permitted: Option<&[&str]>) -> Vec<String> {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let mut world = World::new("team");
        if let Some(permitted) = permitted {
            let mut workspace =
                crate::kinds::Workspace::new("workspace", crate::kinds::WorkspaceSpec::default());
            workspace.spec.permitted_addresses = Some(texts(permitted));
            world.workspace = Some(std::sync::Arc::new(workspace));
        }
        let allowed = texts(named);
        let destination = Destination {
            url,
            allowed: &allowed,
        };
        destination
            .ranges(&world)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[rstest]
    #[case::public_name("https://hooks.example.com", &[], &[])]
    #[case::public_name_with_a_range("https://hooks.corp.example", &["10.1.0.0/16"], &["10.1.0.0/16"])]
    #[case::lookalike("http://receiver.svc.evil.example", &[], &[])]
    #[case::never_completed("http://receiver.team-a", &[], &[])]
    #[case::literal("http://10.0.0.7", &[], &["10.0.0.7/32"])]
    #[case::literal_mapped("http://[::ffff:10.0.0.7]", &[], &["10.0.0.7/32"])]
    #[case::literal_public("http://93.184.216.34", &[], &[])]
    #[case::literal_loopback("http://127.0.0.1", &[], &[])]
    fn a_url_means_what_it_says(#[case] url: &str, #[case] named: &[&str], #[case] expected: &[&str]) {
        assert_eq!(ranges(url, named, None), expected);
    }

    #[rstest]
    #[case("http://receiver.team-a.svc")]
    #[case("http://receiver.team-a.svc.cluster.local.")]
    #[case("http://receiver")]
    fn a_service_means_private_addresses_within_the_workspaces_bounds(#[case] url: &str) {
        let private: Vec<String> = address::PRIVATE.iter().map(ToString::to_string).collect();
        assert_eq!(ranges(url, &[], None), private);
        assert_eq!(ranges(url, &[], Some(&["10.96.0.0/12"])), ["10.96.0.0/12"]);
        assert_eq!(
            ranges(url, &["10.1.0.0/16", "10.96.1.0/24"], Some(&["10.96.0.0/12"])),
            ["10.96.0.0/12", "10.96.1.0/24"]
        );
        assert_eq!(ranges(url, &["10.1.0.0/16"], Some(&[])), [""; 0]);
    }

    #[rstest]
    #[case::named("https://a.example.com", &["10.1.0.0/16"], "allowedAddresses[0]")]
    #[case::literal("http://10.1.2.3", &[], "url")]
    #[case::service("http://ollama.models.svc", &[], "url")]
    fn what_the_workspace_does_not_permit_is_a_fault(
        #[case] url: &str,
        #[case] named: &[&str],
        #[case] field: &str,
    ) {
        let mut world = World::new("team");
        let mut workspace = crate::kinds::Workspace::new("workspace", crate::kinds::WorkspaceSpec::default());
        workspace.spec.permitted_addresses = Some(vec!["192.168.0.0/16".to_owned()]);
        world.workspace = Some(std::sync::Arc::new(workspace));
        let allowed: Vec<String> = named.iter().map(ToString::to_string).collect();
        let destination = Destination {
            url,
            allowed: &allowed,
        };
        let mut found = destination.faults("url", "allowedAddresses", &world);
        if url.contains("svc") {
            // A Service may be within the bounds: its addresses are not known here.
            assert_eq!(found, []);
            if let Some(workspace) = world.workspace.as_mut().map(std::sync::Arc::make_mut) {
                workspace.spec.permitted_addresses = Some(Vec::new());
            }
            found = destination.faults("url", "allowedAddresses", &world);
        }
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].field.as_str(), found[0].reason),
            (field, Reason::NotPermitted)
        );
    }
}
