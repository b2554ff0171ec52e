//! What a policy snapshot's digest covers.

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::policy::Settings;

/// `sha256:<hex>` over the length of `permissions` (8 bytes, big endian), its bytes, and the settings in protobuf's encoding
/// (which has no maps, so that it is deterministic). Operator and gateway compute it alike; the gateway believes
/// only what it computed itself.
pub fn digest(permissions: &[u8], settings: &Settings) -> String {
    let mut hasher = Sha256::new();
    let length = u64::try_from(permissions.len()).unwrap_or(u64::MAX);
    hasher.update(length.to_be_bytes());
    hasher.update(permissions);
    hasher.update(settings.encode_to_vec());
    format!("sha256:{}", hex::encode(hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_and_settings_both_count() {
        let plain = Settings::default();
        let named = Settings {
            display_name: "triage".to_owned(),
            ..Settings::default()
        };
        let base = digest(b"{}", &plain);
        assert_eq!(base, digest(b"{}", &plain));
        assert_ne!(base, digest(b"[]", &plain));
        assert_ne!(base, digest(b"{}", &named));
    }
}
