//! The settings of a resource whose type is executed over HTTP.

use ipnet::IpNet;
use monstrum_egress::{Access, Proxy, ranges};
use serde::{Deserialize, Deserializer, de};
use url::Url;

use crate::call::Failure;

/// A resource's `config`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Config {
    /// Where every path of the type's templates begins.
    base_url: String,
    /// Addresses that are forbidden in general and that this resource may reach.
    #[serde(default, deserialize_with = "networks")]
    allowed_addresses: Vec<IpNet>,
    /// PEM certificates of the authorities that the server is verified with, instead of the public ones.
    #[serde(default)]
    ca_certificate: Option<String>,
    /// What the connections go through.
    #[serde(default)]
    proxy: Option<ProxyConfig>,
    /// Whether a redirect within the same origin is followed.
    #[serde(default)]
    pub(super) follow_redirects: bool,
}

/// A forward proxy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProxyConfig {
    url: String,
    #[serde(default, deserialize_with = "networks")]
    allowed_addresses: Vec<IpNet>,
}

impl Config {
    /// How the base URL is reached.
    pub(super) fn access(&self) -> Result<Access, Failure> {
        let proxy = |proxy: &ProxyConfig| {
            let url = Url::parse(&proxy.url).map_err(|error| {
                Failure::invalid(format!("the resource's config: proxy.url is no URL: {error}"))
            })?;
            let allowed = proxy.allowed_addresses.clone();
            Ok(Proxy { url, allowed })
        };
        Ok(Access {
            allowed: self.allowed_addresses.clone(),
            ca_certificate: self.ca_certificate.clone(),
            proxy: self.proxy.as_ref().map(proxy).transpose()?,
        })
    }

    /// The base URL: http or https, nothing but scheme, host, port and path.
    pub(super) fn base(&self) -> Result<Url, Failure> {
        let wrong = |why: &str| Failure::invalid(format!("the resource's config: baseUrl {why}"));
        let url = Url::parse(&self.base_url).map_err(|error| wrong(&format!("is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("must be http or https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("must not hold a user or password; bind a credential"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("must end with its path"));
        }
        Ok(url)
    }
}

/// CIDRs; a single address is a network of its own.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    ranges(&texts).map_err(|error| de::Error::custom(format!("allowedAddresses: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn base(url: &str) -> Result<Url, Failure> {
        serde_json::from_value::<Config>(json!({ "baseUrl": url }))
            .unwrap()
            .base()
    }

    #[rstest]
    #[case::ftp("ftp://example.com/")]
    #[case::file("file:///etc/passwd")]
    #[case::gopher("gopher://example.com/")]
    #[case::userinfo("https://user:secret@example.com/")]
    #[case::user("https://user@example.com/")]
    #[case::query("https://example.com/?a=b")]
    #[case::fragment("https://example.com/#x")]
    #[case::relative("/x")]
    #[case::empty("")]
    fn a_base_url_is_scheme_host_port_and_path(#[case] url: &str) {
        let failure = base(url).unwrap_err();
        assert!(failure.message.contains("baseUrl"), "{}", failure.message);
        assert!(!failure.message.contains("secret"), "{}", failure.message);
    }

    #[test]
    fn addresses_and_networks_are_read_and_typos_are_not() {
        let read = |text: &str| {
            serde_json::from_value::<Config>(json!({ "baseUrl": "https://a/", "allowedAddresses": [text] }))
        };
        assert_eq!(
            read("10.0.0.5").unwrap().allowed_addresses,
            ["10.0.0.5/32".parse().unwrap()]
        );
        assert_eq!(
            read("fd00::/8").unwrap().allowed_addresses,
            ["fd00::/8".parse().unwrap()]
        );
        assert!(read("10.0.0.0/33").is_err());
        assert!(read("example.com").is_err());
        assert!(
            serde_json::from_value::<Config>(json!({ "baseUrl": "https://a/", "allowedaddresses": [] }))
                .is_err()
        );
    }
}
