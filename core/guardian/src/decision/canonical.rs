//! The canonical values of a call, by dimension.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use smallvec::SmallVec;

use super::Name;
use crate::matching::{Canonical, Values};

/// The values of each of a tool's dimensions, of which most have few.
pub(crate) type ByDimension = SmallVec<[Values; 4]>;

/// A map from dimensions to the values that a call feeds them. Written as an object of arrays.
///
/// It keeps what the check has read; JSON is made of it for those who look.
#[derive(Clone, Default)]
pub struct CanonicalValues {
    /// No two alike. Shared with the loaded policy: every permit has them.
    names: Arc<[Name]>,
    /// In the order of the names; empty where the call says nothing of a dimension.
    values: ByDimension,
}

impl CanonicalValues {
    pub(crate) fn new(names: &Arc<[Name]>, values: ByDimension) -> Self {
        Self {
            names: Arc::clone(names),
            values,
        }
    }

    /// The values of a dimension, in the order that the tool feeds them. None if the call says nothing of it.
    pub fn get(&self, dimension: &str) -> Option<Vec<Value>> {
        let mut entries = self.entries();
        entries.find_map(|(name, values)| (name == dimension).then(|| json(values)))
    }

    /// Every dimension with its values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Vec<Value>)> {
        let mut entries: Vec<_> = self.entries().collect();
        entries.sort_by_key(|(name, _)| *name);
        entries.into_iter().map(|(name, values)| (name, json(values)))
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &Values)> {
        let all = self.names.iter().map(Name::as_str).zip(&self.values);
        all.filter(|(_, values)| !values.is_empty())
    }
}

fn json(values: &Values) -> Vec<Value> {
    values.iter().map(Canonical::to_value).collect()
}

impl fmt::Debug for CanonicalValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Equal are those that are written alike.
impl PartialEq for CanonicalValues {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Serialize for CanonicalValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for CanonicalValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = BTreeMap::<Name, Vec<Value>>::deserialize(deserializer)?;
        let (names, values): (Vec<_>, ByDimension) = entries
            .into_iter()
            .map(|(name, values)| (name, values.into_iter().map(Canonical::Scalar).collect()))
            .unzip();
        Ok(Self::new(&names.into(), values))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use smallvec::smallvec;

    use super::*;

    #[test]
    fn is_an_ordered_object_of_arrays() {
        let path = |text: &str| Canonical::Path(text.to_owned());
        let command = Canonical::Words(["git", "log"].into_iter().collect());
        let values = CanonicalValues::new(
            &["path".into(), "command".into(), "host".into()].into(),
            smallvec![
                smallvec![path("/b"), path("/a")],
                smallvec![command],
                Values::new()
            ],
        );
        let text = r#"{"command":[["git","log"]],"path":["/b","/a"]}"#;
        assert_eq!(serde_json::to_string(&values).unwrap(), text);
        let read = serde_json::from_str::<CanonicalValues>(text).unwrap();
        assert_eq!(read, values);
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
        assert_eq!(values.get("command"), Some(vec![json!(["git", "log"])]));
        assert_eq!(values.get("host"), None);
        assert_eq!(values.get("port"), None);
        assert_ne!(values, CanonicalValues::default());
    }
}
