//! How much work a schema with references can make of a small value.
//!
//! Where several alternatives lead to one schema again and again, a validator may look at one value exponentially often in its depth.
//! This counts how often, at most, and so how deep a value may be.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

/// How often one part of a value may be looked at.
const MAX_LOOKS: u64 = 2_000;
/// A bound on the work of counting, for schemas that are entangled on purpose.
const MAX_COUNTING: usize = 1_000_000;

/// A schema's subschemas and how they lead to each other.
struct Graph<'a> {
    nodes: Vec<Node<'a>>,
}

#[derive(Default)]
struct Node<'a> {
    /// Subschemas that describe the same part of the value.
    in_place: Vec<usize>,
    /// Subschemas of one property.
    named: Vec<(&'a str, usize)>,
    /// Subschemas of any other part.
    other: Vec<usize>,
}

/// How often a subschema's part of a value, and each part below, is looked at.
#[derive(Clone, Default)]
struct Looks<'a> {
    here: u64,
    named: BTreeMap<&'a str, u64>,
    other: u64,
}

/// How many levels a value may have, at most `deepest`. None if the schema leads back to itself on the spot, or if even a flat
/// value would be looked at too often.
pub(super) fn permitted_depth(schema: &Value, deepest: usize) -> Option<usize> {
    let graph = Graph::new(schema)?;
    let order = graph.in_place_order()?;
    let mut below = vec![0; graph.nodes.len()];
    let mut counted = 0;
    for depth in 0..=deepest {
        below = graph.totals(&order, &below, &mut counted)?;
        if below.first().is_none_or(|looks| *looks > MAX_LOOKS) {
            return depth.checked_sub(1).filter(|depth| *depth > 0);
        }
    }
    Some(deepest)
}

/// What a subschema describes of the value that its parent describes.
enum Relation<'a> {
    Same,
    Property(&'a str),
    Other,
}

impl<'a> Graph<'a> {
    fn new(schema: &'a Value) -> Option<Self> {
        let root = schema.as_object()?;
        let mut places: HashMap<*const Map<String, Value>, usize> =
            HashMap::from([(std::ptr::from_ref(root), 0)]);
        let mut open = vec![root];
        let mut nodes = Vec::new();
        while let Some(map) = open.get(nodes.len()).copied() {
            let mut node = Node::default();
            for (relation, part) in map
                .iter()
                .flat_map(|(keyword, value)| parts(schema, keyword, value))
            {
                let place = *places.entry(std::ptr::from_ref(part)).or_insert_with(|| {
                    open.push(part);
                    open.len().saturating_sub(1)
                });
                match relation {
                    Relation::Same => node.in_place.push(place),
                    Relation::Property(name) => node.named.push((name, place)),
                    Relation::Other => node.other.push(place),
                }
            }
            nodes.push(node);
        }
        Some(Self { nodes })
    }

    /// Every node after those that it leads to on the spot. None if there is a circle.
    fn in_place_order(&self) -> Option<Vec<usize>> {
        let mut waiting: Vec<usize> = self.nodes.iter().map(|node| node.in_place.len()).collect();
        let mut parents: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (place, node) in self.nodes.iter().enumerate() {
            for child in &node.in_place {
                parents.get_mut(*child)?.push(place);
            }
        }
        let mut order: Vec<usize> = (0..self.nodes.len())
            .filter(|place| waiting.get(*place) == Some(&0))
            .collect();
        let mut done = 0;
        while let Some(place) = order.get(done).copied() {
            done = done.saturating_add(1);
            for parent in parents.get(place)? {
                let left = waiting.get_mut(*parent)?;
                *left = left.saturating_sub(1);
                if *left == 0 {
                    order.push(*parent);
                }
            }
        }
        (order.len() == self.nodes.len()).then_some(order)
    }

    /// For each node, how often a part of a value is looked at, at most, if those below are looked at as often as given.
    /// None if counting takes too long.
    fn totals(&self, order: &[usize], below: &[u64], counted: &mut usize) -> Option<Vec<u64>> {
        let at = |place: usize| below.get(place).copied().unwrap_or_default();
        let mut looks: Vec<Looks<'a>> = vec![Looks::default(); self.nodes.len()];
        let mut totals = vec![0; self.nodes.len()];
        for place in order {
            let Some(node) = self.nodes.get(*place) else {
                continue;
            };
            let mut sum = Looks {
                here: 1,
                ..Looks::default()
            };
            for (name, child) in &node.named {
                add(sum.named.entry(name).or_default(), at(*child));
            }
            for child in &node.other {
                add(&mut sum.other, at(*child));
            }
            *counted = counted
                .saturating_add(node.named.len())
                .saturating_add(node.other.len())
                .saturating_add(1);
            for child in node.in_place.iter().filter_map(|child| looks.get(*child)) {
                *counted = counted.saturating_add(child.named.len());
                if *counted > MAX_COUNTING {
                    return None;
                }
                add(&mut sum.here, child.here);
                add(&mut sum.other, child.other);
                for (name, count) in &child.named {
                    add(sum.named.entry(name).or_default(), *count);
                }
            }
            let most = sum.named.values().copied().max().unwrap_or_default();
            if let (Some(total), Some(slot)) = (totals.get_mut(*place), looks.get_mut(*place)) {
                *total = sum.here.max(most.saturating_add(sum.other));
                *slot = sum;
            }
        }
        Some(totals)
    }
}

/// The subschemas of a keyword.
fn parts<'a>(
    root: &'a Value,
    keyword: &str,
    value: &'a Value,
) -> Vec<(Relation<'a>, &'a Map<String, Value>)> {
    let same = |part: &'a Value| Some((Relation::Same, part.as_object()?));
    let other = |part: &'a Value| Some((Relation::Other, part.as_object()?));
    match (keyword, value) {
        ("$ref", Value::String(target)) => target
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer))
            .and_then(same)
            .into_iter()
            .collect(),
        ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => parts.iter().filter_map(same).collect(),
        ("not" | "if" | "then" | "else", part) => same(part).into_iter().collect(),
        ("dependentSchemas", Value::Object(parts)) => parts.values().filter_map(same).collect(),
        ("properties", Value::Object(parts)) => parts
            .iter()
            .filter_map(|(name, part)| Some((Relation::Property(name), part.as_object()?)))
            .collect(),
        ("patternProperties", Value::Object(parts)) => parts.values().filter_map(other).collect(),
        ("prefixItems", Value::Array(parts)) => parts.iter().filter_map(other).collect(),
        (
            "items"
            | "contains"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "propertyNames",
            part,
        ) => other(part).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn add(total: &mut u64, more: u64) {
    *total = total.saturating_add(more);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Definitions that each lead to the next one twice.
    fn doubling(levels: usize) -> Value {
        let twice = |level: usize| json!({"anyOf": [{"$ref": format!("#/$defs/d{level}")}, {"$ref": format!("#/$defs/d{level}")}]});
        let mut definitions: Map<_, _> = (0..levels)
            .map(|level| (format!("d{level}"), twice(level.saturating_add(1))))
            .collect();
        definitions.insert(format!("d{levels}"), json!({"type": "string"}));
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions})
    }

    #[test]
    fn alternatives_that_double_are_bounded() {
        assert_eq!(permitted_depth(&doubling(8), 32), Some(32));
        assert_eq!(permitted_depth(&doubling(20), 32), None);
        assert_eq!(permitted_depth(&doubling(1000), 32), None);
    }

    #[test]
    fn a_circle_on_the_spot_is_refused() {
        assert_eq!(permitted_depth(&json!({"allOf": [{"$ref": "#"}]}), 32), None);
    }

    #[test]
    fn a_tree_may_be_deep() {
        let tree = json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "list": {"items": {"$ref": "#"}}}});
        assert_eq!(permitted_depth(&tree, 32), Some(32));
    }

    #[test]
    fn alternatives_with_different_names_may_be_deep() {
        let part = |name: &str| json!({"properties": {name: {"type": "array", "items": {"$ref": "#"}}}, "required": [name]});
        assert_eq!(
            permitted_depth(&json!({"anyOf": [part("and"), part("or"), part("not")]}), 32),
            Some(32)
        );
    }

    #[test]
    fn alternatives_that_share_a_name_may_not_be_as_deep() {
        let part = |kind: &str| json!({"properties": {"type": {"const": kind}, "children": {"items": {"$ref": "#"}}}});
        let parts: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().map(part).collect();
        let depth = permitted_depth(&json!({"anyOf": parts}), 32).unwrap();
        assert!((4..20).contains(&depth), "{depth}");
    }
}
