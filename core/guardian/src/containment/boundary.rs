//! A ceiling of grants: the boundary of a workspace.
//!
//! An entry of a boundary is read exactly as a grant is. What a boundary permits is what at least one of its entries, alone, would
//! permit as a grant; quotas, approval and validity are no part of it.
//!
//! **Why it is sound.** A grant is whole, so each is judged by itself. Of a tool that a grant names, the calls that the grant permits
//! are those whose values, dimension by dimension, match its patterns. They are all permitted by one entry if that entry names the
//! tool, and each dimension is at least as open in it:
//!
//! - Both restrict it: every value that the grant matches is matched by the entry ([`super::contains`]). A call may feed a dimension many
//!   values at once, which one entry must match all; so the patterns of one grant are never spread over several entries.
//! - Only the grant restricts it: the entry must be one that leaves it open, which needs `whenUnset: Allow`.
//! - Only the entry restricts it: the grant permits calls with any value, and calls that feed it none, which the entry does not. That also
//!   refuses an entry whose patterns match everything, for a tool whose every call feeds the dimension; nothing is lost by writing
//!   those patterns in the grant.
//! - The tool feeds it nothing: an entry that restricts it covers no call of the tool.
//!
//! A grant that can permit no call of a tool (it leaves out a dimension that must be named, or restricts one that the tool does not
//! feed) must still be about a tool that an entry names, since naming makes a tool visible.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde_json::Value;

use super::{Containment, Effort, MAX_EFFORT, within};
use crate::fault::FieldFault;
use crate::matching::{Canonical, Pattern};
use crate::selector;
use crate::source::{Dimension, Grant, Match, ResourceType, Tool, WhenUnset};
use crate::validate::validate_grants;

/// How much work one list of grants may be, in comparisons of the largest sort.
const MAX_COMPARISONS: usize = 2;

/// One entry of a boundary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ceiling {
    /// The names of the resource types that it is about.
    pub resource_types: Vec<String>,
    /// As in a [`Grant`].
    pub operations: Vec<String>,
    /// As in a [`Grant`].
    pub tools: Vec<String>,
    /// As in a [`Grant`].
    pub scope: BTreeMap<String, Vec<Value>>,
}

impl Ceiling {
    fn is_for(&self, resource_type: &ResourceType) -> bool {
        self.resource_types.contains(&resource_type.name)
    }

    fn as_grant(&self) -> Grant {
        Grant {
            operations: self.operations.clone(),
            tools: self.tools.clone(),
            scope: self.scope.clone(),
            ..Grant::default()
        }
    }
}

/// Where one grant permits more calls of a tool than another.
#[derive(Debug, Clone, PartialEq)]
pub struct Excess {
    /// In which dimension.
    pub dimension: String,
    /// What is beyond.
    pub outside: Outside,
}

/// What is beyond a ceiling.
#[derive(Debug, Clone, PartialEq)]
pub enum Outside {
    /// This value: the smallest that is permitted and should not be.
    Value(Value),
    /// The grant leaves the dimension open, and the ceiling does not.
    Open,
    /// The ceiling does not mention the dimension, which must be mentioned (`whenUnset: Deny`), and so permits no call.
    Unmentioned,
    /// The ceiling restricts the dimension, the tool feeds it nothing, and so no call of it is permitted.
    Unfed,
    /// It is not known whether anything is.
    Unknown(String),
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dimension = &self.dimension;
        match &self.outside {
            Outside::Value(Value::String(text)) => write!(f, "{dimension} {text} is beyond it"),
            Outside::Value(value) => write!(f, "{dimension} {value} is beyond it"),
            Outside::Open => write!(f, "{dimension} is left open, and it restricts it"),
            Outside::Unmentioned => write!(f, "it says nothing of {dimension}, and so permits no call"),
            Outside::Unfed => write!(
                f,
                "it restricts {dimension}, of which calls of the tool say nothing"
            ),
            Outside::Unknown(why) => write!(f, "{dimension} cannot be shown to be within it: {why}"),
        }
    }
}

/// Where `granted` permits calls of the tool that `ceiling`, as a grant, does not permit as far as scopes go; nothing if nowhere. Both must
/// cover the tool by name.
pub fn beyond(dimensions: &[Dimension], tool: &Tool, ceiling: &Grant, granted: &Grant) -> Option<Excess> {
    let mut effort = Effort::of(MAX_EFFORT);
    excess(
        dimensions,
        tool,
        ceiling,
        granted,
        |dimension, ceiling, granted| within(&dimension.matching, ceiling, granted, &mut effort),
    )
}

/// [`beyond`] with a way to compare patterns.
pub(crate) fn excess(
    dimensions: &[Dimension],
    tool: &Tool,
    ceiling: &Grant,
    granted: &Grant,
    mut compare: impl FnMut(&Dimension, &[Value], &[Value]) -> Containment,
) -> Option<Excess> {
    if dimensions
        .iter()
        .any(|dimension| closed(granted, dimension, tool).is_some())
    {
        return None;
    }
    let outside = |dimension: &Dimension, outside| Excess {
        dimension: dimension.name.clone(),
        outside,
    };
    let shut = dimensions
        .iter()
        .find_map(|dimension| Some(outside(dimension, closed(ceiling, dimension, tool)?)));
    let scopes = |dimension: &Dimension| {
        let (ceiling, granted) = (
            ceiling.scope.get(&dimension.name),
            granted.scope.get(&dimension.name),
        );
        let beyond = match (ceiling?, granted) {
            (_, None) => Outside::Open,
            (ceiling, Some(granted)) => match compare(dimension, ceiling, granted) {
                Containment::Contained => return None,
                Containment::Exceeds { example } => Outside::Value(example),
                Containment::Undecided { why } => Outside::Unknown(why),
            },
        };
        Some(outside(dimension, beyond))
    };
    shut.or_else(|| dimensions.iter().find_map(scopes))
}

/// Why a grant permits no call of the tool, if that is because of what it says of the dimension, or does not say.
pub(crate) fn closed(grant: &Grant, dimension: &Dimension, tool: &Tool) -> Option<Outside> {
    let applies = matches!(dimension.matching, Match::Cel {})
        || tool.scope.iter().any(|feed| feed.dimension == dimension.name);
    match grant.scope.get(&dimension.name) {
        Some(_) => (!applies).then_some(Outside::Unfed),
        None => (applies && dimension.when_unset == WhenUnset::Deny).then_some(Outside::Unmentioned),
    }
}

/// What of the grants is not within the boundary, with the smallest example. Fields begin with `grants[i]`.
pub fn exceeding(resource_type: &ResourceType, boundary: &[Ceiling], grants: &[Grant]) -> Vec<FieldFault> {
    let entries = boundary
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.is_for(resource_type));
    let judge = Judge {
        resource_type,
        entries: entries.map(|(place, entry)| (place, entry.as_grant())).collect(),
    };
    let mut effort = Effort::of(MAX_EFFORT.saturating_mul(MAX_COMPARISONS));
    let mut faults = Vec::new();
    for (place, grant) in grants.iter().enumerate() {
        let mut known = Known::default();
        let covered = resource_type
            .tools
            .iter()
            .filter(|tool| selector::covers(grant, tool));
        let found = covered.filter_map(|tool| judge.fault(tool, grant, &mut known, &mut effort));
        faults.extend(
            found.map(|(field, message)| FieldFault::new(format!("grants[{place}]{field}"), message)),
        );
    }
    faults.sort();
    faults.dedup_by(|left, right| left.field == right.field);
    faults
}

/// What of a grant was compared already.
#[derive(Default)]
struct Known {
    /// By entry and dimension.
    each: HashMap<(usize, String), Containment>,
    /// By the entries that are taken together, and dimension.
    together: HashMap<(Vec<usize>, String), Containment>,
}

struct Judge<'a> {
    resource_type: &'a ResourceType,
    /// The entries that are about the type, with their places in the boundary.
    entries: Vec<(usize, Grant)>,
}

impl Judge<'_> {
    /// Why a grant of a tool is not within any entry: the rest of the field, and the message.
    fn fault(
        &self,
        tool: &Tool,
        grant: &Grant,
        known: &mut Known,
        effort: &mut Effort,
    ) -> Option<(String, String)> {
        let mut found = Vec::new();
        for (place, entry) in self
            .entries
            .iter()
            .filter(|(_, entry)| selector::covers(entry, tool))
        {
            let compare = |dimension: &Dimension, ceiling: &[Value], granted: &[Value]| {
                let answer = known.each.entry((*place, dimension.name.clone()));
                let answer = answer.or_insert_with(|| bounded(dimension, ceiling, granted, effort));
                answer.clone()
            };
            found.push((
                *place,
                entry,
                excess(&self.resource_type.dimensions, tool, entry, grant, compare)?,
            ));
        }
        let Some((place, excess)) = found
            .iter()
            .map(|(place, _, excess)| (place, excess))
            .min_by_key(|(_, excess)| distance(excess))
        else {
            let message = format!(
                "tool {} (operation {}) is beyond the workspace's boundary, where no entry names it for {}; take it out of the grant, or widen spec.boundary of the Workspace",
                tool.name, tool.operation, self.resource_type.name
            );
            return Some((String::new(), message));
        };
        let open = found.iter().filter(|(_, _, excess)| distance(excess) < SHUT);
        let entries: Vec<(usize, &Grant)> = open.map(|(place, entry, _)| (*place, *entry)).collect();
        let everywhere = (entries.len() > 1)
            .then(|| self.beyond_all(grant, &excess.dimension, &entries, (known, effort)))
            .flatten();
        let (which, excess) = match everywhere {
            Some(excess) => ("every entry".to_owned(), excess),
            None => (format!("entry {place}"), excess.clone()),
        };
        Some(told(
            tool,
            self.dimension(&excess.dimension),
            grant,
            &which,
            &excess,
        ))
    }

    fn dimension(&self, name: &str) -> Option<&Dimension> {
        self.resource_type
            .dimensions
            .iter()
            .find(|dimension| dimension.name == name)
    }

    /// A value of a dimension that the grant permits and none of the entries does.
    fn beyond_all(
        &self,
        grant: &Grant,
        name: &str,
        entries: &[(usize, &Grant)],
        (known, effort): (&mut Known, &mut Effort),
    ) -> Option<Excess> {
        let dimension = self.dimension(name)?;
        let granted = grant.scope.get(name)?;
        let ceilings: Option<Vec<_>> = entries.iter().map(|(_, entry)| entry.scope.get(name)).collect();
        let all: Vec<Value> = ceilings?.into_iter().flatten().cloned().collect();
        let places = entries.iter().map(|(place, _)| *place).collect();
        let answer = known.together.entry((places, name.to_owned()));
        match answer.or_insert_with(|| bounded(dimension, &all, granted, effort)) {
            Containment::Exceeds { example } => Some(Excess {
                dimension: name.to_owned(),
                outside: Outside::Value(example.clone()),
            }),
            Containment::Contained | Containment::Undecided { .. } => None,
        }
    }
}

/// How far a grant is from being within an entry, to tell of the nearest.
fn distance(excess: &Excess) -> u8 {
    match excess.outside {
        Outside::Value(_) => 0,
        Outside::Unknown(_) => 1,
        Outside::Open => 2,
        Outside::Unmentioned | Outside::Unfed => SHUT,
    }
}

/// Of an entry that permits no call of the tool at all.
const SHUT: u8 = 3;

/// The rest of the field, and the message.
fn told(
    tool: &Tool,
    dimension: Option<&Dimension>,
    grant: &Grant,
    which: &str,
    excess: &Excess,
) -> (String, String) {
    let name = &excess.dimension;
    let field = match &excess.outside {
        Outside::Value(example) => {
            let matching =
                dimension.and_then(|dimension| matching(dimension, grant.scope.get(name)?, example));
            let place = matching.map(|place| format!("[{place}]")).unwrap_or_default();
            format!(".scope.{name}{place}")
        }
        Outside::Unknown(_) => format!(".scope.{name}"),
        Outside::Open | Outside::Unmentioned | Outside::Unfed => ".scope".to_owned(),
    };
    let message = format!(
        "is not within the workspace's boundary ({which} that names tool {}: {excess}); narrow the grant, or widen spec.boundary of the Workspace",
        tool.name
    );
    (field, message)
}

/// The place of the pattern that matches an example.
fn matching(dimension: &Dimension, patterns: &[Value], example: &Value) -> Option<usize> {
    let value = Canonical::read(&dimension.matching, example).ok()?;
    patterns.iter().position(|pattern| {
        Pattern::compile(&dimension.matching, pattern).is_ok_and(|pattern| pattern.matches(&value))
    })
}

/// One comparison, with its share of the work.
pub(crate) fn bounded(
    dimension: &Dimension,
    ceiling: &[Value],
    granted: &[Value],
    effort: &mut Effort,
) -> Containment {
    let mut part = effort.part(MAX_EFFORT);
    let answer = within(&dimension.matching, ceiling, granted, &mut part);
    effort.give_back(&part);
    answer
}

/// What is wrong with an entry of a boundary, under one of the types that it names. Fields are relative to the entry.
pub fn validate_boundary(resource_type: &ResourceType, entry: &Ceiling) -> Vec<FieldFault> {
    // A name that one type does not know may be another type's.
    let of_names =
        |field: &str| field.starts_with("operations") || field.starts_with("tools") || field.is_empty();
    let shared = entry.resource_types.len() > 1;
    validate_grants(resource_type, &[entry.as_grant()])
        .into_iter()
        .map(|fault| {
            let field = fault.field.strip_prefix("grants[0]").unwrap_or(&fault.field);
            FieldFault::new(field.strip_prefix('.').unwrap_or(field), fault.message)
        })
        .filter(|fault| !(shared && of_names(&fault.field)))
        .collect()
}
