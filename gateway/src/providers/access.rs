//! How a provider is reached, as its settings say.

use monstrum_egress::{Access, EgressError, Proxy, ranges};
use monstrum_scrub::Tainted;
use monstrum_wire::policy::{self, Model};
use reqwest::Url;

use super::ModelError;

pub(super) fn access(model: &Model) -> Result<Access, ModelError<Tainted>> {
    Ok(Access {
        allowed: ranges(&model.allowed_addresses).map_err(|error| unusable(&error.to_string()))?,
        ca_certificate: Some(&model.ca_certificate).filter(|pem| !pem.is_empty()).cloned(),
        proxy: model.proxy.as_ref().map(proxy).transpose()?,
    })
}

fn proxy(proxy: &policy::Proxy) -> Result<Proxy, ModelError<Tainted>> {
    Ok(Proxy {
        url: Url::parse(&proxy.url).map_err(|error| unusable(&format!("proxy.url: {error}")))?,
        allowed: ranges(&proxy.allowed_addresses).map_err(|error| unusable(&error.to_string()))?,
    })
}

/// Nothing was sent. What an administrator has to change is no reason to ask again.
pub(super) fn undialled(error: &EgressError) -> ModelError<Tainted> {
    if error.is_transient() {
        ModelError::NotConnected(error.to_string().into())
    } else {
        unusable(&error.to_string())
    }
}

fn unusable(why: &str) -> ModelError<Tainted> {
    ModelError::Configuration(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_egress::Egress;
    use monstrum_scrub::Scrubber;
    use rstest::rstest;

    async fn refused(base_url: &str, allowed: &[&str]) -> Option<String> {
        let model = Model {
            base_url: base_url.to_owned(),
            allowed_addresses: allowed.iter().map(ToString::to_string).collect(),
            ..Model::default()
        };
        let access = access(&model).unwrap();
        let error = Egress::new()
            .client(&Url::parse(base_url).unwrap(), &access)
            .await
            .err()?;
        match undialled(&error).clean(&Scrubber::default()) {
            ModelError::Configuration(why) => Some(why),
            other => panic!("{other}"),
        }
    }

    #[rstest]
    #[case::loopback("http://127.0.0.1:8080/v1")]
    #[case::loopback_short("http://127.1:8080/v1")]
    #[case::loopback_decimal("http://2130706433:8080/v1")]
    #[case::loopback_hexadecimal("http://0x7f000001:8080/v1")]
    #[case::loopback_octal("http://0177.0.0.1:8080/v1")]
    #[case::loopback_v6("http://[::1]:8080/v1")]
    #[case::loopback_mapped("http://[::ffff:127.0.0.1]:8080/v1")]
    #[case::loopback_by_name("http://localhost:8080/v1")]
    #[case::metadata("http://169.254.169.254/v1")]
    #[case::metadata_v6("http://[fd00:ec2::254]/v1")]
    #[case::cloud_host("http://168.63.129.16/v1")]
    #[case::unspecified("http://0.0.0.0:8080/v1")]
    #[tokio::test]
    async fn a_provider_is_never_this_machine_nor_a_clouds(#[case] base_url: &str) {
        monstrum_service::install_crypto();
        for allowed in [&[][..], &["127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/0", "::/0"]] {
            let why = refused(base_url, allowed).await.unwrap();
            assert!(why.contains("nobody may reach"), "{why}");
        }
    }

    #[tokio::test]
    async fn a_provider_on_a_private_network_is_reached_where_it_is_named() {
        monstrum_service::install_crypto();
        assert!(
            refused("http://10.1.2.3/v1", &[])
                .await
                .unwrap()
                .contains("allowedAddresses")
        );
        assert_eq!(refused("http://10.1.2.3/v1", &["10.1.0.0/16"]).await, None);
    }
}
