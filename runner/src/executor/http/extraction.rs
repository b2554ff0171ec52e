//! Taking the interesting part out of a JSON answer, with `JSONPath` (RFC 9535).

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::{QueryRef, js_path_process};
use monstrum_contract::http::Extraction;
use serde_json::{Map, Value};

use crate::call::Failure;

/// An extraction whose paths were parsed.
#[derive(Debug)]
pub(super) struct Plan {
    items: Option<JpQuery>,
    fields: Vec<(String, JpQuery)>,
    max_items: usize,
}

/// What was taken out, as compact JSON.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extracted {
    pub(super) json: String,
    pub(super) truncated: bool,
}

impl Plan {
    /// Parses the paths.
    pub(super) fn new(extraction: &Extraction) -> Result<Self, Failure> {
        let fields = extraction
            .fields
            .iter()
            .map(|(name, path)| Ok((name.clone(), parse(path)?)));
        Ok(Self {
            items: extraction.items.as_deref().map(parse).transpose()?,
            fields: fields.collect::<Result<_, Failure>>()?,
            max_items: extraction.most_items(),
        })
    }

    /// Takes items and fields out of `answer`; a list keeps as many whole items as fit into `limit` bytes.
    pub(super) fn apply(&self, answer: &Value, limit: usize) -> Result<Extracted, Failure> {
        let Some(items) = &self.items else {
            let mut json = self.pick(answer)?.to_string();
            let end = json.floor_char_boundary(limit);
            let truncated = end < json.len();
            json.truncate(end);
            return Ok(Extracted { json, truncated });
        };
        let found = select(items, answer)?;
        let mut json = String::from("[");
        let mut kept = 0_usize;
        for item in found.iter().take(self.max_items) {
            let text = self.pick(item)?.to_string();
            // One byte for the comma, one for the closing bracket.
            if json.len().saturating_add(text.len()).saturating_add(2) > limit {
                break;
            }
            if kept > 0 {
                json.push(',');
            }
            json.push_str(&text);
            kept = kept.saturating_add(1);
        }
        json.push(']');
        Ok(Extracted {
            json,
            truncated: kept < found.len(),
        })
    }

    fn pick(&self, from: &Value) -> Result<Value, Failure> {
        if self.fields.is_empty() {
            return Ok(from.clone());
        }
        let mut picked = Map::new();
        for (name, path) in &self.fields {
            let mut found = select(path, from)?;
            let value = match found.len() {
                0 => continue,
                1 => found.remove(0).clone(),
                _ => Value::Array(found.into_iter().cloned().collect()),
            };
            picked.insert(name.clone(), value);
        }
        Ok(Value::Object(picked))
    }
}

fn parse(path: &str) -> Result<JpQuery, Failure> {
    parse_json_path(path)
        .map_err(|error| Failure::invalid(format!("the tool's execution: {path:?} is no JSONPath: {error}")))
}

fn select<'a>(path: &JpQuery, from: &'a Value) -> Result<Vec<&'a Value>, Failure> {
    let found = js_path_process(path, from)
        .map_err(|error| Failure::internal(format!("the answer can't be searched: {error}")))?;
    Ok(found.into_iter().map(QueryRef::val).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(extraction: Value) -> Plan {
        Plan::new(&serde_json::from_value(extraction).unwrap()).unwrap()
    }

    fn issues() -> Value {
        json!([
            {"number": 1, "title": "one", "user": {"login": "a"}, "labels": [{"name": "x"}, {"name": "y"}]},
            {"number": 2, "title": "two", "user": {"login": "b"}, "labels": []},
            {"number": 3, "title": "three", "user": null, "labels": [{"name": "z"}]},
        ])
    }

    fn fields() -> Value {
        json!({"number": "$.number", "by": "$.user.login", "labels": "$.labels[*].name"})
    }

    #[test]
    fn items_and_fields() {
        let extracted = plan(json!({"items": "$[*]", "fields": fields()}))
            .apply(&issues(), 10_000)
            .unwrap();
        assert!(!extracted.truncated);
        assert_eq!(
            serde_json::from_str::<Value>(&extracted.json).unwrap(),
            json!([
                {"number": 1, "by": "a", "labels": ["x", "y"]},
                {"number": 2, "by": "b"},
                {"number": 3, "labels": "z"},
            ])
        );
    }

    #[test]
    fn the_number_of_items_is_bounded_and_told() {
        let plan = plan(json!({"items": "$[*]", "fields": {"n": "$.number"}, "maxItems": 2}));
        let extracted = plan.apply(&issues(), 10_000).unwrap();
        assert_eq!(
            extracted,
            Extracted {
                json: "[{\"n\":1},{\"n\":2}]".to_owned(),
                truncated: true
            }
        );
    }

    #[test]
    fn only_whole_items_are_kept() {
        let plan = plan(json!({"items": "$[*]", "fields": {"n": "$.number"}}));
        let extracted = plan.apply(&issues(), 20).unwrap();
        assert_eq!(
            extracted,
            Extracted {
                json: "[{\"n\":1},{\"n\":2}]".to_owned(),
                truncated: true
            }
        );
        assert_eq!(plan.apply(&issues(), 5).unwrap().json, "[]");
    }

    #[test]
    fn fields_of_the_whole_answer() {
        let plan = plan(json!({"fields": {"first": "$[0].title"}}));
        assert_eq!(plan.apply(&issues(), 1000).unwrap().json, "{\"first\":\"one\"}");
        let cut = plan.apply(&issues(), 9).unwrap();
        assert_eq!(
            cut,
            Extracted {
                json: "{\"first\":".to_owned(),
                truncated: true
            }
        );
    }

    #[test]
    fn a_wrong_path_is_a_fault_of_the_template() {
        let extraction: Extraction = serde_json::from_value(json!({"items": "$[*"})).unwrap();
        let failure = Plan::new(&extraction).unwrap_err();
        assert!(failure.message.contains("\"$[*\""), "{}", failure.message);
    }
}
