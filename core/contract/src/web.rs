//! Addresses and certificates of HTTP services, as people write them into objects.

use url::Url;

/// The address of an HTTP service: scheme, host, port and path. Or why it is none (reads after the field's name).
pub fn http_url(text: &str) -> Result<Url, String> {
    let url =
        Url::parse(text).map_err(|error| format!("is not a URL ({error}): write it as https://host/path"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "has scheme {:?}: only http and https are possible",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password: put them into a Credential".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or fragment: remove everything from '?' or '#' on".to_owned());
    }
    Ok(url)
}

/// Why a text is no address of an HTTP service.
pub fn http_url_fault(text: &str) -> Option<String> {
    http_url(text).err()
}

/// Why a text holds no certificates to trust (reads after the field's name).
pub fn authority_fault(pem: &str) -> Option<&'static str> {
    let is_pem = pem.contains("-----BEGIN CERTIFICATE-----");
    (!is_pem).then_some("holds no PEM certificate (-----BEGIN CERTIFICATE-----)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("https://api.github.com")]
    #[case("http://github.demo.svc:8080/api/v3")]
    #[case("https://[2001:db8::1]/x")]
    fn addresses_of_services_are_fine(#[case] text: &str) {
        assert_eq!(http_url_fault(text), None);
    }

    #[rstest]
    #[case::other_scheme("ftp://host/", "only http and https")]
    #[case::file("file:///etc/passwd", "only http and https")]
    #[case::gopher("gopher://example.com/", "only http and https")]
    #[case::relative("api.github.com", "is not a URL")]
    #[case::path("/x", "is not a URL")]
    #[case::empty("", "is not a URL")]
    #[case::user("https://me@host/", "Credential")]
    #[case::password("https://me:secret@host/", "Credential")]
    #[case::empty_user("https://:secret@host/", "Credential")]
    #[case::query("https://host/?key=1", "query")]
    #[case::fragment("https://host/#x", "query or fragment")]
    #[case::no_host("https://", "is not a URL")]
    fn other_addresses_are_refused(#[case] text: &str, #[case] part: &str) {
        let fault = http_url_fault(text).unwrap();
        assert!(fault.contains(part), "{fault}");
        assert!(!fault.contains("secret"), "a password in a message: {fault}");
    }
}
