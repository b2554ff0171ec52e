//! From a call's arguments to the values of its dimensions, in their canonical form.

mod pointer;

use serde_json::Value;

use self::pointer::Pointer;
use crate::matching::{Canonical, NotCanonical, Values};
use crate::source::{Dimension, Feed, FeedFrom, Match};
use crate::template;

/// One compiled feed of a tool.
#[derive(Debug)]
pub(crate) struct CompiledFeed {
    /// The dimension's place in the binding.
    pub(crate) dimension: usize,
    /// For error messages: the parameter or parameters.
    label: String,
    matching: Match,
    from: From,
}

#[derive(Debug)]
enum From {
    Pointer(Pointer),
    Template(Vec<Piece>),
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Pointer(Pointer),
}

/// Why a call's arguments feed no judgeable value.
#[derive(Debug, thiserror::Error)]
#[error("the value of {label} {source}")]
pub(crate) struct FeedError {
    label: String,
    source: NotCanonical,
}

impl CompiledFeed {
    pub(crate) fn compile(feed: &Feed, dimensions: &[Dimension]) -> Result<Self, String> {
        let (dimension, matching) = dimensions
            .iter()
            .enumerate()
            .find(|(_, dimension)| dimension.name == feed.dimension)
            .map(|(place, dimension)| (place, dimension.matching.clone()))
            .ok_or_else(|| {
                format!(
                    "there is no dimension {}; declare it or name another",
                    feed.dimension
                )
            })?;
        if matches!(matching, Match::Cel {}) {
            return Err(format!(
                "the Cel dimension {} looks at the whole call and is fed nothing; remove the feed",
                feed.dimension
            ));
        }
        let (label, from) = match &feed.from {
            FeedFrom::Pointer(pointer) => (label(pointer), From::Pointer(Pointer::parse(pointer)?)),
            FeedFrom::Template(template) => {
                let pieces = parse_template(template, &matching)?;
                (label(template), From::Template(pieces))
            }
        };
        Ok(Self {
            dimension,
            label,
            matching,
            from,
        })
    }

    /// Whether the canonical form takes the argument's place.
    pub(crate) fn rewrites(&self) -> bool {
        matches!(self.from, From::Pointer(_))
            && matches!(self.matching, Match::Path {} | Match::Host {} | Match::Url {})
    }

    /// The pointer, if that is all the feed is.
    pub(crate) fn pointer(&self) -> Option<&str> {
        match &self.from {
            From::Pointer(pointer) => Some(pointer.text()),
            From::Template(_) => None,
        }
    }

    /// The kind of its dimension.
    pub(crate) fn matching(&self) -> &Match {
        &self.matching
    }

    /// The pointers that it reads.
    pub(crate) fn pointers(&self) -> impl Iterator<Item = &str> {
        let (single, pieces) = match &self.from {
            From::Pointer(pointer) => (Some(pointer.text()), &[][..]),
            From::Template(pieces) => (None, pieces.as_slice()),
        };
        single
            .into_iter()
            .chain(pieces.iter().filter_map(|piece| match piece {
                Piece::Pointer(pointer) => Some(pointer.text()),
                Piece::Literal(_) => None,
            }))
    }

    /// The values that the arguments feed, canonical; the arguments are rewritten where the kind says so.
    pub(crate) fn read(&self, arguments: &mut Value, rewritten: &mut bool) -> Result<Values, FeedError> {
        let values = match &self.from {
            From::Template(pieces) => self
                .read_template(pieces, arguments)
                .map(|value| Values::from_buf([value])),
            From::Pointer(pointer) => match pointer.of_mut(arguments) {
                // A null that the schema permits is an absence.
                None | Some(Value::Null) => Ok(Values::new()),
                Some(Value::Array(items)) => items
                    .iter_mut()
                    .map(|item| self.read_one(item, rewritten))
                    .collect(),
                Some(value) => self
                    .read_one(value, rewritten)
                    .map(|value| Values::from_buf([value])),
            },
        };
        values.map_err(|source| FeedError {
            label: self.label.clone(),
            source,
        })
    }

    fn read_one(&self, value: &mut Value, rewritten: &mut bool) -> Result<Canonical, NotCanonical> {
        let canonical = Canonical::read(&self.matching, value)?;
        if let Some(text) = canonical.replacement()
            && value.as_str() != Some(text)
        {
            *rewritten = true;
            *value = Value::String(text.to_owned());
        }
        Ok(canonical)
    }

    fn read_template(&self, pieces: &[Piece], arguments: &Value) -> Result<Canonical, NotCanonical> {
        let mut joined = String::new();
        for piece in pieces {
            match piece {
                Piece::Literal(text) => joined.push_str(text),
                Piece::Pointer(pointer) => {
                    let part = pointer
                        .of(arguments)
                        .and_then(Value::as_str)
                        .ok_or("is missing or not a string")?;
                    if part.is_empty() || holds_separator(part, &self.matching, pieces) {
                        return Err("is empty or holds a separator".into());
                    }
                    joined.push_str(part);
                }
            }
        }
        let value = Value::String(joined);
        let canonical = Canonical::read(&self.matching, &value)?;
        // The parts cannot be rewritten from the whole, so they must be canonical already.
        match canonical.replacement() {
            Some(text) if value.as_str() != Some(text) => Err("is not in its canonical form".into()),
            _ => Ok(canonical),
        }
    }
}

/// Whether a part could pass for more than one part.
fn holds_separator(part: &str, matching: &Match, pieces: &[Piece]) -> bool {
    let kind = match matching {
        Match::Glob { separator } => *separator,
        Match::Path {} => Some('/'),
        Match::Host {} => Some('.'),
        Match::Url {} => {
            return part.contains(|c: char| !c.is_ascii_alphanumeric() && !"-_~.".contains(c))
                || part.contains("..");
        }
        Match::Exact {}
        | Match::Enum { .. }
        | Match::Command {}
        | Match::Range { .. }
        | Match::Regex {}
        | Match::Cel {} => None,
    };
    let literal = |piece: &Piece| matches!(piece, Piece::Literal(text) if part.contains(text.as_str()));
    kind.is_some_and(|separator| part.contains(separator)) || pieces.iter().any(literal)
}

/// `/owner` as `owner`; templates as they are.
fn label(source: &str) -> String {
    source
        .strip_prefix('/')
        .filter(|name| !name.contains('/'))
        .unwrap_or(source)
        .to_owned()
}

fn parse_template(template: &str, matching: &Match) -> Result<Vec<Piece>, String> {
    if matches!(matching, Match::Command {} | Match::Range { .. }) {
        return Err("a Command or Range dimension is fed by a pointer, not by a template".to_owned());
    }
    let found = template::pieces(template).map_err(|why| format!("{template:?} {why}"))?;
    let is_pointer = |piece: &template::Piece<'_>| matches!(piece, template::Piece::Pointer(_));
    if !found.iter().any(is_pointer) {
        return Err(format!(
            "{template:?} is not a template; write for example {{/owner}}/{{/repo}}"
        ));
    }
    if found.windows(2).any(|pair| pair.iter().all(is_pointer)) {
        return Err(format!(
            "two parts of {template:?} have nothing between them; put a separator there"
        ));
    }
    let compiled = found.into_iter().map(|piece| match piece {
        template::Piece::Literal(text) => Ok(Piece::Literal(text.to_owned())),
        template::Piece::Pointer(pointer) => Pointer::parse(pointer).map(Piece::Pointer),
    });
    compiled.collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::source::WhenUnset;

    fn feed(matching: Match, from: FeedFrom) -> Result<CompiledFeed, String> {
        let dimension = Dimension {
            name: "d".to_owned(),
            matching,
            when_unset: WhenUnset::Deny,
            description: String::new(),
        };
        CompiledFeed::compile(
            &Feed {
                dimension: "d".to_owned(),
                from,
            },
            &[dimension],
        )
    }

    fn template(matching: Match, text: &str) -> Result<CompiledFeed, String> {
        feed(matching, FeedFrom::Template(text.to_owned()))
    }

    const REPOSITORY: Match = Match::Glob { separator: Some('/') };

    #[rstest]
    #[case::both(json!({"owner": "acme", "repo": "web"}), Some("acme/web"))]
    #[case::missing(json!({"owner": "acme"}), None)]
    #[case::null(json!({"owner": "acme", "repo": null}), None)]
    #[case::number(json!({"owner": "acme", "repo": 1}), None)]
    #[case::array(json!({"owner": "acme", "repo": ["web"]}), None)]
    #[case::empty(json!({"owner": "acme", "repo": ""}), None)]
    #[case::separator_in_part(json!({"owner": "acme/web", "repo": "x"}), None)]
    #[case::climbs(json!({"owner": "acme", "repo": ".."}), None)]
    #[case::fullwidth_separator(json!({"owner": "acme\u{ff0f}web", "repo": "x"}), None)]
    fn templates(#[case] mut arguments: Value, #[case] expected: Option<&str>) {
        let values = template(REPOSITORY, "{/owner}/{/repo}")
            .unwrap()
            .read(&mut arguments, &mut false);
        assert_eq!(
            values.ok(),
            expected.map(|text| Values::from([Canonical::Text(text.to_owned())]))
        );
    }

    #[test]
    fn a_part_cannot_imitate_the_text_between_parts() {
        let feed = template(Match::Exact {}, "{/a}-{/b}").unwrap();
        assert!(feed.read(&mut json!({"a": "x-y", "b": "z"}), &mut false).is_err());
        assert!(feed.read(&mut json!({"a": "x", "b": "y-z"}), &mut false).is_err());
        assert!(feed.read(&mut json!({"a": "x", "b": "y"}), &mut false).is_ok());
    }

    #[test]
    fn a_template_value_must_be_canonical_already() {
        let feed = template(Match::Path {}, "/srv/{/name}").unwrap();
        assert!(feed.read(&mut json!({"name": "."}), &mut false).is_err());
        assert!(feed.read(&mut json!({"name": "x"}), &mut false).is_ok());
    }

    #[rstest]
    #[case("{/a}{/b}")]
    #[case("{a}")]
    #[case("{/a")]
    #[case("/a}")]
    #[case("text")]
    #[case("")]
    #[case("{/a~2}")]
    fn refuses_templates(#[case] text: &str) {
        assert!(template(REPOSITORY, text).is_err());
    }

    #[test]
    fn pointers_rewrite_and_spread_over_arrays() {
        let feed = feed(Match::Path {}, FeedFrom::Pointer("/paths".to_owned())).unwrap();
        let mut arguments = json!({"paths": ["./a", "b//c"]});
        let mut rewritten = false;
        let values = feed.read(&mut arguments, &mut rewritten).unwrap();
        assert_eq!(
            values.as_slice(),
            [Canonical::Path("a".to_owned()), Canonical::Path("b/c".to_owned())]
        );
        assert_eq!(arguments, json!({"paths": ["a", "b/c"]}));
        assert!(rewritten);
        assert!(feed.read(&mut json!({"paths": [["a"]]}), &mut false).is_err());
        assert!(feed.read(&mut json!({"paths": ["a", null]}), &mut false).is_err());
        assert!(feed.read(&mut json!({"paths": {"0": "a"}}), &mut false).is_err());
        assert_eq!(feed.read(&mut json!({}), &mut false).unwrap(), Values::new());
        assert_eq!(
            feed.read(&mut json!({"paths": null}), &mut false).unwrap(),
            Values::new()
        );
    }
}
