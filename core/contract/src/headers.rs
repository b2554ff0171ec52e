//! Headers that only some may set. There is no other list of them.

use monstrum_guardian::template::{Piece, pieces};

/// Who sets a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// Whoever carries the message: it steers the connection, or says where the message came from.
    Transport,
    /// The message itself describes its body by it.
    Message,
    /// It shows who is asking.
    Credential,
}

const OWNED: [(&str, Owner); 18] = [
    ("accept-encoding", Owner::Transport),
    ("authorization", Owner::Credential),
    ("connection", Owner::Transport),
    ("content-length", Owner::Transport),
    ("content-type", Owner::Message),
    ("cookie", Owner::Transport),
    ("expect", Owner::Transport),
    ("forwarded", Owner::Transport),
    ("host", Owner::Transport),
    ("keep-alive", Owner::Transport),
    ("proxy-authorization", Owner::Transport),
    ("proxy-connection", Owner::Transport),
    ("te", Owner::Transport),
    ("trailer", Owner::Transport),
    ("transfer-encoding", Owner::Transport),
    ("upgrade", Owner::Transport),
    ("x-forwarded-for", Owner::Transport),
    ("x-forwarded-host", Owner::Transport),
];

fn owner(name: &str) -> Option<Owner> {
    let owned = OWNED.iter().find(|(owned, _)| name.eq_ignore_ascii_case(owned));
    owned.map(|(_, owner)| *owner)
}

/// Whether a request's template, or the settings of whoever sends requests, may set it.
pub fn is_settable(name: &str) -> bool {
    matches!(owner(name), None | Some(Owner::Message))
}

/// Whether a credential may be shown in it.
pub fn carries_credentials(name: &str) -> bool {
    matches!(owner(name), None | Some(Owner::Credential))
}

/// Whether it is a header's name at all: a token of RFC 9110.
pub fn is_name(name: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(is_token)
}

/// Why a template can't stand in a header's value (reads after the field's name).
pub(crate) fn value_fault(template: &str) -> Option<&'static str> {
    if template.chars().any(char::is_control) {
        return Some("has a control character: remove it");
    }
    // What is no template is told by others.
    let pieces = pieces(template).unwrap_or_default();
    let is_lost = |piece: &Piece<'_>| matches!(piece, Piece::Literal(text) if !text.is_ascii());
    pieces
        .iter()
        .any(is_lost)
        .then_some("has a character that no header carries: write it in ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;
    use rstest::rstest;

    #[rstest]
    #[case::own("X-Api-Key", true, true)]
    #[case::authorization("Authorization", false, true)]
    #[case::content_type("content-type", true, false)]
    #[case::host("HOST", false, false)]
    #[case::cookie("Cookie", false, false)]
    #[case::proxy("Proxy-Authorization", false, false)]
    #[case::encoding("Accept-Encoding", false, false)]
    #[case::forwarded("X-Forwarded-For", false, false)]
    fn a_header_has_one_owner(#[case] name: &str, #[case] settable: bool, #[case] credential: bool) {
        assert_eq!(
            (is_settable(name), carries_credentials(name)),
            (settable, credential)
        );
    }

    #[test]
    fn the_pattern_of_names_says_the_same() {
        let in_pattern = |c: char| schema::HEADER.contains(c);
        for c in "!#$%&'*+.^_`|~-".chars() {
            assert!(in_pattern(c) && is_name(&c.to_string()), "{c}");
        }
        for name in ["", "a b", "a:b", "ü", "a\r"] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
