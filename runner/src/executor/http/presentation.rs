//! How a credential is shown to the server.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use http::header::{AUTHORIZATION, HeaderName};
use monstrum_contract::http::presentation::Basic;
use monstrum_contract::{Presentation, headers};
use monstrum_scrub::Scrubber;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::request::Request;
use crate::call::{Addressed, Credential, Failure};

/// Finds the credential, also in the form in which it is sent. All but basic authentication sends a field as it is, or in
/// an encoding that a scrubber knows.
pub(super) fn scrubber(presentation: &Presentation, credential: &Credential) -> Scrubber {
    credential.scrubber(match presentation {
        Presentation::Basic(basic) => Some((&basic.username_field, &basic.password_field)),
        Presentation::Bearer(_) | Presentation::Header(_) | Presentation::Query(_) => None,
    })
}

/// Adds the credential to `request`, if it may go where that goes.
pub(super) fn apply(
    presentation: &Presentation,
    credential: &Credential,
    request: &mut Request,
) -> Result<(), Failure> {
    let credential = credential.towards(&request.url)?;
    match presentation {
        Presentation::Bearer(bearer) => {
            let token = credential.text(&bearer.field)?;
            let value = Zeroizing::new(format!("Bearer {}", token.expose_secret()));
            set(request, AUTHORIZATION, &value)
        }
        Presentation::Header(header) => {
            let value = credential.text(&header.field)?;
            let value = Zeroizing::new(format!("{}{}", header.prefix, value.expose_secret()));
            set(request, name(&header.name)?, &value)
        }
        Presentation::Basic(basic) => set(request, AUTHORIZATION, &basic_value(basic, credential)?),
        Presentation::Query(query) => {
            let value = credential.text(&query.field)?;
            if request.url.query_pairs().any(|(name, _)| name == query.name) {
                return Err(taken(&query.name));
            }
            request
                .url
                .query_pairs_mut()
                .append_pair(&query.name, value.expose_secret());
            Ok(())
        }
    }
}

fn basic_value(basic: &Basic, credential: Addressed<'_>) -> Result<Zeroizing<String>, Failure> {
    let user = credential.text(&basic.username_field)?.expose_secret();
    let password = credential.text(&basic.password_field)?.expose_secret();
    if user.contains(':') {
        return Err(Failure::invalid(format!(
            "the credential's field {:?} holds a colon, which a user name can't",
            basic.username_field
        )));
    }
    let pair = Zeroizing::new(format!("{user}:{password}"));
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()));
    Ok(Zeroizing::new(format!("Basic {}", encoded.as_str())))
}

fn name(name: &str) -> Result<HeaderName, Failure> {
    let wrong = || {
        Failure::invalid(format!(
            "the credential's presentation: {name:?} can't be its header"
        ))
    };
    let parsed = HeaderName::try_from(name).map_err(|_| wrong())?;
    if headers::carries_credentials(parsed.as_str()) {
        Ok(parsed)
    } else {
        Err(wrong())
    }
}

fn set(request: &mut Request, name: HeaderName, value: &str) -> Result<(), Failure> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Failure::invalid("the credential's value can't be put into a header"))?;
    value.set_sensitive(true);
    if request.headers.contains_key(&name) {
        return Err(taken(name.as_str()));
    }
    request.headers.insert(name, value);
    Ok(())
}

fn taken(name: &str) -> Failure {
    Failure::invalid(format!(
        "the tool's execution and the credential's presentation both set {name:?}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::FailureKind;
    use http::HeaderMap;
    use monstrum_wire::runner::CredentialField;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn apply(presentation: Value, url: &str) -> Result<Request, Failure> {
        let field = |name: &str, value: &str| CredentialField {
            name: name.to_owned(),
            value: value.into(),
        };
        let fields = vec![field("token", "s3cr&t"), field("user", "me"), field("odd", "a:b")];
        let credential = Credential::new(fields, &["a".to_owned()]);
        let presentation: Presentation = serde_json::from_value(presentation).unwrap();
        let mut request = Request {
            method: http::Method::GET,
            url: url.parse().unwrap(),
            headers: HeaderMap::from_iter([(
                HeaderName::from_static("x-taken"),
                HeaderValue::from_static("1"),
            )]),
            body: None,
        };
        super::apply(&presentation, &credential, &mut request).map(|()| request)
    }

    #[rstest]
    #[case::bearer(json!({"bearer": {"field": "token"}}), "authorization", "Bearer s3cr&t")]
    #[case::header(json!({"header": {"name": "X-Api-Key", "field": "token"}}), "x-api-key", "s3cr&t")]
    #[case::prefix(json!({"header": {"name": "X-Key", "field": "token", "prefix": "k="}}), "x-key", "k=s3cr&t")]
    #[case::basic(
        json!({"basic": {"usernameField": "user", "passwordField": "token"}}), "authorization", "Basic bWU6czNjciZ0"
    )]
    fn headers(#[case] presentation: Value, #[case] header: &str, #[case] value: &str) {
        let request = apply(presentation, "https://a/").unwrap();
        assert_eq!(request.headers[header], value);
        assert!(request.headers[header].is_sensitive());
    }

    #[test]
    fn a_query_parameter_is_encoded() {
        let request = apply(
            json!({"query": {"name": "key", "field": "token"}}),
            "https://a/?x=1",
        )
        .unwrap();
        assert_eq!(request.url.as_str(), "https://a/?x=1&key=s3cr%26t");
    }

    #[rstest]
    #[case::bearer(json!({"bearer": {"field": "token"}}))]
    #[case::header(json!({"header": {"name": "X-Api-Key", "field": "token"}}))]
    #[case::basic(json!({"basic": {"usernameField": "user", "passwordField": "token"}}))]
    #[case::query(json!({"query": {"name": "key", "field": "token"}}))]
    fn nothing_is_added_to_a_request_that_goes_elsewhere(#[case] presentation: Value) {
        let failure = apply(presentation, "https://b/").unwrap_err();
        assert_eq!(failure.kind, FailureKind::Refused);
        assert!(failure.message.contains("https://b"), "{}", failure.message);
    }

    #[rstest]
    #[case::no_field(json!({"bearer": {"field": "other"}}), "other")]
    #[case::host(json!({"header": {"name": "Host", "field": "token"}}), "Host")]
    #[case::no_header_name(json!({"header": {"name": "a b", "field": "token"}}), "a b")]
    #[case::taken_header(json!({"header": {"name": "x-taken", "field": "token"}}), "x-taken")]
    #[case::taken_query(json!({"query": {"name": "q", "field": "token"}}), "q")]
    #[case::colon(json!({"basic": {"usernameField": "odd", "passwordField": "token"}}), "odd")]
    fn faults_name_what_is_wrong_and_no_secret(#[case] presentation: Value, #[case] named: &str) {
        let failure = apply(presentation, "https://a/?q=1").unwrap_err();
        assert!(
            failure.message.contains(&format!("{named:?}")),
            "{}",
            failure.message
        );
        assert!(!failure.message.contains("s3cr"), "{}", failure.message);
    }
}
