//! What the owner of a Secret agreed to.
//!
//! Naming a Secret in a Credential or Channel takes no right to that Secret, so naming it is not enough: the Secret itself says, in
//! annotations, who may use it and where its values may be sent. Only who may write the Secret can write them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use monstrum_guardian::destination::{self, Destinations};

/// Who may use the Secret: names such as `credential/github` and `channel/inbox`, separated by commas or spaces.
pub const USED_BY: &str = "monstrum.dev/used-by";
/// Where its values may be sent, as in a Credential's `spec.hosts`, separated by commas or spaces.
pub const HOSTS: &str = "monstrum.dev/hosts";
/// Which of its keys may be used, separated by commas or spaces; all of them without this annotation.
pub const KEYS: &str = "monstrum.dev/keys";

/// Who uses a Secret: an object of the Secret's namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    /// The Credential of this name.
    Credential(String),
    /// The Channel of this name.
    Channel(String),
}

/// As the annotation has it.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Credential(name) => write!(f, "credential/{name}"),
            Self::Channel(name) => write!(f, "channel/{name}"),
        }
    }
}

/// What a Secret's annotations agree to. The default agrees to nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    users: BTreeSet<String>,
    hosts: Vec<String>,
    keys: Option<BTreeSet<String>>,
}

/// Why a use is not agreed to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The user is not named.
    #[error("is not named in {USED_BY}")]
    User,
    /// The key is not named.
    #[error("wants key {0:?}, which is not named in {KEYS}")]
    Key(String),
    /// Values would be sent to hosts that are not named.
    #[error("may send it to more than {HOSTS} says: {0}")]
    Hosts(String),
}

impl Consent {
    /// Reads a Secret's annotations.
    pub fn of(annotations: Option<&BTreeMap<String, String>>) -> Self {
        let text = |name: &str| annotations.and_then(|annotations| annotations.get(name));
        let listed = |name: &str| words(text(name).map_or("", String::as_str));
        Self {
            users: listed(USED_BY).collect(),
            hosts: listed(HOSTS).collect(),
            keys: text(KEYS).map(|text| words(text).collect()),
        }
    }

    /// Whether anybody at all may use the Secret.
    pub fn is_given(&self) -> bool {
        !self.users.is_empty()
    }

    /// Why `user` may not use `key` and send its value to `hosts`; nothing when it may.
    pub fn refusal(&self, user: &User, key: &str, hosts: &[String]) -> Option<Refusal> {
        if !self.users.contains(&user.to_string()) {
            return Some(Refusal::User);
        }
        if self.keys.as_ref().is_some_and(|keys| !keys.contains(key)) {
            return Some(Refusal::Key(key.to_owned()));
        }
        destination::excess(hosts, &self.hosts).map(Refusal::Hosts)
    }

    /// The same with what a use needs in addition.
    #[must_use]
    pub(crate) fn extended(mut self, user: &User, key: &str, hosts: &[String]) -> Self {
        self.users.insert(user.to_string());
        if let Some(keys) = &mut self.keys {
            keys.insert(key.to_owned());
        }
        for host in hosts {
            // What is no host at all would spoil the list.
            let usable = Destinations::read(std::slice::from_ref(host)).is_ok();
            if usable && !self.hosts.contains(host) {
                self.hosts.push(host.clone());
            }
        }
        self
    }
}

impl Refusal {
    /// What the owner runs who agrees. It says nothing of what the Secret agrees to already.
    pub(crate) fn remedy(&self, secret: &str, namespace: &str, user: &User, hosts: &[String]) -> String {
        let annotation = match self {
            Self::User if hosts.is_empty() => format!("'{USED_BY}={user}'"),
            Self::User => format!("'{USED_BY}={user}' '{HOSTS}={}'", hosts.join(",")),
            Self::Key(key) => format!("'{KEYS}={key}'"),
            Self::Hosts(_) => format!("'{HOSTS}={}'", hosts.join(",")),
        };
        format!("kubectl annotate secret {secret} -n {namespace} {annotation}")
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| c == ',' || c.is_whitespace());
    words.filter(|word| !word.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn consent(pairs: &[(&str, &str)]) -> Consent {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Consent::of(Some(&pairs.collect()))
    }

    fn refusal(consent: &Consent, user: &User, hosts: &[&str]) -> Option<Refusal> {
        let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
        consent.refusal(user, "token", &hosts)
    }

    fn credential(name: &str) -> User {
        User::Credential(name.to_owned())
    }

    #[test]
    fn without_annotations_nobody_may_use_it() {
        for consent in [
            Consent::of(None),
            consent(&[]),
            consent(&[(USED_BY, " ,")]),
            consent(&[(HOSTS, "a.example.com")]),
        ] {
            assert!(!consent.is_given());
            assert_eq!(refusal(&consent, &credential("github"), &[]), Some(Refusal::User));
        }
    }

    #[rstest]
    #[case::named("credential/github", true)]
    #[case::among_others("channel/inbox, credential/github\n", true)]
    #[case::another("credential/gitlab", false)]
    #[case::prefix("credential/github2", false)]
    #[case::bare("github", false)]
    #[case::other_kind("channel/github", false)]
    #[case::wildcard("*", false)]
    #[case::kind_wildcard("credential/*", false)]
    #[case::case("Credential/github", false)]
    fn exactly_the_named_may_use_it(#[case] used_by: &str, #[case] expected: bool) {
        let consent = consent(&[(USED_BY, used_by), (HOSTS, "api.example.com")]);
        assert_eq!(
            refusal(&consent, &credential("github"), &["api.example.com"]).is_none(),
            expected
        );
    }

    #[rstest]
    #[case::within("*.example.com", &["api.example.com"], true)]
    #[case::nowhere("", &[], true)]
    #[case::elsewhere("api.example.com", &["evil.test"], false)]
    #[case::one_of_two("api.example.com", &["api.example.com", "evil.test"], false)]
    #[case::wider("api.example.com", &["*.example.com"], false)]
    #[case::none_named("", &["api.example.com"], false)]
    #[case::spoilt("api.example.com, x/y", &["api.example.com"], false)]
    fn values_go_only_where_it_says(#[case] hosts: &str, #[case] asked: &[&str], #[case] expected: bool) {
        let consent = consent(&[(USED_BY, "credential/github"), (HOSTS, hosts)]);
        assert_eq!(
            refusal(&consent, &credential("github"), asked).is_none(),
            expected
        );
    }

    #[rstest]
    #[case::all(None, true)]
    #[case::named(Some("token other"), true)]
    #[case::another(Some("other"), false)]
    #[case::none(Some(""), false)]
    fn keys_can_be_named(#[case] keys: Option<&str>, #[case] expected: bool) {
        let mut pairs = vec![(USED_BY, "credential/github")];
        pairs.extend(keys.map(|keys| (KEYS, keys)));
        assert_eq!(
            refusal(&consent(&pairs), &credential("github"), &[]).is_none(),
            expected
        );
    }

    #[test]
    fn the_advice_is_one_command_that_tells_only_what_was_asked() {
        let given = consent(&[(USED_BY, "channel/inbox"), (HOSTS, "a.example.com")]);
        let (user, hosts) = (credential("github"), vec!["*.example.com".to_owned()]);
        let told = |consent: &Consent| {
            let refusal = consent.refusal(&user, "token", &hosts).unwrap();
            refusal.remedy("keys", "team", &user, &hosts)
        };
        assert_eq!(
            told(&given),
            "kubectl annotate secret keys -n team 'monstrum.dev/used-by=credential/github' 'monstrum.dev/hosts=*.example.com'"
        );
        let named = consent(&[
            (USED_BY, "credential/github"),
            (HOSTS, "a.example.com"),
            (KEYS, "other"),
        ]);
        assert_eq!(
            told(&named),
            "kubectl annotate secret keys -n team 'monstrum.dev/keys=token'"
        );
        assert_eq!(
            named
                .extended(&user, "token", &hosts)
                .refusal(&user, "token", &hosts),
            None
        );
    }
}
