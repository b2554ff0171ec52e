//! What is made of the settings of a resource whose type is executed over HTTP.

use monstrum_contract::http::{Config, Proxy};
use monstrum_contract::http_url;
use monstrum_egress::{Access, Proxy as Through};
use url::Url;

use crate::call::Failure;

/// How the base URL is reached.
pub(super) fn access(config: &Config) -> Result<Access, Failure> {
    let through = |proxy: &Proxy| {
        let url = url("proxy.url", &proxy.url)?;
        let allowed = proxy.allowed();
        Ok(Through { url, allowed })
    };
    Ok(Access {
        allowed: config.allowed(),
        ca_certificate: config.ca_certificate.clone(),
        proxy: config.proxy.as_ref().map(through).transpose()?,
    })
}

/// The base URL: http or https, nothing but scheme, host, port and path.
pub(super) fn base(config: &Config) -> Result<Url, Failure> {
    url("baseUrl", &config.base_url)
}

fn url(field: &str, text: &str) -> Result<Url, Failure> {
    http_url(text).map_err(|why| Failure::invalid(format!("the resource's config: {field} {why}")))
}
