//! What an installation trusts and signs with, at one moment.

use std::sync::Arc;
use std::time::Duration;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac as _};
use monstrum_service::Pem;
use monstrum_service::authority::{Authority, AuthorityError};
use monstrum_wire::identity::Identity;
use secrecy::zeroize::Zeroizing;
use sha2::{Digest as _, Sha256};

/// The most authorities that are trusted at once: a signer, the one that follows, and former ones whose certificates are about.
const MAX_ROOTS: usize = 8;

/// Who signs, who will, and whom everybody trusts. It changes in steps of which each works together with the one before.
#[derive(Clone)]
pub struct Held {
    /// Signs.
    signer: Arc<Authority>,
    /// Will sign once everybody trusts it.
    next: Option<Arc<Authority>>,
    /// Signed until a moment ago; nobody else knows of it, and nothing is signed with it.
    former: Option<Arc<Authority>>,
    /// The certificates of everybody who is trusted, the signer's first.
    roots: Vec<String>,
    /// Counts the steps: of two states the one of the higher revision came later.
    revision: u64,
}

impl Held {
    /// A first authority.
    pub fn first(signer: Authority) -> Self {
        Self::kept(signer, None, Vec::new(), 1)
    }

    /// As it was kept. Whoever signs, or will, is trusted in any case.
    pub(super) fn kept(
        signer: Authority,
        next: Option<Authority>,
        roots: Vec<String>,
        revision: u64,
    ) -> Self {
        let own = [Some(&signer), next.as_ref()]
            .into_iter()
            .flatten()
            .map(|authority| authority.certificate_pem().to_owned())
            .collect();
        Self {
            roots: united(own, roots),
            signer: Arc::new(signer),
            next: next.map(Arc::new),
            former: None,
            revision,
        }
    }

    /// The first step to another signer: everybody is to trust it. None when there are too many already.
    pub(crate) fn preparing(&self, next: Authority) -> Option<Self> {
        let roots = united(self.roots.clone(), vec![next.certificate_pem().to_owned()]);
        (roots.len() <= MAX_ROOTS).then(|| Self {
            roots,
            next: Some(Arc::new(next)),
            revision: self.revision.saturating_add(1),
            ..self.clone()
        })
    }

    /// The next step, once everybody is where this one wants them; none when there is nothing to do.
    pub(crate) fn following(&self) -> Option<Self> {
        let revision = self.revision.saturating_add(1);
        if let Some(next) = &self.next {
            let first = vec![next.certificate_pem().to_owned()];
            return Some(Self {
                signer: Arc::clone(next),
                next: None,
                former: Some(Arc::clone(&self.signer)),
                roots: united(first, self.roots.clone()),
                revision,
            });
        }
        let own = self.signer.certificate_pem().to_owned();
        (self.roots.len() > 1).then(|| Self {
            roots: vec![own],
            former: None,
            revision,
            ..self.clone()
        })
    }

    /// The same, remembering who signed before it.
    pub(super) fn after(mut self, before: &Self) -> Self {
        let known = |authority: &Arc<Authority>| {
            authority.certificate_pem() != self.signer.certificate_pem()
                && self.roots.iter().any(|root| root == authority.certificate_pem())
        };
        self.former = [Some(&before.signer), before.former.as_ref()]
            .into_iter()
            .flatten()
            .find(|authority| known(authority))
            .map(Arc::clone);
        self
    }

    /// Whether both say the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let next = |of: &Self| of.next.as_ref().map(|next| next.certificate_pem().to_owned());
        self.revision == other.revision
            && self.signer.certificate_pem() == other.signer.certificate_pem()
            && next(self) == next(other)
            && self.roots == other.roots
    }

    /// Whether the signer of `other` is trusted here.
    pub(super) fn trusts_signer_of(&self, other: &Self) -> bool {
        self.roots
            .iter()
            .any(|root| root == other.signer.certificate_pem())
    }

    /// A new certificate.
    pub fn issue(
        &self,
        identity: &Identity,
        names: &[String],
        lifetime: Duration,
    ) -> Result<Pem, AuthorityError> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let pem = self.signer.issue(identity, &names, lifetime)?;
        Ok(Pem {
            authority: self.bundle(),
            ..pem
        })
    }

    /// The certificates of everybody who is trusted, for those who trust them.
    pub fn bundle(&self) -> String {
        self.roots.concat()
    }

    /// How many are trusted.
    pub fn trusted(&self) -> usize {
        self.roots.len()
    }

    /// A secret of this installation for one purpose: whoever has the authority's key has it, and it tells nothing about the key.
    pub fn derived(&self, purpose: &str) -> String {
        derived(&self.signer, purpose)
    }

    /// The same by every key that is, will be or was a moment ago the signer's.
    pub fn derived_by_any(&self, purpose: &str) -> Vec<String> {
        let known = [Some(&self.signer), self.next.as_ref(), self.former.as_ref()];
        known
            .into_iter()
            .flatten()
            .map(|authority| derived(authority, purpose))
            .collect()
    }

    /// Tells this signer from another.
    pub fn fingerprint(&self) -> String {
        hex::encode(Sha256::digest(self.signer.certificate_pem()))
    }

    /// Tells what is trusted from what else could be.
    pub fn bundle_fingerprint(&self) -> String {
        hex::encode(Sha256::digest(self.bundle()))
    }

    /// Of its identities.
    pub fn trust_domain(&self) -> &str {
        self.signer.trust_domain()
    }

    /// When the signer ends, in seconds since 1970.
    pub fn ends(&self) -> i64 {
        self.signer.life().1
    }

    /// Whether the signer should be followed by another one: two thirds of its life are over.
    pub(super) fn is_due(&self, now: i64) -> bool {
        let (from, until) = self.signer.life();
        let third = until.saturating_sub(from).checked_div(3).unwrap_or(0);
        now >= until.saturating_sub(third)
    }

    /// Its signer alone, where nobody else has it.
    pub(super) fn into_signer(self) -> Option<Authority> {
        Arc::into_inner(self.signer)
    }

    pub(super) fn signer(&self) -> &Authority {
        &self.signer
    }

    pub(super) fn next(&self) -> Option<&Authority> {
        self.next.as_deref()
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }
}

/// One after the other, each once.
fn united(mut first: Vec<String>, more: Vec<String>) -> Vec<String> {
    for root in more {
        if !first.contains(&root) {
            first.push(root);
        }
    }
    first
}

fn derived(authority: &Authority, purpose: &str) -> String {
    let mut key = Zeroizing::new([0; 64]);
    let digest = Sha256::digest(authority.key_pem());
    key.iter_mut().zip(digest).for_each(|(slot, byte)| *slot = byte);
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*key).into());
    mac.update(purpose.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> Authority {
        monstrum_service::install_crypto();
        Authority::generate("monstrum.local").unwrap()
    }

    #[test]
    fn a_rotation_trusts_before_it_signs_and_signs_before_it_forgets() {
        let steady = Held::first(authority());
        assert!(steady.following().is_none());
        let prepared = steady.preparing(authority()).unwrap();
        assert_eq!(prepared.fingerprint(), steady.fingerprint());
        assert_eq!(prepared.trusted(), 2);
        let signing = prepared.following().unwrap();
        assert_ne!(signing.fingerprint(), steady.fingerprint());
        assert_eq!((signing.trusted(), signing.next().is_none()), (2, true));
        assert!(signing.bundle().contains(steady.signer().certificate_pem()));
        let done = signing.following().unwrap();
        assert_eq!((done.trusted(), done.fingerprint()), (1, signing.fingerprint()));
        assert!(done.following().is_none());
        let revisions = [&steady, &prepared, &signing, &done].map(Held::revision);
        assert_eq!(revisions, [1, 2, 3, 4]);
    }

    #[test]
    fn what_is_derived_is_known_from_one_step_before_to_one_step_after() {
        let steady = Held::first(authority());
        let prepared = steady.preparing(authority()).unwrap();
        let signing = prepared.following().unwrap();
        let done = signing.following().unwrap();
        let (old, new) = (steady.derived("x"), signing.derived("x"));
        assert_eq!(prepared.derived("x"), old);
        assert_eq!(prepared.derived_by_any("x"), [old.clone(), new.clone()]);
        assert_eq!(signing.derived_by_any("x"), [new.clone(), old]);
        assert_eq!(done.derived_by_any("x"), [new]);
        // A follower reads each step.
        let read = Held::kept(
            Authority::from_pem(
                signing.signer().certificate_pem(),
                signing.signer().key_pem(),
                "monstrum.local",
            )
            .unwrap(),
            None,
            signing.roots.clone(),
            signing.revision,
        );
        assert!(read.is_same(&signing));
        assert_eq!(
            read.after(&prepared).derived_by_any("x"),
            signing.derived_by_any("x")
        );
    }

    #[test]
    fn a_third_of_its_life_before_its_end_another_is_due() {
        let held = Held::first(authority());
        let (from, until) = held.signer().life();
        let third = (until - from) / 3;
        assert!(!held.is_due(until - third - 1));
        assert!(held.is_due(until - third));
    }

    #[test]
    fn there_is_an_end_to_whom_one_trusts() {
        let mut held = Held::first(authority());
        for _ in 1..MAX_ROOTS {
            held = held.preparing(authority()).unwrap();
        }
        assert!(held.preparing(authority()).is_none());
    }
}
