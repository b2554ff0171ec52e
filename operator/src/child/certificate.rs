//! Certificates of pods, in Secrets.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use monstrum_wire::identity::{Identity, Serial};
use sha2::{Digest as _, Sha256};

use super::Labels;
use crate::trust::{Held, renewal};

/// What a certificate was issued for, and by whom, as a digest.
const CERTIFIES: &str = "monstrum.dev/certifies";
/// Who signed it, as a digest.
const SIGNED_BY: &str = "monstrum.dev/signed-by";
/// Whom its holder trusts, as a digest.
const TRUSTS: &str = "monstrum.dev/trusts";
/// When the next one is due.
const RENEW_AFTER: &str = "monstrum.dev/renew-after";
/// Whom it names: the path of the SPIFFE id.
const IDENTITY: &str = "monstrum.dev/identity";
/// Its serial number. It is the only one that is good, but for the one before for a while.
const SERIAL: &str = "monstrum.dev/serial";
/// The serial number of the one before.
const PREVIOUS_SERIAL: &str = "monstrum.dev/previous-serial";
/// How long that is good.
const PREVIOUS_UNTIL: &str = "monstrum.dev/previous-until";

/// In this time pods take up a new certificate: a kubelet refreshes what it mounted within a minute or two.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);

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

/// A certificate that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Its serial number.
    pub serial: Serial,
    /// Until when it is good, where another has taken its place.
    pub until: Option<Timestamp>,
}

/// The certificates of one identity that are good, as the annotations of their Secret say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Whom they name.
    pub identity: Identity,
    /// The one issued last, then the one before.
    pub certificates: Vec<Certificate>,
}

impl Certificate {
    /// Whether it is good at an instant.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// For how many seconds it is good still; 0 without an end.
    pub fn good_seconds(&self, now: Timestamp) -> u32 {
        self.until.map_or(0, |until| {
            u32::try_from(until.duration_since(now).as_secs())
                .unwrap_or(0)
                .max(1)
        })
    }
}

impl Issued {
    /// Nothing where the Secret is none of ours.
    pub fn read(secret: &ObjectMeta) -> Option<Self> {
        let annotations = secret.annotations.as_ref()?;
        let current = Certificate {
            serial: annotations.get(SERIAL)?.parse().ok()?,
            until: None,
        };
        let previous = || {
            Some(Certificate {
                serial: annotations.get(PREVIOUS_SERIAL)?.parse().ok()?,
                until: Some(annotations.get(PREVIOUS_UNTIL)?.parse().ok()?),
            })
        };
        Some(Self {
            identity: Identity::from_path(annotations.get(IDENTITY)?)?,
            certificates: [current].into_iter().chain(previous()).collect(),
        })
    }

    /// The annotations of a Secret whose certificate is replaced by the one of `serial`. One that was replaced before is not
    /// good any more: there never are more than two.
    fn succeeded_by(
        previous: Option<&Self>,
        spec: &CertificateSpec,
        serial: &Serial,
        now: Timestamp,
    ) -> BTreeMap<String, String> {
        let mut annotations = BTreeMap::from([
            (IDENTITY.to_owned(), spec.identity.to_string()),
            (SERIAL.to_owned(), serial.to_string()),
        ]);
        let previous = previous.filter(|previous| previous.identity == spec.identity);
        if let Some(current) = previous.and_then(|previous| previous.certificates.first()) {
            let until = now.saturating_add(OVERLAP).unwrap_or(now);
            let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
            annotations.insert(PREVIOUS_SERIAL.to_owned(), current.serial.to_string());
            annotations.insert(PREVIOUS_UNTIL.to_owned(), until.to_string());
        }
        annotations
    }
}

impl CertificateSpec {
    /// Changes with everything that would make another certificate.
    fn fingerprint(&self, held: &Held) -> String {
        let mut digest = Sha256::new();
        for part in [held.fingerprint(), self.identity.uri(held.trust_domain())] {
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
    pub(super) fn good_for(&self, secret: &ObjectMeta, held: &Held, now: Timestamp) -> Option<Duration> {
        let annotations = secret.annotations.as_ref()?;
        if annotations.get(CERTIFIES)? != &self.fingerprint(held) {
            return None;
        }
        // A certificate whose serial number nobody knows is good for nothing.
        Issued::read(secret).filter(|issued| issued.identity == self.identity)?;
        let renew: Timestamp = annotations.get(RENEW_AFTER)?.parse().ok()?;
        let left = renew.duration_since(now);
        left.is_positive().then(|| left.unsigned_abs())
    }
}

/// What a Secret's annotations say of a certificate that is issued now, in the place of what `live` says.
pub fn certificate_annotations(
    spec: &CertificateSpec,
    held: &Held,
    serial: &Serial,
    live: Option<&ObjectMeta>,
    lifetime: Duration,
    now: Timestamp,
) -> BTreeMap<String, String> {
    let wait = SignedDuration::try_from(renewal(lifetime)).unwrap_or_default();
    let renew = now.saturating_add(wait).unwrap_or(now);
    let renew = Timestamp::from_second(renew.as_second()).unwrap_or(renew);
    let previous = live.and_then(Issued::read);
    let mut annotations = Issued::succeeded_by(previous.as_ref(), spec, serial, now);
    annotations.insert(CERTIFIES.to_owned(), spec.fingerprint(held));
    annotations.insert(RENEW_AFTER.to_owned(), renew.to_string());
    annotations.insert(SIGNED_BY.to_owned(), held.fingerprint());
    annotations.extend(trusting(held));
    annotations
}

/// What a Secret's annotations say of whom its holder trusts.
pub(super) fn trusting(held: &Held) -> BTreeMap<String, String> {
    BTreeMap::from([(TRUSTS.to_owned(), held.bundle_fingerprint())])
}

/// Whether the holder of this Secret trusts whom it should.
pub(super) fn is_trusting(secret: &ObjectMeta, held: &Held) -> bool {
    says(secret, TRUSTS, &held.bundle_fingerprint())
}

/// Whether the certificate of this Secret is signed by whoever signs now, and its holder trusts whom it should.
pub fn keeps_up(secret: &ObjectMeta, held: &Held) -> bool {
    says(secret, SIGNED_BY, &held.fingerprint()) && is_trusting(secret, held)
}

fn says(secret: &ObjectMeta, key: &str, value: &str) -> bool {
    let annotations = secret.annotations.as_ref();
    annotations
        .and_then(|annotations| annotations.get(key))
        .map(String::as_str)
        == Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_service::authority::Authority;
    use monstrum_wire::identity::BotId;

    const DAY: Duration = Duration::from_secs(86_400);

    fn spec() -> CertificateSpec {
        let bot = BotId {
            namespace: "team-a".to_owned(),
            name: "triage".to_owned(),
            uid: "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11".parse().unwrap(),
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
        let held = Held::first(Authority::generate("monstrum.local").unwrap());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let annotations = certificate_annotations(&spec(), &held, &serial("0a"), None, DAY, now);
        let secret = ObjectMeta {
            annotations: Some(annotations),
            ..ObjectMeta::default()
        };
        let later = |hours: i64| now.checked_add(SignedDuration::from_hours(hours)).unwrap();
        assert_eq!(
            spec().good_for(&secret, &held, later(1)).unwrap().as_secs(),
            15 * 3600
        );
        assert_eq!(spec().good_for(&secret, &held, later(16)), None);
        let renamed = CertificateSpec {
            names: vec!["other".to_owned()],
            ..spec()
        };
        assert_eq!(renamed.good_for(&secret, &held, now), None);
        let other = Held::first(Authority::generate("monstrum.local").unwrap());
        assert_eq!(spec().good_for(&secret, &other, now), None);
        assert_eq!(spec().good_for(&ObjectMeta::default(), &held, now), None);
    }

    #[test]
    fn who_signs_makes_another_certificate_and_who_is_trusted_does_not() {
        monstrum_service::install_crypto();
        let authority = || Authority::generate("monstrum.local").unwrap();
        let held = Held::first(authority());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let live = secret(certificate_annotations(
            &spec(),
            &held,
            &serial("0a"),
            None,
            DAY,
            now,
        ));
        assert!(keeps_up(&live, &held) && is_trusting(&live, &held));
        let prepared = held.preparing(authority()).unwrap();
        assert!(spec().good_for(&live, &prepared, now).is_some());
        assert!(!is_trusting(&live, &prepared) && !keeps_up(&live, &prepared));
        let signing = prepared.following().unwrap();
        assert_eq!(spec().good_for(&live, &signing, now), None);
        assert!(!keeps_up(&ObjectMeta::default(), &held));
    }

    fn serial(text: &str) -> Serial {
        text.parse().unwrap()
    }

    fn secret(annotations: BTreeMap<String, String>) -> ObjectMeta {
        ObjectMeta {
            annotations: Some(annotations),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn the_certificate_before_is_good_for_a_while_and_the_one_before_that_is_not() {
        monstrum_service::install_crypto();
        let held = Held::first(Authority::generate("monstrum.local").unwrap());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let after = |minutes: i64| now.checked_add(SignedDuration::from_mins(minutes)).unwrap();
        let issue = |new: &str, live: Option<&ObjectMeta>, at| {
            secret(certificate_annotations(
                &spec(),
                &held,
                &serial(new),
                live,
                DAY,
                at,
            ))
        };
        let first = issue("0a", None, now);
        let second = issue("0b", Some(&first), now);
        let good = |secret: &ObjectMeta, at| -> Vec<String> {
            let issued = Issued::read(secret).unwrap();
            let good = issued
                .certificates
                .iter()
                .filter(|certificate| certificate.is_good(at));
            good.map(|certificate| certificate.serial.to_string()).collect()
        };
        assert_eq!(good(&first, now), ["0a"]);
        assert_eq!(good(&second, after(9)), ["0b", "0a"]);
        assert_eq!(good(&second, after(10)), ["0b"]);
        let third = issue("0c", Some(&second), after(1));
        assert_eq!(good(&third, after(2)), ["0c", "0b"]);
        // A Secret that somebody deleted: what it held is worth nothing from then on.
        assert_eq!(good(&issue("0d", None, after(3)), after(3)), ["0d"]);
    }

    #[test]
    fn another_identitys_certificate_is_no_earlier_one() {
        monstrum_service::install_crypto();
        let held = Held::first(Authority::generate("monstrum.local").unwrap());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let other = CertificateSpec {
            identity: Identity::Ledger,
            ..spec()
        };
        let before = secret(certificate_annotations(
            &other,
            &held,
            &serial("0a"),
            None,
            DAY,
            now,
        ));
        let after = secret(certificate_annotations(
            &spec(),
            &held,
            &serial("0b"),
            Some(&before),
            DAY,
            now,
        ));
        assert_eq!(Issued::read(&after).unwrap().certificates.len(), 1);
    }

    #[test]
    fn a_certificate_without_a_known_serial_is_issued_anew() {
        monstrum_service::install_crypto();
        let held = Held::first(Authority::generate("monstrum.local").unwrap());
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let annotations = certificate_annotations(&spec(), &held, &serial("0a"), None, DAY, now);
        for key in [SERIAL, IDENTITY] {
            let mut lacking = annotations.clone();
            lacking.remove(key);
            assert_eq!(spec().good_for(&secret(lacking), &held, now), None, "{key}");
        }
    }
}
