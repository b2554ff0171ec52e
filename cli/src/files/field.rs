//! From a field's name, as in a fault, to its place in the text.

use super::node::{Kind, Node, Place};

/// One step of a field's name.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The place of a field such as `spec.grants[0].scope.repository[1]`; of a field that is not there, the place of the
/// closest one that encloses it.
pub(crate) fn place_of(node: &Node, field: &str) -> Place {
    let mut place = node.place;
    let mut here = Some(node);
    for step in steps(field) {
        let next = match (here, step) {
            (Some(node), Step::Key(key)) => node.get(key),
            (Some(node), Step::Index(index)) => node.item(index),
            (None, _) => None,
        };
        let Some(next) = next else { return place };
        place = next.place;
        here = Some(next);
    }
    place
}

/// The same for a JSON Pointer.
pub(crate) fn place_of_pointer(node: &Node, pointer: &str) -> Place {
    let mut here = node;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let next = match &here.kind {
            Kind::List(_) => token.parse().ok().and_then(|index| here.item(index)),
            Kind::Mapping(_) => here.get(&token),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => None,
        };
        let Some(next) = next else { return here.place };
        here = next;
    }
    here.place
}

/// Keys are separated by dots, or written in brackets and quotes when they hold one; numbers in brackets are indices.
fn steps(field: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = field;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some(inner) = rest.strip_prefix('[') {
            let Some((index, tail)) = inner.split_once(']') else {
                break;
            };
            steps.push(bracket(index));
            rest = tail;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (key, tail) = rest.split_at(end);
            if key.is_empty() && tail.is_empty() {
                break;
            }
            steps.push(Step::Key(key));
            rest = tail;
        }
    }
    steps
}

fn bracket(inner: &str) -> Step<'_> {
    match inner.parse() {
        Ok(index) => Step::Index(index),
        Err(_) => Step::Key(inner.trim_matches(|c| c == '"' || c == '\'')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const TEXT: &str = "\
metadata:
  name: reader
spec:
  grants:
    - operations: [issue.read]
      scope:
        repository:
          - acme/web
          - \"acme/**/x\"
  config: {a.b: 1}
";

    fn found(field: &str) -> &'static str {
        let nodes = crate::files::parse("t.yaml", TEXT).unwrap();
        let place = place_of(&nodes[0], field);
        &TEXT[place.range()]
    }

    #[rstest]
    #[case::scalar("metadata.name", "reader")]
    #[case::list_item("spec.grants[0].scope.repository[1]", "\"acme/**/x\"")]
    #[case::flow_item("spec.grants[0].operations[0]", "issue.read")]
    #[case::mapping_is_its_key("spec.grants[0].scope", "scope")]
    #[case::list_entry_is_its_first_key("spec.grants[0]", "operations")]
    #[case::absent_is_its_parent("spec.grants[0].tools[3]", "operations")]
    #[case::absent_item("spec.grants[7]", "grants")]
    #[case::quoted_key("spec.config[\"a.b\"]", "1")]
    fn a_field_has_a_place(#[case] field: &str, #[case] text: &str) {
        assert_eq!(found(field), text);
    }

    #[test]
    fn a_pointer_has_a_place() {
        let nodes = crate::files::parse("t.yaml", TEXT).unwrap();
        let place = place_of_pointer(&nodes[0], "/spec/grants/0/scope/repository/0");
        assert_eq!(&TEXT[place.range()], "acme/web");
    }
}
