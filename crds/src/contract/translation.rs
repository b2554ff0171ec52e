//! From the custom resource's words to the engine's. They are nearly the same words.

use kube::ResourceExt as _;
use monstrum_contract::tool::{Feed, FeedFrom, Risk, Tool};
use monstrum_guardian::source;

use crate::kinds::ResourceType;
use crate::kinds::resource_type::{Dimension, Match, Unit, WhenUnset};

pub(super) fn resource_type(object: &ResourceType) -> source::ResourceType {
    source::ResourceType {
        name: object.name_any(),
        executor: object.spec.executor.clone(),
        dimensions: object.spec.dimensions.iter().map(dimension).collect(),
        tools: object.spec.tools.iter().map(tool).collect(),
    }
}

fn dimension(dimension: &Dimension) -> source::Dimension {
    source::Dimension {
        name: dimension.name.clone(),
        matching: matching(&dimension.matching),
        when_unset: match dimension.when_unset {
            None | Some(WhenUnset::Deny) => source::WhenUnset::Deny,
            Some(WhenUnset::Allow) => source::WhenUnset::Allow,
        },
        description: dimension.description.clone().unwrap_or_default(),
    }
}

fn matching(matching: &Match) -> source::Match {
    match matching {
        Match::Exact {} => source::Match::Exact {},
        Match::Enum { values } => source::Match::Enum {
            values: values.clone(),
        },
        Match::Glob { separator } => source::Match::Glob {
            separator: *separator,
        },
        Match::Path {} => source::Match::Path {},
        Match::Host {} => source::Match::Host {},
        Match::Url {} => source::Match::Url {},
        Match::Command {} => source::Match::Command {},
        Match::Range { unit } => source::Match::Range {
            unit: match unit {
                None | Some(Unit::Number) => source::Unit::Number,
                Some(Unit::Duration) => source::Unit::Duration,
                Some(Unit::Bytes) => source::Unit::Bytes,
            },
        },
        Match::Regex {} => source::Match::Regex {},
        Match::Cel {} => source::Match::Cel {},
    }
}

fn tool(tool: &Tool) -> source::Tool {
    source::Tool {
        name: tool.name.clone(),
        description: tool.description.clone(),
        operation: tool.operation.clone(),
        parameters: tool.parameters.clone(),
        scope: tool.scope.iter().map(feed).collect(),
        risk: risk(tool.risk.unwrap_or_default()),
        idempotent: tool.idempotent,
        execution: tool.execution(),
    }
}

fn feed(feed: &Feed) -> source::Feed {
    source::Feed {
        dimension: feed.dimension.clone(),
        from: match &feed.from {
            FeedFrom::Pointer(pointer) => source::FeedFrom::Pointer(pointer.clone()),
            FeedFrom::Template(template) => source::FeedFrom::Template(template.clone()),
        },
    }
}

pub(crate) fn risk(risk: Risk) -> source::Risk {
    match risk {
        Risk::Low => source::Risk::Low,
        Risk::Medium => source::Risk::Medium,
        Risk::High => source::Risk::High,
    }
}
