//! `Url`: addresses after WHATWG parsing, against `scheme://host:port/path`.
//!
//! In a pattern the host is a host pattern (networks and IPv6 in brackets), the port is the scheme's own unless written
//! (`:*` for any), and the path is a glob over `/`. The query is not restricted; the fragment is never sent.

use std::fmt::Write as _;

use ::url::Url;

use super::glob::Style;
use super::host::{Host, HostPattern};
use super::{Glob, NotCanonical, PatternFault, text};

/// What parsing encodes in a path, so that the literals of a pattern have the form that values have.
const PATH: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'^');

/// The schemes that there are, with their own ports.
pub(crate) const SCHEMES: [(&str, u16); 4] = [("http", 80), ("https", 443), ("ws", 80), ("wss", 443)];

/// A URL in the one form that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The whole, without fragment, as it is sent.
    pub(super) text: String,
    pub(super) host: Host,
    scheme: String,
    port: u16,
    path: String,
}

impl Address {
    /// Folds every spelling to one and refuses what servers and clients read differently.
    pub(super) fn read(value: &str) -> Result<Self, NotCanonical> {
        text::visible(value)?;
        if value.contains(['\\', ' ']) {
            return Err("holds a backslash or a space".into());
        }
        let (scheme, rest) = value.split_once("://").ok_or("is not an absolute URL")?;
        // Browsers skip further slashes; others see an empty host.
        if rest.starts_with('/') {
            return Err("has no host".into());
        }
        if !SCHEMES
            .iter()
            .any(|(known, _)| scheme.eq_ignore_ascii_case(known))
        {
            return Err("does not have one of the schemes http, https, ws, wss".into());
        }
        let url = Url::parse(value).map_err(|_| "is not a URL")?;
        if !url.username().is_empty() || url.password().is_some() || authority(value).contains('@') {
            return Err("holds a user name or password".into());
        }
        let host = match url.host().ok_or("has no host")? {
            ::url::Host::Ipv4(address) => Host::of_address(address.into()),
            ::url::Host::Ipv6(address) => Host::of_address(address.into()),
            ::url::Host::Domain(name) => Host::of_name(name)?,
        };
        let port = url
            .port_or_known_default()
            .filter(|port| *port != 0)
            .ok_or("has no usable port")?;
        let path = canonical_path(url.path())?;
        Ok(Self::assemble(url.scheme(), host, port, path, url.query()))
    }

    fn assemble(scheme: &str, host: Host, port: u16, path: String, query: Option<&str>) -> Self {
        let bracketed = host.text.contains(':');
        let mut text = format!("{scheme}://");
        // Writing to a string cannot fail.
        let _ = if bracketed {
            write!(text, "[{}]", host.text)
        } else {
            write!(text, "{}", host.text)
        };
        if default_port(scheme) != Some(port) {
            let _ = write!(text, ":{port}");
        }
        text.push_str(&path);
        if let Some(query) = query {
            let _ = write!(text, "?{query}");
        }
        Self {
            text,
            host,
            scheme: scheme.to_owned(),
            port,
            path,
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    SCHEMES
        .iter()
        .find(|(known, _)| *known == scheme)
        .map(|(_, port)| *port)
}

/// The text between `://` and the path.
fn authority(value: &str) -> &str {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Decodes what never needed encoding, and refuses encodings that some servers decode into structure, or that people do not see:
/// what [`super::path`] refuses in plain text.
fn canonical_path(path: &str) -> Result<String, NotCanonical> {
    let mut canonical = String::with_capacity(path.len());
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(place) = rest.find('%') {
        let (plain, encoded) = rest.split_at_checked(place).unwrap_or((rest, ""));
        canonical.push_str(plain);
        decoded.extend(plain.bytes());
        let byte = encoded
            .get(1..3)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
            .ok_or("has a % in its path that encodes nothing")?;
        push_encoded(byte, &mut canonical)?;
        decoded.push(byte);
        rest = encoded.get(3..).unwrap_or_default();
    }
    canonical.push_str(rest);
    decoded.extend(rest.bytes());
    refuse_disguises(&decoded)?;
    if canonical.contains("//") || canonical.split('/').any(climbs) {
        return Err(
            "has an empty segment, or one that climbs or ends with a dot or a space, in its path".into(),
        );
    }
    Ok(canonical)
}

/// Adds a byte that was encoded, in the one form that it has.
fn push_encoded(byte: u8, canonical: &mut String) -> Result<(), NotCanonical> {
    match byte {
        b'/' | b'\\' | b'%' | b';' => return Err("has an encoded /, \\, ; or % in its path".into()),
        _ if byte.is_ascii_control() => return Err("has an encoded control character in its path".into()),
        _ if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => canonical.push(char::from(byte)),
        _ => {
            let _ = write!(canonical, "%{byte:02X}");
        }
    }
    Ok(())
}

/// Refuses what servers read in different ways, or people not at all, once it is decoded.
fn refuse_disguises(decoded: &[u8]) -> Result<(), NotCanonical> {
    // Some decoders take an overlong encoding of a dot for a dot.
    let text = std::str::from_utf8(decoded).map_err(|_| "has encoded bytes in its path that are no text")?;
    if text.is_ascii() {
        return Ok(());
    }
    if text.chars().any(text::is_hidden) {
        return Err("has an encoded character in its path that is invisible".into());
    }
    if text.chars().any(text::folds_to_separator) {
        return Err("has a character in its path that other readers take for a dot or slash".into());
    }
    Ok(())
}

/// `..` climbs; others drop trailing dots and spaces, and what follows a `;`.
fn climbs(segment: &str) -> bool {
    segment.ends_with('.')
        || segment.ends_with("%20")
        || segment.starts_with("..;")
        || segment.starts_with(".;")
}

/// What a grant says of URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UrlPattern {
    scheme: String,
    pub(crate) host: HostPattern,
    /// None for any.
    port: Option<u16>,
    path: Glob,
}

impl UrlPattern {
    pub(super) fn compile(pattern: &str) -> Result<Self, PatternFault> {
        let (scheme, rest) = pattern
            .split_once("://")
            .ok_or_else(|| format!("{pattern} has no scheme; write for example https://example.com/**"))?;
        let default = default_port(scheme)
            .ok_or_else(|| format!("{scheme} is not one of the schemes http, https, ws, wss"))?;
        let (authority, path) = split_path(rest)
            .ok_or_else(|| format!("{pattern} has no path; end it with /** for every path"))?;
        let (host, port) = host_and_port(authority)?;
        let port = match port {
            None => Some(default),
            Some("*") => None,
            Some(port) => Some(
                port.parse()
                    .ok()
                    .filter(|port| *port != 0)
                    .ok_or_else(|| format!("{port} is not a port"))?,
            ),
        };
        Ok(Self {
            scheme: scheme.to_owned(),
            host: HostPattern::compile(host)?,
            port,
            path: path_glob(path)?,
        })
    }

    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    pub(crate) fn path(&self) -> &Glob {
        &self.path
    }

    /// The ports as a regular expression over their digits; the scheme's own port has none.
    pub(crate) fn port_regex(&self) -> String {
        match self.port {
            None => "[0-9]*".to_owned(),
            Some(port) if default_port(&self.scheme) == Some(port) => String::new(),
            Some(port) => port.to_string(),
        }
    }

    pub(super) fn matches(&self, url: &Address) -> bool {
        self.scheme == url.scheme
            && self.port.is_none_or(|port| port == url.port)
            && self.host.matches_of_url(&url.host)
            && self.path.matches(&url.path)
    }

    /// Whether a URL may match both.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        let same_port = self.port.is_none() || other.port.is_none() || self.port == other.port;
        self.scheme == other.scheme && same_port && self.host.may_meet(&other.host)
    }

    /// Whether it is known to match everything that the other one matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && (self.port.is_none() || self.port == other.port)
            && self.host.covers(&other.host)
            && self.path.covers(&other.path)
    }
}

/// Authority and path; a network in brackets has a slash of its own.
fn split_path(rest: &str) -> Option<(&str, &str)> {
    let from = if rest.starts_with('[') { rest.find(']')? } else { 0 };
    let place = rest.get(from..)?.find('/')?.checked_add(from)?;
    rest.split_at_checked(place)
}

fn host_and_port(authority: &str) -> Result<(&str, Option<&str>), PatternFault> {
    if authority.contains('@') {
        return Err("a URL pattern holds no user name".to_owned());
    }
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest
            .split_once(']')
            .ok_or("the bracket of the host is not closed")?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err("after the bracketed host comes a : and a port, or the path".to_owned()),
        };
    }
    Ok(authority
        .split_once(':')
        .map_or((authority, None), |(host, port)| (host, Some(port))))
}

fn path_glob(path: &str) -> Result<Glob, PatternFault> {
    if path.contains(['?', '#', '\\']) {
        return Err("a URL pattern restricts neither query nor fragment and has no \\".to_owned());
    }
    let encoded = percent_encoding::utf8_percent_encode(path, PATH).to_string();
    let canonical = canonical_path(&encoded).map_err(|fault| format!("the pattern {fault}"))?;
    let style = Style {
        separator: Some('/'),
        trailing_may_be_empty: true,
        leading_may_be_empty: true,
    };
    Glob::compile(&canonical, style)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("HTTPS://Example.COM:443/a/./b/../c#frag", "https://example.com/a/c")]
    #[case("http://example.com", "http://example.com/")]
    #[case("http://example.com./a", "http://example.com/a")]
    #[case("http://2130706433/", "http://127.0.0.1/")]
    #[case("http://0x7f.1/", "http://127.0.0.1/")]
    #[case("http://[::ffff:127.0.0.1]/", "http://127.0.0.1/")]
    #[case("http://[0:0:0:0:0:0:0:1]:8080/", "http://[::1]:8080/")]
    #[case("https://example.com/%61dmin", "https://example.com/admin")]
    #[case("https://example.com/a/%2E%2e/b", "https://example.com/b")]
    #[case("https://example.com/é?q=1", "https://example.com/%C3%A9?q=1")]
    #[case("https://exa%6dple.com/", "https://example.com/")]
    #[case("https://１２７.0.0.1/", "https://127.0.0.1/")]
    #[case(
        "https://example.com/%E6%96%87/%f0%9f%98%80",
        "https://example.com/%E6%96%87/%F0%9F%98%80"
    )]
    #[case(
        "https://example.com/a%20b.c/.well-known/",
        "https://example.com/a%20b.c/.well-known/"
    )]
    fn folds(#[case] value: &str, #[case] canonical: &str) {
        let url = Address::read(value).unwrap();
        assert_eq!(url.text, canonical);
        assert_eq!(Address::read(canonical).unwrap(), url);
    }

    #[rstest]
    #[case::userinfo("https://example.com@evil.test/")]
    #[case::password("https://a:b@example.com/")]
    #[case::empty_userinfo("https://@example.com/")]
    #[case::file("file:///etc/passwd")]
    #[case::gopher("gopher://example.com/")]
    #[case::javascript("javascript://example.com/%0aalert(1)")]
    #[case::no_slashes("https:example.com")]
    #[case::relative("//example.com/")]
    #[case::backslash("https://example.com\\@evil.test/")]
    #[case::tab("https://exam\tple.com/")]
    #[case::newline("https://example.com/\n")]
    #[case::space("https://example.com/a b")]
    #[case::encoded_slash("https://example.com/a%2f..%2fb")]
    #[case::encoded_backslash("https://example.com/a%5c..")]
    #[case::encoded_twice("https://example.com/a/%252e%252e/b")]
    #[case::encoded_nul("https://example.com/a%00")]
    #[case::encoded_newline("https://example.com/a%0d%0aX")]
    #[case::bare_percent("https://example.com/100%")]
    #[case::empty_segment("https://example.com/public//admin")]
    #[case::parameter_climbs("https://example.com/public/..;/admin")]
    #[case::port_zero("https://example.com:0/")]
    #[case::port_overflow("https://example.com:65979/")]
    #[case::no_host("https:///path")]
    #[case::hyphen_in_front("https://-oproxycommand.example.org/")]
    #[case::zero_width("https://exam\u{200b}ple.com/")]
    #[case::overlong_dots("https://example.com/a/%c0%ae%c0%ae/b")]
    #[case::overlong_slash("https://example.com/a%c0%af..%c0%afb")]
    #[case::overlong_slash_of_three("https://example.com/a%e0%80%af..")]
    #[case::overlong_slash_of_four("https://example.com/a%f0%80%80%af..")]
    #[case::overlong_nul("https://example.com/a%c0%80")]
    #[case::surrogate("https://example.com/a%ed%a0%80")]
    #[case::latin_1("https://example.com/caf%e9")]
    #[case::half_a_character("https://example.com/%c3/a")]
    #[case::beyond_unicode("https://example.com/%f4%90%80%80")]
    #[case::fullwidth_dots("https://example.com/a/\u{ff0e}\u{ff0e}/b")]
    #[case::encoded_fullwidth_dots("https://example.com/a/%ef%bc%8e%ef%bc%8e/b")]
    #[case::fullwidth_slash("https://example.com/a\u{ff0f}b")]
    #[case::dots_and_fullwidth_slash("https://example.com/a/..\u{ff0f}b")]
    #[case::encoded_fullwidth_slash("https://example.com/a%EF%BC%8Fb")]
    #[case::fullwidth_backslash("https://example.com/a%EF%BC%BCb")]
    #[case::fullwidth_percent("https://example.com/a/\u{ff05}2e\u{ff05}2e/b")]
    #[case::two_dot_leader("https://example.com/a/\u{2025}/b")]
    #[case::division_slash("https://example.com/a\u{2215}b")]
    #[case::fraction_slash("https://example.com/a%E2%81%84b")]
    #[case::account_of("https://example.com/\u{2100}")]
    #[case::yen("https://example.com/a/..%C2%A5b")]
    #[case::bidi("https://example.com/\u{202e}dm.a")]
    #[case::encoded_bidi("https://example.com/%e2%80%ae/admin")]
    #[case::encoded_isolate("https://example.com/%E2%81%A6x")]
    #[case::encoded_zero_width("https://example.com/adm%E2%80%8Bin")]
    #[case::encoded_soft_hyphen("https://example.com/adm%C2%ADin")]
    #[case::encoded_byte_order_mark("https://example.com/%EF%BB%BFadmin")]
    #[case::encoded_tag("https://example.com/a%F3%A0%81%81")]
    #[case::encoded_next_line("https://example.com/a%C2%85")]
    #[case::encoded_line_separator("https://example.com/a%E2%80%A8b")]
    #[case::encoded_non_character("https://example.com/a%EF%BF%BE")]
    #[case::three_dots("https://example.com/a/.../b")]
    #[case::encoded_third_dot("https://example.com/a/..%2e/b")]
    #[case::trailing_dot("https://example.com/secret.")]
    #[case::trailing_dot_inside("https://example.com/public./b")]
    #[case::trailing_space("https://example.com/secret%20")]
    #[case::dots_and_a_space("https://example.com/a/..%20/b")]
    #[case::encoded_by_iis("https://example.com/a/%u002e%u002e/b")]
    #[case::encoded_parameter("https://example.com/a/..%3b/b")]
    fn refuses(#[case] value: &str) {
        assert!(Address::read(value).is_err(), "{:?}", Address::read(value));
    }

    #[rstest]
    #[case("https://api.example.com/**", "https://api.example.com/", true)]
    #[case("https://api.example.com/**", "https://api.example.com/a/b?c", true)]
    #[case("https://api.example.com/**", "http://api.example.com/a", false)]
    #[case("https://api.example.com/**", "https://api.example.com:8443/a", false)]
    #[case("https://api.example.com:8443/**", "https://api.example.com:8443/a", true)]
    #[case("https://api.example.com:*/**", "https://api.example.com:1/a", true)]
    #[case("https://api.example.com/v1/*", "https://api.example.com/v1/../admin", false)]
    #[case(
        "https://api.example.com/v1/**",
        "https://api.example.com/v1/a/%2e%2e/%2e%2e/admin",
        false
    )]
    #[case("https://api.example.com/v1/**", "https://api.example.com/v10/a", false)]
    #[case("https://*.example.com/**", "https://a.example.com/", true)]
    #[case("https://*.example.com/**", "https://evil.test/?.example.com/", false)]
    #[case("https://*.example.com/**", "https://evil.test/.example.com/", false)]
    #[case("https://**/**", "https://169.254.169.254/latest/meta-data", false)]
    #[case("https://**/**", "https://kubernetes.default.svc/api", false)]
    #[case("https://[0.0.0.0/0]/**", "https://93.184.216.34/", true)]
    #[case("https://[0.0.0.0/0]/**", "https://10.0.0.1/", false)]
    #[case("https://[0.0.0.0/0]/**", "https://[64:ff9b::a00:1]/", false)]
    #[case("http://[10.0.0.0/8]:8080/**", "http://[::ffff:10.0.0.1]:8080/x", true)]
    #[case("http://[::1]/", "http://[::1]/", true)]
    #[case("https://example.com/é/*", "https://example.com/%c3%a9/a", true)]
    #[case::one_label("https://dev-*/**", "https://dev-1/", false)]
    #[case::one_label_that_is_named("https://dev-1/**", "https://dev-1/x", true)]
    #[case::completed("https://**/**", "https://ledger.monstrum-system/", false)]
    #[case::option("https://*.example.org/**", "https://a.example.org/", true)]
    fn compares(#[case] pattern: &str, #[case] value: &str, #[case] expected: bool) {
        let pattern = UrlPattern::compile(pattern).unwrap();
        assert_eq!(pattern.matches(&Address::read(value).unwrap()), expected);
    }

    #[rstest]
    #[case("example.com/**")]
    #[case("https://example.com")]
    #[case("https://example.com/a?b")]
    #[case("https://u@example.com/")]
    #[case("ftp://example.com/")]
    #[case("https://example.com:0/")]
    #[case("https://example.com:99999/")]
    #[case("https://example.com/a/../b")]
    #[case("https://[::1/")]
    #[case("*://example.com/")]
    #[case("https://-x.example.com/")]
    #[case("https://example.com/%c0%ae/*")]
    #[case("https://example.com/．．/*")]
    #[case("https://example.com/a./*")]
    #[case("https://example.com/a%20")]
    fn refuses_patterns(#[case] pattern: &str) {
        assert!(UrlPattern::compile(pattern).is_err());
    }
}
