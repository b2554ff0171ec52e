//! What shows that a request is the API server's: a path that only it was told.
//!
//! An API server shows a certificate or a token of its own to webhooks only where a file of its own configuration says so, which
//! managed clusters let nobody write. What every API server keeps to is the path of the configuration. So the path ends with
//! a secret that the operator writes into it. The secret is derived from the authority's key: each replica knows it, and it is
//! kept nowhere else.

use subtle::{Choice, ConstantTimeEq as _};

use crate::trust::Trust;

/// What the secret is derived for.
const PURPOSE: &str = "admission path";

/// The path that reviews are asked at.
#[derive(Clone)]
pub struct Pass {
    trust: Trust,
}

impl Pass {
    /// Of this installation.
    pub fn new(trust: &Trust) -> Self {
        Self { trust: trust.clone() }
    }

    /// For the configuration of the API server.
    pub fn path(&self) -> String {
        made_of(&self.trust.held().derived(PURPOSE))
    }

    /// Whether a request knows it, or the one before or after a change of the authority; how much of it is right can't be told from
    /// the time that this takes.
    pub(super) fn fits(&self, path: &str) -> bool {
        let known = self.trust.held().derived_by_any(PURPOSE);
        let fits = known
            .iter()
            .map(|secret| made_of(secret).as_bytes().ct_eq(path.as_bytes()))
            .fold(Choice::from(0), |any, this| any | this);
        fits.into()
    }
}

fn made_of(secret: &str) -> String {
    format!("/validate/{secret}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_service::authority::Authority;

    fn pass() -> Pass {
        monstrum_service::install_crypto();
        Pass::new(&Trust::new(Authority::generate("monstrum.local").unwrap()))
    }

    #[test]
    fn only_the_whole_path_fits() {
        let pass = pass();
        let path = pass.path();
        assert!(pass.fits(&path));
        for other in [
            "/validate",
            "/validate/",
            "/",
            "",
            &path[..path.len() - 1],
            &format!("{path}0"),
            &path.to_uppercase(),
        ] {
            assert!(!pass.fits(other), "{other}");
        }
    }

    #[test]
    fn every_installation_has_its_own() {
        assert_ne!(pass().path(), pass().path());
    }

    #[test]
    fn every_replica_has_the_same() {
        monstrum_service::install_crypto();
        let first = Authority::generate("monstrum.local").unwrap();
        let second = Authority::from_pem(first.certificate_pem(), first.key_pem(), "monstrum.local").unwrap();
        let path = |authority| Pass::new(&Trust::new(authority)).path();
        assert_eq!(path(first), path(second));
    }
}
