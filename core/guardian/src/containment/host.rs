//! Hosts and URLs.
//!
//! What a pattern matches depends on where a host lies: a wildcard does not reach local names, a network does not reach the
//! special addresses in it. In each [`Region`] a pattern is therefore a plain language or none, and each is searched by itself.
//! Addresses are written by their bits, so that halves of a network make up the whole.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use ipnet::IpNet;

use super::search::Problem;
use crate::address;
use crate::matching::host::{HostPattern, WELL_KNOWN, is_public_label};
use crate::matching::{LastSegment, Pattern, url};

const LABEL: &str = "[a-z0-9_][a-z0-9_\\-]*";
/// A last label that makes the whole an address, see the WHATWG's "ends in a number".
const NUMBER: &str = "(?:[^\\x00]*\\.)?(?:[0-9]+|0x[0-9a-f]*)";
/// A class without a character.
const NOTHING: &str = "[a&&b]";
/// IPv4 addresses that IPv6 wraps are IPv4 addresses.
const MAPPED: (u128, u8) = (0xffff << 32, 96);

/// Hosts of one sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    /// Names of one label that mean the same in every cluster: only where a pattern says that name.
    WellKnown,
    /// All other names of one label: only where a pattern says how they begin; in a URL, only where it says that name.
    Single,
    /// Names that end in a label that is not public: only where a pattern says that label.
    Local,
    /// All other names.
    Public,
    /// Special IPv4 addresses: only where a network lies within a special range.
    Special4,
    /// All other IPv4 addresses.
    Open4,
    /// Special IPv6 addresses.
    Special6,
    /// All other IPv6 addresses.
    Open6,
}

impl Region {
    pub(super) const ALL: [Self; 8] = [
        Self::Public,
        Self::Local,
        Self::Single,
        Self::WellKnown,
        Self::Open4,
        Self::Special4,
        Self::Open6,
        Self::Special6,
    ];

    /// The texts of its hosts, maybe with others. Of names with more than one label those are enough whose last label makes a
    /// difference to the patterns.
    fn values<'a>(self, patterns: impl Iterator<Item = &'a HostPattern>) -> String {
        match self {
            Self::Single => LABEL.to_owned(),
            Self::WellKnown => well_known(),
            Self::Local | Self::Public => {
                let labels = last_labels(self == Self::Public, patterns);
                if labels.is_empty() {
                    return NOTHING.to_owned();
                }
                let labels: Vec<&str> = labels.into_iter().collect();
                format!("(?:{LABEL}\\.)+(?:{})", labels.join("|"))
            }
            Self::Special4 | Self::Open4 => "[01]{32}".to_owned(),
            Self::Special6 | Self::Open6 => "[01]{128}".to_owned(),
        }
    }

    /// Texts among those that are none of its hosts.
    fn unreal(self) -> Vec<String> {
        let special =
            |wanted: fn(&IpNet) -> bool| address::specials().filter(wanted).map(|range| bits(&range));
        let mapped = || begins_with(&format!("{:0128b}", MAPPED.0), MAPPED.1);
        match self {
            Self::Single => vec![NUMBER.to_owned(), well_known()],
            Self::WellKnown | Self::Local | Self::Public => vec![NUMBER.to_owned()],
            Self::Special4 => Vec::new(),
            Self::Open4 => special(|range| matches!(range, IpNet::V4(_))).collect(),
            Self::Special6 => vec![mapped()],
            Self::Open6 => special(|range| matches!(range, IpNet::V6(_)))
                .chain([mapped()])
                .collect(),
        }
    }

    /// What a pattern matches of its hosts, if anything. See `HostPattern::matches` and `address::covers`.
    fn language(self, pattern: &HostPattern, place: Place) -> Option<String> {
        let reaches = match (self, pattern) {
            (Self::Public, HostPattern::Name(glob)) => !glob.is_one_segment(),
            (Self::Local, HostPattern::Name(_)) => pattern.last_label().is_some(),
            (Self::Single, HostPattern::Name(_)) if place == Place::Alone => pattern.reaches_single(),
            (Self::Single | Self::WellKnown, HostPattern::Name(glob)) => glob.only_text().is_some(),
            (Self::Special4 | Self::Open4, HostPattern::Network(network @ IpNet::V4(_)))
            | (Self::Special6 | Self::Open6, HostPattern::Network(network @ IpNet::V6(_))) => {
                let named = address::is_special(network);
                named == matches!(self, Self::Special4 | Self::Special6)
            }
            (_, HostPattern::Name(_) | HostPattern::Network(_)) => false,
        };
        reaches.then(|| match pattern {
            HostPattern::Name(glob) => glob.body_regex(),
            HostPattern::Network(network) => bits(network),
        })
    }

    /// A host as people write it.
    pub(super) fn written(self, text: &str) -> String {
        match self {
            Self::WellKnown | Self::Single | Self::Local | Self::Public => text.to_owned(),
            Self::Special4 | Self::Open4 => u32::from_str_radix(text, 2)
                .map_or_else(|_| text.to_owned(), |bits| Ipv4Addr::from_bits(bits).to_string()),
            Self::Special6 | Self::Open6 => u128::from_str_radix(text, 2)
                .map_or_else(|_| text.to_owned(), |bits| Ipv6Addr::from_bits(bits).to_string()),
        }
    }
}

/// Where a host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Alone,
    InUrl,
}

fn well_known() -> String {
    WELL_KNOWN.map(regex_syntax::escape).join("|")
}

/// The last labels, public or not, that patterns tell apart: those that they say, and one for all that they don't say.
/// Where part of a last label is wild, it is every public one.
fn last_labels<'a>(public: bool, patterns: impl Iterator<Item = &'a HostPattern>) -> BTreeSet<&'a str> {
    let mut said = BTreeSet::new();
    let mut is_partly_wild = false;
    for pattern in patterns {
        let HostPattern::Name(glob) = pattern else {
            continue;
        };
        if glob.is_one_segment() {
            continue;
        }
        match glob.last_segment() {
            LastSegment::Literal(label) => {
                said.insert(label);
            }
            LastSegment::Any => {}
            LastSegment::Partly => is_partly_wild = true,
        }
    }
    said.retain(|label| is_public_label(label) == public);
    if public && is_partly_wild {
        said.extend(public_labels());
    } else if public {
        let other = public_labels()
            .iter()
            .copied()
            .find(|label| !said.contains(label));
        said.extend(other);
    }
    said
}

/// Every public last label, the shortest first.
fn public_labels() -> &'static [&'static str] {
    static LABELS: OnceLock<Vec<&'static str>> = OnceLock::new();
    LABELS.get_or_init(|| {
        let mut labels: Vec<&str> = tld::TLD
            .iter()
            .copied()
            .filter(|label| is_public_label(label))
            .collect();
        labels.sort_unstable_by_key(|label| (label.len(), *label));
        labels
    })
}

/// The bits of every address of a network.
fn bits(network: &IpNet) -> String {
    let all = match network.addr() {
        IpAddr::V4(address) => format!("{:032b}", address.to_bits()),
        IpAddr::V6(address) => format!("{:0128b}", address.to_bits()),
    };
    begins_with(&all, network.prefix_len())
}

fn begins_with(bits: &str, length: u8) -> String {
    format!("{}[01]*", bits.get(..usize::from(length)).unwrap_or(bits))
}

/// Hosts of one region.
pub(super) fn hosts(region: Region, granted: &[&Pattern], ceiling: &[&Pattern]) -> Problem {
    let languages = |patterns: &[&Pattern]| -> Vec<String> {
        let of = patterns.iter().filter_map(|pattern| match pattern {
            Pattern::Host(pattern) => region.language(pattern, Place::Alone),
            _ => None,
        });
        of.collect()
    };
    let patterns = granted.iter().chain(ceiling).filter_map(|pattern| match pattern {
        Pattern::Host(pattern) => Some(pattern),
        _ => None,
    });
    Problem {
        values: region.values(patterns),
        unreal: region.unreal(),
        granted: languages(granted),
        ceiling: languages(ceiling),
    }
}

/// A path as `url::Address` has it: characters that need no encoding, those of ASCII that do, and others by their bytes.
const PATH: &str = "(?:/(?:[!$&'()*+,\\-.0-9:;=@A-Z\\[\\]_a-z|~]\
    |%(?:2[0-46-9A-C]|3[AC-F]|40|5[BDE]|60|7[B-D])\
    |%(?:C[2-9A-F]|D[0-9A-F])%[89AB][0-9A-F]\
    |%E[0-9A-F](?:%[89AB][0-9A-F]){2}\
    |%F[0-4](?:%[89AB][0-9A-F]){3})*)+";
/// Paths with empty segments, or ones that climb or end with a dot or a space.
const CLIMBS: &str = "[^\\x00]*//[^\\x00]*|[^\\x00]*(?:\\.|%20)(?:/[^\\x00]*)?|[^\\x00]*/\\.\\.?;[^\\x00]*";

/// URLs whose host is of one region: scheme, host, port (none if it is the scheme's own) and path, with a NUL between.
/// No part holds one, so that a wildcard never reaches out of its part.
pub(super) fn urls(region: Region, granted: &[&Pattern], ceiling: &[&Pattern]) -> Problem {
    let languages = |patterns: &[&Pattern]| -> Vec<String> {
        let of = patterns.iter().filter_map(|pattern| match pattern {
            Pattern::Url(pattern) => {
                let host = region.language(&pattern.host, Place::InUrl)?;
                let port = pattern.port_regex();
                let (scheme, path) = (pattern.scheme(), pattern.path().body_regex());
                Some(format!("{scheme}\\x00{host}\\x00{port}\\x00{path}"))
            }
            _ => None,
        });
        of.collect()
    };
    let patterns = granted.iter().chain(ceiling).filter_map(|pattern| match pattern {
        Pattern::Url(pattern) => Some(&pattern.host),
        _ => None,
    });
    let schemes: Vec<&str> = url::SCHEMES.iter().map(|(scheme, _)| *scheme).collect();
    let hosts = region
        .unreal()
        .into_iter()
        .map(|host| format!("[^\\x00]*\\x00(?:{host})\\x00[\\s\\S]*"));
    let ports = url::SCHEMES
        .iter()
        .map(|(scheme, port)| format!("{scheme}\\x00[^\\x00]*\\x00{port}\\x00[\\s\\S]*"));
    let climbs = format!("(?:[^\\x00]*\\x00){{3}}(?:{CLIMBS})");
    Problem {
        values: format!(
            "(?:{})\\x00(?:{})\\x00(?:[1-9][0-9]{{0,4}})?\\x00{PATH}",
            schemes.join("|"),
            region.values(patterns)
        ),
        unreal: hosts.chain(ports).chain([climbs]).collect(),
        granted: languages(granted),
        ceiling: languages(ceiling),
    }
}

/// A URL as people write it.
pub(super) fn written_url(region: Region, text: &str) -> String {
    let mut parts = text.split('\0');
    let mut next = || parts.next().unwrap_or_default();
    let (scheme, host, port, path) = (next(), region.written(next()), next(), next());
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host
    };
    let colon = if port.is_empty() { "" } else { ":" };
    format!("{scheme}://{host}{colon}{port}{path}")
}
