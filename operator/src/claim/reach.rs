//! Which namespaces an installation governs, as it says of itself to others.

use serde::{Deserialize, Serialize};

/// The annotation of the leader's lease that says it.
pub(crate) const GOVERNS: &str = "monstrum.dev/governs";

/// Which namespaces an installation governs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reach {
    /// These; all of them when empty.
    pub(crate) namespaces: Vec<String>,
    /// But not these.
    pub(crate) except: Vec<String>,
}

impl Reach {
    /// Whether a namespace is one of them.
    pub(crate) fn covers(&self, namespace: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|name| name == namespace);
        (self.namespaces.is_empty() || named(&self.namespaces)) && !named(&self.except)
    }

    /// As an annotation.
    pub(crate) fn to_text(&self) -> String {
        // Two lists of strings: it always is JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Of an installation that says nothing that can be read, it is assumed that it governs everything.
    pub(crate) fn of_text(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(namespaces: &[&str], except: &[&str]) -> Reach {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Reach {
            namespaces: owned(namespaces),
            except: owned(except),
        }
    }

    #[test]
    fn what_is_named_is_covered_and_what_is_excepted_is_not() {
        assert!(reach(&[], &[]).covers("a") && !reach(&[], &["a"]).covers("a"));
        assert!(reach(&["a"], &[]).covers("a") && !reach(&["b"], &[]).covers("a"));
        assert!(!reach(&["a"], &["a"]).covers("a"));
        let told = reach(&["a", "b"], &["b"]);
        assert_eq!(Reach::of_text(Some(&told.to_text())), told);
        assert!(Reach::of_text(Some("{")).covers("a") && Reach::of_text(None).covers("a"));
    }
}
