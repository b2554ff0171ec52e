//! The settings of a resource whose type is executed over HTTP.

use ipnet::IpNet;
use monstrum_guardian::address;
use serde::{Deserialize, Deserializer, de};

use crate::Fault;
use crate::reach::{Address, Place, Reach};
use crate::web::{authority_fault, http_url_fault};

/// A resource's `config`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// Where every path of the type's templates begins.
    pub base_url: String,
    /// Addresses that are forbidden in general and that this resource may reach.
    #[serde(default)]
    allowed_addresses: Vec<Range>,
    /// PEM certificates of the authorities that the server is verified with, instead of the public ones.
    #[serde(default)]
    pub ca_certificate: Option<String>,
    /// What the connections go through.
    #[serde(default)]
    pub proxy: Option<Proxy>,
    /// Whether a redirect within the same origin is followed.
    #[serde(default)]
    pub follow_redirects: bool,
}

/// A forward proxy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Proxy {
    /// Where it listens.
    pub url: String,
    #[serde(default)]
    allowed_addresses: Vec<Range>,
}

/// A CIDR; a single address is a network of its own.
#[derive(Debug, Clone, Copy)]
struct Range(IpNet);

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || de::Error::custom(format!("{text:?} is neither an address nor a CIDR"));
        address::range(&text).map(Self).ok_or_else(wrong)
    }
}

fn networks(ranges: &[Range]) -> Vec<IpNet> {
    ranges.iter().map(|range| range.0).collect()
}

impl Config {
    /// The ranges that the base URL may stand in although they are not the public internet.
    pub fn allowed(&self) -> Vec<IpNet> {
        networks(&self.allowed_addresses)
    }

    /// What is wrong with it.
    pub fn faults(&self) -> Vec<Fault> {
        let base = http_url_fault(&self.base_url).map(|why| Fault::new("baseUrl", why));
        let proxy = self.proxy.as_ref().and_then(|proxy| http_url_fault(&proxy.url));
        let authorities = self.ca_certificate.as_deref().and_then(authority_fault);
        base.into_iter()
            .chain(proxy.map(|why| Fault::new("proxy.url", why)))
            .chain(authorities.map(|why| Fault::new("caCertificate", why)))
            .collect()
    }

    pub(super) fn reach(self) -> Reach {
        let target = Address {
            field: "baseUrl".to_owned(),
            ranges_field: "allowedAddresses".to_owned(),
            ranges: self.allowed(),
            url: self.base_url,
        };
        let proxy = self.proxy.map(|proxy| Address {
            field: "proxy.url".to_owned(),
            ranges_field: "proxy.allowedAddresses".to_owned(),
            ranges: proxy.allowed(),
            url: proxy.url,
        });
        Reach {
            places: vec![Place { target, proxy }],
            internet: None,
        }
    }
}

impl Proxy {
    /// The ranges that it may stand in although they are not the public internet.
    pub fn allowed(&self) -> Vec<IpNet> {
        networks(&self.allowed_addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_and_networks_are_read_and_typos_are_not() {
        let read = |text: &str| {
            serde_json::from_value::<Config>(json!({ "baseUrl": "https://a/", "allowedAddresses": [text] }))
        };
        assert_eq!(
            read("10.0.0.5").unwrap().allowed(),
            ["10.0.0.5/32".parse().unwrap()]
        );
        assert_eq!(read("fd00::/8").unwrap().allowed(), ["fd00::/8".parse().unwrap()]);
        assert!(read("10.0.0.0/33").is_err());
        assert!(read("example.com").is_err());
        assert!(
            serde_json::from_value::<Config>(json!({ "baseUrl": "https://a/", "allowedaddresses": [] }))
                .is_err()
        );
    }

    #[test]
    fn through_a_proxy_only_the_proxy_is_dialled() {
        let config = json!({
            "baseUrl": "https://a.example", "proxy": {"url": "http://p:3128", "allowedAddresses": ["10.0.0.1"]}
        });
        let reach = serde_json::from_value::<Config>(config).unwrap().reach();
        let named: Vec<_> = reach.addresses().map(|address| address.field.as_str()).collect();
        assert_eq!(named, ["baseUrl", "proxy.url"]);
        let dialled = reach.places.first().unwrap().dialled();
        assert_eq!(dialled.url, "http://p:3128");
        assert_eq!(dialled.ranges, ["10.0.0.1/32".parse().unwrap()]);
    }
}
