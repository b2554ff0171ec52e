//! The installation's own certificate authority.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use monstrum_wire::identity::Identity;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData as _, SanType, SerialNumber,
};
use x509_parser::pem::parse_x509_pem;

use crate::tls::Pem;

/// Clocks of nodes differ; a certificate is valid from this long ago.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// Ten years, in seconds: an authority's life where nothing else is said.
const AUTHORITY_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Signs the certificates of an installation's processes.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    key_pem: String,
    trust_domain: String,
    life: (i64, i64),
}

/// Why an authority can't be made or can't sign.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A key pair could not be made or read.
    #[error("the authority's key can't be used")]
    Key(#[source] rcgen::Error),
    /// The authority's certificate could not be made or read.
    #[error("the authority's certificate can't be used")]
    Certificate(#[source] rcgen::Error),
    /// A certificate that can't be an authority's.
    #[error("the authority's certificate {0}")]
    Unfit(&'static str),
    /// A name does not fit into a certificate.
    #[error("{name:?} can't be a name in a certificate")]
    Name {
        /// The name.
        name: String,
        /// Why.
        source: rcgen::Error,
    },
    /// A certificate could not be signed.
    #[error("a certificate for {identity} can't be signed")]
    Sign {
        /// Whose.
        identity: String,
        /// Why.
        source: rcgen::Error,
    },
    /// A lifetime that the calendar does not hold.
    #[error("a lifetime of {0:?} is out of range")]
    Lifetime(Duration),
}

impl Authority {
    /// Makes a new authority with a new key, for ten years.
    pub fn generate(trust_domain: &str) -> Result<Self, AuthorityError> {
        Self::generate_for(trust_domain, AUTHORITY_LIFETIME)
    }

    /// Makes a new authority with a new key.
    pub fn generate_for(trust_domain: &str, lifetime: Duration) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate().map_err(AuthorityError::Key)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(&format!("monstrum {trust_domain}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        set_validity(&mut params, lifetime)?;
        let certificate = params.self_signed(&key).map_err(AuthorityError::Certificate)?;
        Self::from_pem(&certificate.pem(), &key.serialize_pem(), trust_domain)
    }

    /// Takes up an authority that was kept: a certificate that may sign others, and its key.
    pub fn from_pem(
        certificate_pem: &str,
        key_pem: &str,
        trust_domain: &str,
    ) -> Result<Self, AuthorityError> {
        let key = KeyPair::from_pem(key_pem).map_err(AuthorityError::Key)?;
        let life = judge(certificate_pem, &key)?;
        let issuer = Issuer::from_ca_cert_pem(certificate_pem, key).map_err(AuthorityError::Certificate)?;
        Ok(Self {
            issuer,
            certificate_pem: certificate_pem.to_owned(),
            key_pem: key_pem.to_owned(),
            trust_domain: trust_domain.to_owned(),
            life,
        })
    }

    /// Issues a certificate with a new key for `identity`, for both ends of a connection, with `names` (DNS names or IP
    /// addresses) for when it serves.
    pub fn issue(
        &self,
        identity: &Identity,
        names: &[&str],
        lifetime: Duration,
    ) -> Result<Pem, AuthorityError> {
        let key = KeyPair::generate().map_err(AuthorityError::Key)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name("monstrum");
        params
            .subject_alt_names
            .push(uri(&identity.uri(&self.trust_domain))?);
        for name in names {
            params.subject_alt_names.push(server_name(name)?);
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        // 122 random bits; never drawn from the key, so that no two certificates share one.
        params.serial_number = Some(SerialNumber::from_slice(uuid::Uuid::new_v4().as_bytes()));
        set_validity(&mut params, lifetime)?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|source| AuthorityError::Sign {
                identity: identity.to_string(),
                source,
            })?;
        Ok(Pem {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            authority: self.certificate_pem.clone(),
        })
    }

    /// The authority's certificate, for those who trust it.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The authority's key. Whoever has it is the installation.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// From when until when its certificate is valid, in seconds since 1970.
    pub fn life(&self) -> (i64, i64) {
        self.life
    }

    /// The trust domain of the identities it signs.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }
}

/// What a certificate without its key, or one that may not sign, would make good for nothing: everything that is signed with it.
/// Says from when until when it is valid.
fn judge(certificate_pem: &str, key: &KeyPair) -> Result<(i64, i64), AuthorityError> {
    let unreadable = AuthorityError::Unfit("can't be read");
    let Ok((_, pem)) = parse_x509_pem(certificate_pem.as_bytes()) else {
        return Err(unreadable);
    };
    let Ok(certificate) = pem.parse_x509() else {
        return Err(unreadable);
    };
    if certificate.public_key().raw != key.subject_public_key_info() {
        return Err(AuthorityError::Unfit("is of another key"));
    }
    if !certificate.is_ca() {
        return Err(AuthorityError::Unfit("may not sign others"));
    }
    let validity = certificate.validity();
    Ok((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

fn set_validity(params: &mut CertificateParams, lifetime: Duration) -> Result<(), AuthorityError> {
    let now = SystemTime::now();
    let out_of_range = || AuthorityError::Lifetime(lifetime);
    params.not_before = now.checked_sub(CLOCK_SKEW).ok_or_else(out_of_range)?.into();
    params.not_after = now.checked_add(lifetime).ok_or_else(out_of_range)?.into();
    Ok(())
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn uri(name: &str) -> Result<SanType, AuthorityError> {
    let wrong = |source| AuthorityError::Name {
        name: name.to_owned(),
        source,
    };
    Ok(SanType::URI(name.try_into().map_err(wrong)?))
}

fn server_name(name: &str) -> Result<SanType, AuthorityError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let wrong = |source| AuthorityError::Name {
        name: name.to_owned(),
        source,
    };
    Ok(SanType::DnsName(name.try_into().map_err(wrong)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use rustls::RootCertStore;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, UnixTime};
    use rustls::server::WebPkiClientVerifier;
    use std::sync::Arc;

    const DOMAIN: &str = "monstrum.local";

    fn authority() -> Authority {
        crate::install_crypto();
        Authority::generate_for(DOMAIN, Duration::from_secs(3600)).unwrap()
    }

    #[test]
    fn an_authority_lives_as_long_as_was_asked() {
        let (from, until) = authority().life();
        assert_eq!(until - from, 3600 + 300);
    }

    /// In the forms in which openssl and cert-manager write keys; each may sign leaves only.
    #[rstest]
    #[case::rsa(include_str!("authority/testdata/rsa-pkcs1.crt"), include_str!("authority/testdata/rsa-pkcs1.key"))]
    #[case::ec(include_str!("authority/testdata/ec-sec1.crt"), include_str!("authority/testdata/ec-sec1.key"))]
    #[case::pkcs8(include_str!("authority/testdata/ec-pkcs8.crt"), include_str!("authority/testdata/ec-pkcs8.key"))]
    fn a_platforms_own_authority_signs(#[case] certificate: &str, #[case] key: &str) {
        crate::install_crypto();
        let authority = Authority::from_pem(certificate, key, DOMAIN).unwrap();
        let leaf = authority
            .issue(&Identity::Ledger, &[], Duration::from_secs(60))
            .unwrap();
        let read = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(read(certificate)).unwrap();
        let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
        verifier
            .verify_client_cert(&read(&leaf.certificate), &[], UnixTime::now())
            .unwrap();
    }

    #[test]
    fn what_can_not_sign_is_no_authority() {
        let (one, other) = (authority(), authority());
        let read = |certificate: &str, key: &str| Authority::from_pem(certificate, key, DOMAIN).map(drop);
        assert!(read(one.certificate_pem(), one.key_pem()).is_ok());
        assert!(matches!(
            read(one.certificate_pem(), other.key_pem()),
            Err(AuthorityError::Unfit("is of another key"))
        ));
        let leaf = one
            .issue(&Identity::Ledger, &[], Duration::from_secs(60))
            .unwrap();
        assert!(matches!(
            read(&leaf.certificate, &leaf.key),
            Err(AuthorityError::Unfit("may not sign others"))
        ));
    }
}
