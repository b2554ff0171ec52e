//! The canonical values of a call, by dimension.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use smallvec::SmallVec;

/// The values of one dimension, mostly one.
type Values = SmallVec<[Value; 1]>;

/// A map from dimensions to the values that a call feeds them. Written as an object of arrays.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CanonicalValues {
    /// Ordered by name; no two alike. Names are shared with the loaded policy: every permit has them.
    entries: Vec<(Arc<str>, Values)>,
}

impl CanonicalValues {
    /// The values of a dimension, in the order that the tool feeds them. None if the call says nothing of it.
    pub fn get(&self, dimension: &str) -> Option<&[Value]> {
        self.iter()
            .find_map(|(name, values)| (name == dimension).then_some(values))
    }

    /// Every dimension with its values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.entries
            .iter()
            .map(|(name, values)| (name.as_ref(), values.as_slice()))
    }
}

impl FromIterator<(Arc<str>, Values)> for CanonicalValues {
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Values)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        entries.dedup_by(|(left, _), (right, _)| left == right);
        Self { entries }
    }
}

impl Serialize for CanonicalValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for CanonicalValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = BTreeMap::<String, Vec<Value>>::deserialize(deserializer)?;
        Ok(entries
            .into_iter()
            .map(|(name, values)| (name.into(), values.into()))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use smallvec::smallvec;

    use super::*;

    #[test]
    fn is_an_ordered_object_of_arrays() {
        let values: CanonicalValues = [
            ("path".into(), smallvec![json!("/b"), json!("/a")]),
            ("host".into(), smallvec![json!("example.com")]),
        ]
        .into_iter()
        .collect();
        let text = r#"{"host":["example.com"],"path":["/b","/a"]}"#;
        assert_eq!(serde_json::to_string(&values).unwrap(), text);
        assert_eq!(serde_json::from_str::<CanonicalValues>(text).unwrap(), values);
        assert_eq!(values.get("host"), Some(&[json!("example.com")][..]));
        assert_eq!(values.get("port"), None);
    }
}
