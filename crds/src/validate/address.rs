//! Addresses on the network, as people write them into objects.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Url;

/// Ranges that no resource may be allowed to reach: the machine itself and the cloud's metadata services.
const NEVER: [&str; 6] = [
    "127.0.0.0/8",
    "0.0.0.0/8",
    "169.254.0.0/16",
    "::1/128",
    "fe80::/10",
    "fd00:ec2::/32",
];

/// Why a text is no address of an HTTP service; reads after the field's name.
pub(crate) fn http_url_fault(text: &str) -> Option<String> {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return Some(format!("is not a URL ({error}): write it as https://host/path")),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Some(format!(
            "has scheme {:?}: only http and https are possible",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("holds a user name or password: put them into a Credential".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Some("has a query or fragment: remove everything from '?' or '#' on".to_owned());
    }
    None
}

/// Why a text is no range of addresses that a resource may be allowed; reads after the field's name.
pub(crate) fn allowed_range_fault(text: &str) -> Option<String> {
    let range = match text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
    {
        Ok(range) => range.trunc(),
        Err(_) => {
            return Some(format!(
                "{text:?} is not a range of IP addresses: write it as 10.0.0.0/8"
            ));
        }
    };
    let overlaps = |never: &str| {
        never
            .parse::<IpNet>()
            .is_ok_and(|never| never.contains(&range) || range.contains(&never))
    };
    NEVER.iter().find(|never| overlaps(never)).map(|never| {
        format!(
            "{text:?} holds addresses of {never}, which can never be allowed: name the service's own range"
        )
    })
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
    #[case::relative("api.github.com", "is not a URL")]
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
    #[case::too_wide("10.0.0.0/33", "is not a range")]
    fn ranges_with_the_machine_or_metadata_are_refused(#[case] text: &str, #[case] part: &str) {
        let fault = allowed_range_fault(text).unwrap();
        assert!(fault.contains(part), "{fault}");
    }
}
