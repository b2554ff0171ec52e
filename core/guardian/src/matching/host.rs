//! `Host`: names and addresses in one spelling, against host globs (over `.`), addresses and networks.
//!
//! A glob never matches an address, and a wildcard never reaches a name that only means something locally. What a pod's resolver
//! completes by its search list is such a name: `ledger.monstrum-system`, and every name of one label. The latter are also what
//! people call their machines, so that a pattern of one label that begins literally (`dev-*`) does reach them; but not in a URL.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::glob::{LastSegment, Style};
use super::{Anchor, Glob, NotCanonical, PatternFault, text};
use crate::address;

/// The longest name that the DNS carries.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// How many literal characters a pattern must begin with to reach names of one label.
const MIN_BEGINNING: usize = 3;
/// Names of one label that mean the same thing in every machine or cluster. No wildcard reaches them.
pub(crate) const WELL_KNOWN: [&str; 9] = [
    "localhost",
    "localdomain",
    "ip6-localhost",
    "ip6-loopback",
    "kubernetes",
    "metadata",
    "instance-data",
    "wpad",
    "isatap",
];

/// Last labels that never leave the machine, the cluster or the site, though the public root may have some of them.
const LOCAL: [&str; 22] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "localdomain",
    "svc",
    "cluster",
    "arpa",
    "test",
    "invalid",
    "example",
    "onion",
    "alt",
    "workgroup",
    "domain",
    "host",
    "prod",
    "data",
];

/// Whether names that end in `label` mean the same everywhere. All others are completed by a search list (`ledger.monstrum-system`,
/// `10-1-2-3.default.pod`) or known only inside (`metadata.google.internal`).
pub(crate) fn is_public_label(label: &str) -> bool {
    !LOCAL.contains(&label) && tld::exist(label)
}

/// A host in the one form that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// Lower case, in ASCII; an address in its shortest notation, without brackets.
    pub(super) text: String,
    /// If it is an address.
    pub(super) address: Option<IpAddr>,
}

impl Host {
    /// Folds every spelling: case, IDNA, a final dot, and every notation of an address.
    pub(super) fn read(value: &str) -> Result<Self, NotCanonical> {
        if is_plain_name(value) {
            return Ok(Self {
                text: value.to_owned(),
                address: None,
            });
        }
        text::visible(value)?;
        let bare = value
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(value);
        if bare.contains(':') {
            let address: Ipv6Addr = bare
                .parse()
                .map_err(|_| "is not a host name or address (a port is not part of one)")?;
            return Ok(Self::of_address(address.into()));
        }
        if value.contains(['%', '*', '[']) {
            return Err("is not a host name or address".into());
        }
        match url::Host::parse(value).map_err(|_| "is not a host name or address")? {
            url::Host::Ipv4(address) => Ok(Self::of_address(address.into())),
            url::Host::Ipv6(address) => Ok(Self::of_address(address.into())),
            url::Host::Domain(name) => Self::of_name(&name),
        }
    }

    pub(super) fn of_address(address: IpAddr) -> Self {
        let address = address::folded(address);
        Self {
            text: address.to_string(),
            address: Some(address),
        }
    }

    /// A name that IDNA has already made ASCII and lower case.
    pub(super) fn of_name(name: &str) -> Result<Self, NotCanonical> {
        let name = name.strip_suffix('.').unwrap_or(name);
        let ordinary = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        let label =
            |label: &str| !label.is_empty() && label.len() <= MAX_LABEL && label.bytes().all(ordinary);
        if name.len() > MAX_NAME || !name.split('.').all(label) {
            return Err("is not a host name or address".into());
        }
        if name.split('.').any(is_option) {
            return Err("has a label that begins with a hyphen".into());
        }
        Ok(Self {
            text: name.to_owned(),
            address: None,
        })
    }

    /// Whether the name means something only in this machine, cluster or site.
    fn is_local(&self) -> bool {
        let last = self.text.rsplit('.').next().unwrap_or_default();
        self.address.is_none() && (self.is_single() || !is_public_label(last))
    }

    /// Whether it is a name of one label.
    fn is_single(&self) -> bool {
        self.address.is_none() && !self.text.contains('.')
    }
}

/// No host name has such a label (RFC 952), and programs take a name that begins with a hyphen for an option.
fn is_option(label: &str) -> bool {
    label.starts_with('-')
}

/// Whether the name is already what IDNA would make of it, and no notation of an address.
fn is_plain_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    // Without an early end, so that many bytes are looked at at once.
    let (ordinary, hyphens) = name.bytes().fold((true, false), |(ordinary, hyphens), b| {
        (ordinary & plain(b), hyphens || b == b'-')
    });
    if name.len() > MAX_NAME || !ordinary || (hyphens && name.contains("xn--")) {
        return false;
    }
    let mut last: &[u8] = &[];
    for label in name.as_bytes().split(|b| *b == b'.') {
        if label.is_empty() || label.len() > MAX_LABEL {
            return false;
        }
        if hyphens && label.starts_with(b"-") {
            return false;
        }
        last = label;
    }
    last.iter().all(u8::is_ascii_lowercase)
}

/// What a grant says of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPattern {
    /// A name, or names with wildcards.
    Name(Glob),
    /// A network; one address is a network too.
    Network(IpNet),
}

impl HostPattern {
    pub(super) fn compile(pattern: &str) -> Result<Self, PatternFault> {
        if pattern.contains("://") {
            return Err(format!(
                "{pattern} is a URL; write the host alone, without scheme and path"
            ));
        }
        if pattern.contains('/') {
            return Self::network(pattern);
        }
        if pattern.contains('\\') {
            return Err("a host has no \\".to_owned());
        }
        let name = if pattern.contains('*') {
            wild_name(pattern)?
        } else {
            let host = Host::read(pattern).map_err(|fault| format!("{pattern} {fault}"))?;
            match host.address {
                Some(address) => return Ok(Self::Network(IpNet::from(address))),
                None => host.text,
            }
        };
        // A `**` in front stands for at least one label: `**.example.com` is not `example.com`.
        let style = Style {
            separator: Some('.'),
            trailing_may_be_empty: false,
            leading_may_be_empty: false,
        };
        Glob::compile(&name, style).map(Self::Name)
    }

    fn network(pattern: &str) -> Result<Self, PatternFault> {
        let network = address::network(pattern).ok_or_else(|| {
            format!("{pattern} is not a network such as 10.0.0.0/8, and a host has no path")
        })?;
        if network != network.trunc() {
            return Err(format!(
                "{pattern} has bits beyond its length; write {}",
                network.trunc()
            ));
        }
        match network {
            IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => Err(format!(
                "{pattern} wraps an IPv4 network; write the IPv4 network itself"
            )),
            IpNet::V6(_) | IpNet::V4(_) => Ok(Self::Network(network)),
        }
    }

    pub(super) fn matches(&self, host: &Host) -> bool {
        match (self, host.address) {
            (Self::Network(network), Some(address)) => address::covers(network, address),
            (Self::Name(glob), None) => glob.matches(&host.text) && (self.names(host) || !host.is_local()),
            (Self::Network(_), None) | (Self::Name(_), Some(_)) => false,
        }
    }

    /// Like [`HostPattern::matches`], where a name of one label must be named as a whole: whoever sends a request resolves it.
    pub(super) fn matches_of_url(&self, host: &Host) -> bool {
        self.matches(host) && (!host.is_single() || self.only_text().is_some())
    }

    /// Whether the pattern says enough of a local name that it is meant.
    fn names(&self, host: &Host) -> bool {
        self.only_text().is_some()
            || if host.is_single() {
                self.reaches_single() && !WELL_KNOWN.contains(&host.text.as_str())
            } else {
                self.last_label().is_some()
            }
    }

    /// Whether it can reach names of one label, besides the well-known ones.
    pub(crate) fn reaches_single(&self) -> bool {
        matches!(self, Self::Name(glob) if glob.may_be_one_segment()
            && (glob.only_text().is_some() || glob.beginning().len() >= MIN_BEGINNING))
    }

    /// The literal label that the names end with that have more than one, if it says one.
    pub(crate) fn last_label(&self) -> Option<&str> {
        match self {
            Self::Name(glob) => match glob.last_segment() {
                LastSegment::Literal(label) => Some(label),
                LastSegment::Any | LastSegment::Partly => None,
            },
            Self::Network(_) => None,
        }
    }

    /// Whether it is known to match everything that the other one matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network(wide), Self::Network(narrow)) => {
                wide.contains(narrow) && address::is_special(wide) == address::is_special(narrow)
            }
            (Self::Name(wide), Self::Name(narrow)) => {
                let local = |label: &str| !is_public_label(label);
                if let Some(name) = narrow.only_text() {
                    return Host::of_name(name).is_ok_and(|host| self.matches_of_url(&host));
                }
                wide.covers(narrow)
                    && (!other.reaches_single() || self.reaches_single())
                    && (!other.last_label().is_some_and(local) || self.last_label().is_some())
            }
            (Self::Network(_), Self::Name(_)) | (Self::Name(_), Self::Network(_)) => false,
        }
    }

    /// Whether a host may match both.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network(one), Self::Network(other)) => one.contains(other) || other.contains(one),
            (Self::Name(one), Self::Name(other)) => one.may_meet(other),
            (Self::Network(_), Self::Name(_)) | (Self::Name(_), Self::Network(_)) => false,
        }
    }

    pub(super) fn anchor(&self) -> Anchor {
        match self {
            Self::Name(glob) => glob.anchor(),
            Self::Network(network) if network.prefix_len() == network.max_prefix_len() => {
                Anchor::Whole(network.addr().to_string())
            }
            Self::Network(_) => Anchor::Anywhere,
        }
    }

    pub(crate) fn only_text(&self) -> Option<&str> {
        match self {
            Self::Name(glob) => glob.only_text(),
            Self::Network(_) => None,
        }
    }
}

/// A name with wildcards, its literal labels in the form that values have.
fn wild_name(pattern: &str) -> Result<String, PatternFault> {
    let labels: Result<Vec<_>, _> = pattern.split('.').map(wild_label).collect();
    let name = labels?.join(".");
    if literal_length(&name) > MAX_NAME {
        return Err(format!("{pattern} is longer than a host name can be"));
    }
    Ok(name)
}

fn literal_length(pattern: &str) -> usize {
    pattern.bytes().filter(|byte| *byte != b'*').count()
}

fn wild_label(label: &str) -> Result<String, PatternFault> {
    if label.contains('*') {
        let ordinary = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*');
        if !label.chars().all(ordinary) {
            return Err(format!(
                "{label} mixes a wildcard with characters that a host name does not have"
            ));
        }
        if is_option(label) || literal_length(label) > MAX_LABEL {
            return Err(format!(
                "{label} is no part of a host name, which does not begin with a hyphen and has at most {MAX_LABEL} characters"
            ));
        }
        return Ok(label.to_ascii_lowercase());
    }
    let ascii = idna::domain_to_ascii(label).map_err(|_| format!("{label} is not part of a host name"))?;
    // A label alone may look like a number, which a whole name may not.
    Host::of_name(&ascii)
        .map(|host| host.text)
        .map_err(|fault| format!("{label} {fault}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    proptest! {
        /// The quick way for plain names and the library agree.
        #[test]
        fn plain_names_need_no_folding(name in "[a-z0-9x.-]{1,12}") {
            if is_plain_name(&name) {
                let folded = match url::Host::parse(&name) {
                    Ok(url::Host::Domain(name)) => Host::of_name(&name),
                    _ => Err("not a name".into()),
                };
                prop_assert_eq!(Host::of_name(&name).ok(), folded.ok());
            }
        }
    }

    #[rstest]
    #[case("Example.COM", "example.com")]
    #[case("example.com.", "example.com")]
    #[case("bücher.example", "xn--bcher-kva.example")]
    #[case("ｅxample．com", "example.com")]
    #[case("example\u{3002}com", "example.com")]
    #[case::kelvin_sign("\u{212a}ube.io", "kube.io")]
    #[case::decimal("2130706433", "127.0.0.1")]
    #[case::hexadecimal("0x7f000001", "127.0.0.1")]
    #[case::octal("0177.0.0.1", "127.0.0.1")]
    #[case::short("127.1", "127.0.0.1")]
    #[case::final_dot("127.0.0.1.", "127.0.0.1")]
    #[case::mapped("::ffff:127.0.0.1", "127.0.0.1")]
    #[case::mapped_hexadecimal("[::ffff:7f00:1]", "127.0.0.1")]
    #[case::long_v6("0:0:0:0:0:0:0:1", "::1")]
    #[case::fullwidth_digits("１２７.0.0.1", "127.0.0.1")]
    fn folds(#[case] value: &str, #[case] canonical: &str) {
        let host = Host::read(value).unwrap();
        assert_eq!(host.text, canonical);
        assert_eq!(Host::read(canonical).unwrap(), host);
    }

    #[rstest]
    #[case::scheme("https://*.example.com", "write the host alone")]
    #[case::path("example.com/x", "a host has no path")]
    fn a_pattern_for_more_than_a_host_says_so(#[case] pattern: &str, #[case] told: &str) {
        let fault = HostPattern::compile(pattern).unwrap_err();
        assert!(fault.contains(told), "{fault}");
    }

    #[rstest]
    #[case::empty("")]
    #[case::port("example.com:443")]
    #[case::userinfo("user@example.com")]
    #[case::path("example.com/x")]
    #[case::scheme("https://example.com")]
    #[case::space("example.com ")]
    #[case::newline("example.com\n")]
    #[case::nul("example.com\0.evil.test")]
    #[case::percent("example%2ecom")]
    #[case::two_dots("example..com")]
    #[case::only_dot(".")]
    #[case::backslash("example.com\\evil")]
    #[case::zone("fe80::1%eth0")]
    #[case::zero_width("exam\u{200b}ple.com")]
    #[case::soft_hyphen("exam\u{ad}ple.com")]
    #[case::wildcard("*.example.com")]
    #[case::v4_overflow("256.256.256.256")]
    #[case::long_label(&"a".repeat(64))]
    #[case::bad_punycode("xn--\u{e9}")]
    #[case::punycode_of_ascii("xn--abc-.com")]
    #[case::option("-oproxycommand.example.org")]
    #[case::option_of_one_label("-oproxycommand")]
    #[case::option_in_capitals("-oProxyCommand=x.example.org")]
    #[case::option_after_folding("－oproxycommand.example.org")]
    #[case::hyphen_in_front("www.-x.example.org")]
    #[case::only_a_hyphen("-")]
    fn refuses(#[case] value: &str) {
        assert!(Host::read(value).is_err());
    }

    #[rstest]
    #[case("api.example.com", "api.example.com", true)]
    #[case("api.example.com", "api.example.com.evil.test", false)]
    #[case("*.example.com", "api.example.com", true)]
    #[case("*.example.com", "a.b.example.com", false)]
    #[case("*.example.com", "example.com", false)]
    #[case("*.example.com", "evilexample.com", false)]
    #[case("**.example.com", "a.b.example.com", true)]
    #[case("**.example.com", "example.com", false)]
    #[case("API-*.Example.com", "api-1.example.com", true)]
    #[case("bücher.*", "xn--bcher-kva.de", true)]
    #[case("**", "a.example.com", true)]
    #[case::address("**", "93.184.216.34", false)]
    #[case::address_by_segments("*.*.*.*", "10.0.0.1", false)]
    #[case::single_label("**", "kubernetes", false)]
    #[case::localhost("*", "localhost", false)]
    #[case::cluster_name("**", "ledger.monstrum.svc.cluster.local", false)]
    #[case::cluster_name_short("**", "ledger.monstrum.svc", false)]
    #[case::metadata_name("**", "metadata.google.internal", false)]
    #[case::completed_by_a_search_list("**", "kubernetes.default", false)]
    #[case::completed_by_a_search_list_too("**", "ledger.monstrum-system", false)]
    #[case::beside_the_pod("*.*", "grafana.monitoring", false)]
    #[case::a_pod("**", "10-1-2-3.default.pod", false)]
    #[case::a_pod_in_full("**", "10-1-2-3.default.pod.cluster.local", false)]
    #[case::with_a_final_dot("**", "kubernetes.default.", false)]
    #[case::in_capitals("**", "Kubernetes.Default", false)]
    #[case::partly_wild("**.de*", "kubernetes.default", false)]
    #[case::below_a_wildcard("kubernetes.*", "kubernetes.default", false)]
    #[case::named_namespace("*.default", "kubernetes.default", true)]
    #[case::named_whole("kubernetes.default", "kubernetes.default", true)]
    #[case::public_in_another_script("**", "пример.рф", true)]
    #[case::named_local("*.monstrum.svc.cluster.local", "ledger.monstrum.svc.cluster.local", true)]
    #[case::named_single_label("kubernetes", "kubernetes", true)]
    #[case::machines("dev-*", "dev-1", true)]
    #[case::machines_in_capitals("DEV-*", "Dev-1", true)]
    #[case::machines_with_a_final_dot("dev-*", "dev-1.", true)]
    #[case::other_machines("dev-*", "prod-1", false)]
    #[case::machines_are_no_subdomains("dev-*", "dev-1.example.com", false)]
    #[case::machines_inside("dev-*-db*", "dev-1-db2", true)]
    #[case::any_machine("*", "dev-1", false)]
    #[case::any_name("**", "dev-1", false)]
    #[case::any_ending("*-1", "dev-1", false)]
    #[case::a_short_beginning("de*", "dev-1", false)]
    #[case::any_inside("*dev*", "dev-1", false)]
    #[case::every_name_beginning_so("dev-**", "dev-1", true)]
    #[case::every_name_beginning_so_completed("dev-**", "dev-1.default", false)]
    #[case::well_known("kube*", "kubernetes", false)]
    #[case::well_known_loopback("localh*", "localhost", false)]
    #[case::well_known_metadata("meta*", "metadata", false)]
    #[case::a_namespace_like_a_brand("**", "ledger.prod", false)]
    #[case::pod_of_a_headless_service("**", "db-0.db", false)]
    #[case::a_service_record("**", "_http._tcp.web.default.svc", false)]
    #[case::the_domain_of_clusters("**", "x.cluster.local", false)]
    #[case::an_address_as_a_pod("**", "10-1-2-3.web.default.svc", false)]
    #[case::the_machine_of_a_container("**", "host.docker.internal", false)]
    #[case("10.0.0.0/8", "10.1.1.1", true)]
    #[case("10.0.0.0/8", "::ffff:10.1.1.1", true)]
    #[case("0.0.0.0/0", "10.1.1.1", false)]
    #[case("10.0.0.1", "167772161", true)]
    #[case("10.0.0.0/8", "ten.example.com", false)]
    fn compares(#[case] pattern: &str, #[case] value: &str, #[case] expected: bool) {
        let pattern = HostPattern::compile(pattern).unwrap();
        assert_eq!(pattern.matches(&Host::read(value).unwrap()), expected);
    }

    #[rstest]
    #[case("10.0.0.1/8")]
    #[case("::ffff:10.0.0.0/104")]
    #[case("example.com/24")]
    #[case::octal_for_some("010.0.0.0/8")]
    #[case::octal_length("10.0.0.0/08")]
    #[case::octal_length_of_six("2001:db8::/032")]
    #[case::octal_within_six("64:ff9b::010.0.0.0/104")]
    #[case("https://example.com")]
    #[case("a\\*.com")]
    #[case("a*b c.com")]
    #[case("*..com")]
    #[case("?.com")]
    #[case("-*")]
    #[case("-o*.example.org")]
    #[case(&format!("{}*.com", "a".repeat(64)))]
    #[case(&format!("**.{}", "abcdefgh.".repeat(32)))]
    fn refuses_patterns(#[case] pattern: &str) {
        assert!(HostPattern::compile(pattern).is_err());
    }
}
