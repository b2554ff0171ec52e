//! Standard Webhooks signatures: HMAC-SHA256 over `id.timestamp.body`, in the header as a list of `v1,<base64>`.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use http::HeaderMap;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::key::Key;

pub(super) const ID: &str = "webhook-id";
pub(super) const TIMESTAMP: &str = "webhook-timestamp";
pub(super) const SIGNATURE: &str = "webhook-signature";
/// The standard's names, and those that its authors used before: one set of a request counts, whole.
const SETS: [[&str; 3]; 2] = [
    [ID, TIMESTAMP, SIGNATURE],
    ["svix-id", "svix-timestamp", "svix-signature"],
];

/// A sender may list this many signatures (of keys in rotation).
const MAX_SIGNATURES: usize = 16;
const MAX_ID: usize = 200;
/// Of HMAC-SHA256.
const SIGNATURE_BYTES: usize = 32;

/// Why a request is not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Forged {
    #[error(
        "a webhook-id, webhook-timestamp or webhook-signature header (or all three as svix-…) is missing, repeated or malformed"
    )]
    Headers,
    #[error("no signature fits")]
    Signature,
    #[error("the timestamp is outside of the time window")]
    Time,
}

/// What an authentic request says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authentic {
    /// The message; the same when it is sent again.
    pub(super) id: String,
    /// This attempt to send it.
    pub(super) timestamp: i64,
}

/// What a request claims of itself, in the right form. Whether it is true shows only with the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    id: String,
    timestamp: i64,
    signatures: Vec<Vec<u8>>,
}

impl Claim {
    /// Reads the headers.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Forged> {
        let begun = |names: &&[&str; 3]| names.iter().any(|name| headers.contains_key(*name));
        let [id, stamp, signatures] = SETS.iter().find(begun).ok_or(Forged::Headers)?;
        let id = single(headers, id)?;
        let stamp = single(headers, stamp)?;
        let signatures = single(headers, signatures)?;
        let timestamp: i64 = stamp.parse().map_err(|_| Forged::Headers)?;
        let plain = !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic());
        // Only the one spelling of a number: other spellings would be other attempts in the replay store.
        if !plain || timestamp.to_string() != stamp {
            return Err(Forged::Headers);
        }
        let signatures: Vec<_> = signatures
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .take(MAX_SIGNATURES)
            .filter_map(|signature| STANDARD.decode(signature).ok())
            .filter(|signature| signature.len() == SIGNATURE_BYTES)
            .collect();
        if signatures.is_empty() {
            return Err(Forged::Signature);
        }
        Ok(Self {
            id: id.to_owned(),
            timestamp,
            signatures,
        })
    }

    /// Checks the request as it was received, before anything reads its body. Signature first, so that nobody without the key learns
    /// what our clock says.
    pub(super) fn verify(
        self,
        body: &[u8],
        keys: &[Key],
        now: i64,
        tolerance: u32,
    ) -> Result<Authentic, Forged> {
        let stamp = self.timestamp.to_string();
        let mut fits = subtle::Choice::from(0);
        for key in keys {
            let expected = mac(key, &self.id, &stamp, body);
            for signature in &self.signatures {
                fits |= signature.ct_eq(&expected);
            }
        }
        if !bool::from(fits) {
            return Err(Forged::Signature);
        }
        if now.abs_diff(self.timestamp) > u64::from(tolerance) {
            return Err(Forged::Time);
        }
        Ok(Authentic {
            id: self.id,
            timestamp: self.timestamp,
        })
    }
}

/// The header's value for a body of ours.
pub fn sign(key: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    format!(
        "v1,{}",
        STANDARD.encode(mac(key, id, &timestamp.to_string(), body))
    )
}

fn mac(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length; without one nothing fits.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Forged> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Forged::Headers),
        _ => Err(Forged::Headers),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NOW: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn keys() -> Vec<Key> {
        vec![Key::new(
            STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap(),
        )]
    }

    fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ID, id.parse().unwrap());
        headers.insert(TIMESTAMP, timestamp.parse().unwrap());
        headers.insert(SIGNATURE, signature.parse().unwrap());
        headers
    }

    fn verify(
        headers: &HeaderMap,
        body: &[u8],
        keys: &[Key],
        now: i64,
        tolerance: u32,
    ) -> Result<Authentic, Forged> {
        Claim::of(headers)?.verify(body, keys, now, tolerance)
    }

    /// The same request under the names that came before the standard.
    fn renamed(headers: &HeaderMap) -> HeaderMap {
        let names = SETS[0].iter().zip(SETS[1]);
        names
            .map(|(name, old)| (old.parse().unwrap(), headers[*name].clone()))
            .collect::<HeaderMap>()
    }

    #[test]
    fn the_older_names_count_where_no_new_one_is() {
        let old = renamed(&good());
        assert!(verify(&old, BODY, &keys(), NOW, 300).is_ok());
        assert_eq!(verify(&old, b"{}", &keys(), NOW, 300), Err(Forged::Signature));
        // Both sets: only the standard's counts.
        let mut both = good();
        both.extend(renamed(&headers("other", "1", "v1,AAAA")));
        assert!(verify(&both, BODY, &keys(), NOW, 300).is_ok());
        let mut both = renamed(&good());
        both.extend(headers("other", "1", "v1,AAAA"));
        assert_eq!(verify(&both, BODY, &keys(), NOW, 300), Err(Forged::Signature));
    }

    #[test]
    fn the_two_sets_are_never_mixed() {
        for (name, old) in SETS[0].iter().zip(SETS[1]) {
            let mut mixed = good();
            let value = mixed.remove(*name).unwrap();
            mixed.insert(old, value);
            assert_eq!(
                verify(&mixed, BODY, &keys(), NOW, 300),
                Err(Forged::Headers),
                "{name}"
            );
            let mut mixed = renamed(&good());
            let value = mixed.remove(old).unwrap();
            mixed.insert(*name, value);
            assert_eq!(
                verify(&mixed, BODY, &keys(), NOW, 300),
                Err(Forged::Headers),
                "{old}"
            );
        }
    }

    fn good() -> HeaderMap {
        headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            &sign(&keys()[0], "msg_p5jXN8AQM9LWM0D4loKWxJek", NOW, BODY),
        )
    }

    /// The specification's own example.
    #[test]
    fn the_specifications_example_verifies() {
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(
            sign(&keys()[0], "msg_p5jXN8AQM9LWM0D4loKWxJek", NOW, BODY),
            signature
        );
        let authentic = verify(&good(), BODY, &keys(), NOW, 300).unwrap();
        assert_eq!(
            authentic,
            Authentic {
                id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
                timestamp: NOW
            }
        );
    }

    #[test]
    fn one_fitting_signature_of_several_is_enough() {
        let list = format!(
            "v1a,AAAA v1,AAAA v1,!! {} v2,x",
            good()[SIGNATURE].to_str().unwrap()
        );
        let headers = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", &list);
        assert!(verify(&headers, BODY, &keys(), NOW, 300).is_ok());
    }

    #[test]
    fn any_key_in_rotation_verifies() {
        let both = [vec![Key::new(vec![1; 32])], keys()].concat();
        assert!(verify(&good(), BODY, &both, NOW, 300).is_ok());
        assert_eq!(
            verify(&good(), BODY, &both[..1], NOW, 300),
            Err(Forged::Signature)
        );
        assert_eq!(verify(&good(), BODY, &[], NOW, 300), Err(Forged::Signature));
    }

    #[rstest]
    #[case::at_the_edge_of_the_past(300, Ok(()))]
    #[case::at_the_edge_of_the_future(-300, Ok(()))]
    #[case::old(301, Err(Forged::Time))]
    #[case::future(-301, Err(Forged::Time))]
    fn the_time_window_holds(#[case] later: i64, #[case] expected: Result<(), Forged>) {
        assert_eq!(
            verify(&good(), BODY, &keys(), NOW.saturating_add(later), 300).map(drop),
            expected
        );
    }

    #[test]
    fn a_change_anywhere_breaks_the_signature() {
        let signature = good()[SIGNATURE].to_str().unwrap().to_owned();
        assert_eq!(verify(&good(), b"{}", &keys(), NOW, 300), Err(Forged::Signature));
        let other_id = headers("msg_other", "1614265330", &signature);
        assert_eq!(verify(&other_id, BODY, &keys(), NOW, 300), Err(Forged::Signature));
        let other_time = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265331", &signature);
        assert_eq!(
            verify(&other_time, BODY, &keys(), NOW, 300),
            Err(Forged::Signature)
        );
        // The dot belongs to the form: parts can't be shifted over it.
        let shifted = headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330",
            "1614265330",
            &signature,
        );
        assert_eq!(verify(&shifted, BODY, &keys(), NOW, 300), Err(Forged::Signature));
    }

    #[rstest]
    #[case::no_version("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    #[case::empty("")]
    #[case::truncated("v1,g0hM9SsE")]
    #[case::none("v1,")]
    #[case::asymmetric_label("v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    fn malformed_signatures_fit_nothing(#[case] signature: &str) {
        let headers = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", signature);
        assert_eq!(verify(&headers, BODY, &keys(), NOW, 300), Err(Forged::Signature));
    }

    #[rstest]
    #[case::no_number("now")]
    #[case::leading_zero("01614265330")]
    #[case::plus("+1614265330")]
    #[case::fraction("1614265330.0")]
    fn odd_timestamps_are_refused(#[case] timestamp: &str) {
        assert_eq!(
            verify(&headers("m", timestamp, "v1,x"), BODY, &keys(), NOW, 300),
            Err(Forged::Headers)
        );
    }

    #[test]
    fn missing_and_repeated_headers_are_refused() {
        for name in [ID, TIMESTAMP, SIGNATURE] {
            let mut missing = good();
            missing.remove(name);
            assert_eq!(verify(&missing, BODY, &keys(), NOW, 300), Err(Forged::Headers));
            let mut repeated = good();
            let value = repeated[name].clone();
            repeated.append(name, value);
            assert_eq!(verify(&repeated, BODY, &keys(), NOW, 300), Err(Forged::Headers));
        }
    }
}
