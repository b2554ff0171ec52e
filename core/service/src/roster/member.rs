//! One who lives, as the wire says it.

use std::time::Duration;

use monstrum_wire::identity::{Identity, Serial, Uid};
use monstrum_wire::policy;
use tokio::time::Instant;

use super::{Members, RosterError};

/// One who lives.
#[derive(Debug, Clone)]
pub(super) struct Member {
    certificates: Vec<Certificate>,
    pub(super) workspace: Option<Uid>,
}

#[derive(Debug, Clone)]
struct Certificate {
    serial: Serial,
    /// Without an end it is good as long as it is named.
    until: Option<Instant>,
}

impl Member {
    /// Whether the certificate of this serial number is good.
    pub(super) fn holds(&self, serial: &Serial, now: Instant) -> bool {
        self.certificates
            .iter()
            .any(|known| known.serial == *serial && known.until.is_none_or(|until| now < until))
    }
}

/// The members of a namespace's roster. Whoever is not of that namespace, or can't be read, spoils all of it.
pub(super) fn read_all(roster: &policy::Roster, now: Instant) -> Result<Members, RosterError> {
    roster
        .members
        .iter()
        .map(|member| read(&roster.namespace, member, now))
        .collect()
}

fn read(namespace: &str, member: &policy::Member, now: Instant) -> Result<(Identity, Member), RosterError> {
    let unreadable = |what, text: &str| RosterError::Unreadable {
        namespace: namespace.to_owned(),
        what,
        text: text.to_owned(),
    };
    let identity = Identity::from_path(&member.identity)
        .filter(|identity| identity.namespace() == Some(namespace))
        .ok_or_else(|| unreadable("member", &member.identity))?;
    let certificate = |wire: &policy::Certificate| -> Result<Certificate, RosterError> {
        Ok(Certificate {
            serial: wire
                .serial
                .parse()
                .map_err(|_| unreadable("serial", &wire.serial))?,
            until: (wire.good_seconds > 0).then(|| {
                now.checked_add(Duration::from_secs(wire.good_seconds.into()))
                    .unwrap_or(now)
            }),
        })
    };
    let certificates = member
        .certificates
        .iter()
        .map(certificate)
        .collect::<Result<_, _>>()?;
    let workspace = match member.workspace.as_str() {
        "" => None,
        uid => Some(uid.parse().map_err(|_| unreadable("workspace", uid))?),
    };
    Ok((
        identity,
        Member {
            certificates,
            workspace,
        },
    ))
}
