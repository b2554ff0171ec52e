//! Certificates of pods, in Secrets.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use monstrum_wire::identity::Identity;
use sha2::{Digest as _, Sha256};

use super::Labels;
use crate::trust::{Trust, renewal};

/// What a certificate was issued for, and by whom, as a digest.
const CERTIFIES: &str = "monstrum.dev/certifies";
/// When the next one is due.
const RENEW_AFTER: &str = "monstrum.dev/renew-after";

/// A certificate that some pods need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSpec {
    /// The Secret that it is kept in.
    pub secret: String,
    /// Whom it names.
    pub identity: Identity,
    /// DNS names and addresses, where it serves.
    pub names: Vec<String>,
    /// Of the Secret.
    pub labels: Labels,
}

impl CertificateSpec {
    /// Changes with everything that would make another certificate.
    fn fingerprint(&self, trust: &Trust) -> String {
        let mut digest = Sha256::new();
        for part in [trust.fingerprint(), &self.identity.uri(trust.trust_domain())] {
            digest.update(part);
            digest.update([0]);
        }
        for name in &self.names {
            digest.update(name);
            digest.update([0]);
        }
        hex::encode(digest.finalize())
    }

    /// How long the certificate of this Secret will do; none when it will not.
    pub(super) fn good_for(&self, secret: &ObjectMeta, trust: &Trust, now: Timestamp) -> Option<Duration> {
        let annotations = secret.annotations.as_ref()?;
        if annotations.get(CERTIFIES)? != &self.fingerprint(trust) {
            return None;
        }
        let renew: Timestamp = annotations.get(RENEW_AFTER)?.parse().ok()?;
        let left = renew.duration_since(now);
        left.is_positive().then(|| left.unsigned_abs())
    }
}

/// What a Secret's annotations say of a certificate that is issued now.
pub fn certificate_annotations(
    spec: &CertificateSpec,
    trust: &Trust,
    lifetime: Duration,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let wait = SignedDuration::try_from(renewal(lifetime)).unwrap_or_default();
    let renew = now.saturating_add(wait).unwrap_or(now);
    BTreeMap::from([
        (CERTIFIES.to_owned(), spec.fingerprint(trust)),
        (
            RENEW_AFTER.to_owned(),
            Timestamp::from_second(renew.as_second())
                .unwrap_or(renew)
                .to_string(),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_service::authority::Authority;
    use monstrum_wire::identity::BotName;

    const DAY: Duration = Duration::from_secs(86_400);

    fn spec() -> CertificateSpec {
        let bot = BotName {
            namespace: "team-a".to_owned(),
            name: "triage".to_owned(),
        };
        CertificateSpec {
            secret: "triage-gateway-tls".to_owned(),
            identity: Identity::Gateway(bot),
            names: vec!["triage-gateway".to_owned()],
            labels: Labels::new(),
        }
    }

    #[test]
    fn a_certificate_does_until_two_thirds_of_its_life_and_for_the_same_names_only() {
        monstrum_service::install_crypto();
        let trust = Trust::new(Authority::generate("monstrum.local").unwrap());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let annotations = certificate_annotations(&spec(), &trust, DAY, now);
        let secret = ObjectMeta {
            annotations: Some(annotations),
            ..ObjectMeta::default()
        };
        let later = |hours: i64| now.checked_add(SignedDuration::from_hours(hours)).unwrap();
        assert_eq!(
            spec().good_for(&secret, &trust, later(1)).unwrap().as_secs(),
            15 * 3600
        );
        assert_eq!(spec().good_for(&secret, &trust, later(16)), None);
        let renamed = CertificateSpec {
            names: vec!["other".to_owned()],
            ..spec()
        };
        assert_eq!(renamed.good_for(&secret, &trust, now), None);
        let other = Trust::new(Authority::generate("monstrum.local").unwrap());
        assert_eq!(spec().good_for(&secret, &other, now), None);
        assert_eq!(spec().good_for(&ObjectMeta::default(), &trust, now), None);
    }
}
