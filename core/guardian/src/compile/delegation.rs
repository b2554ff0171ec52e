//! Delegations in one form. What is wrong with one is left out, which only narrows.

use std::sync::Arc;

use crate::fault::FieldFault;
use crate::source::{BotName, Delegable, DelegableSource, Delegation, DelegationSource};
use crate::validate::{validate_grants, validate_resource_type};

/// The delegations ordered by bot, without those that are not right.
pub(super) fn normal(
    bot: &BotName,
    delegations: &[DelegationSource],
    faults: &mut Vec<FieldFault>,
) -> Vec<Delegation> {
    let mut normal: Vec<_> = delegations
        .iter()
        .enumerate()
        .filter_map(|(place, delegation)| {
            let field = format!("delegations[{place}]");
            let twice = delegations
                .iter()
                .filter(|other| other.to == delegation.to)
                .count()
                > 1;
            let wrong = match (delegation.to == *bot, twice) {
                (true, _) => Some("a bot can't delegate to itself; name another bot"),
                (_, true) => Some("there are two delegations to this bot; remove one"),
                (false, false) => None,
            };
            if let Some(message) = wrong {
                faults.push(FieldFault::new(format!("{field}.to"), message));
                return None;
            }
            let delegable = delegation.delegable.as_ref();
            Some(Delegation {
                to: delegation.to.clone(),
                delegable: delegable.map(|delegable| all(delegable, &field, faults)),
            })
        })
        .collect();
    normal.sort_by(|left, right| left.to.cmp(&right.to));
    normal
}

fn all(delegable: &[DelegableSource], field: &str, faults: &mut Vec<FieldFault>) -> Vec<Delegable> {
    let mut normal = Vec::new();
    for (place, item) in delegable.iter().enumerate() {
        let mut found = validate_resource_type(&item.resource_type);
        for fault in &mut found {
            fault.field.insert_str(0, "resourceType.");
        }
        found.extend(validate_grants(&item.resource_type, &item.grants));
        if delegable
            .iter()
            .filter(|other| other.resource == item.resource)
            .count()
            > 1
        {
            let message = format!("{} is named twice; write its grants in one place", item.resource);
            found.push(FieldFault::new("resource", message));
        }
        if found.is_empty() {
            normal.push(one(item));
        }
        faults.extend(found.into_iter().map(|fault| FieldFault {
            field: format!("{field}.delegable[{place}].{}", fault.field),
            ..fault
        }));
    }
    normal.sort_by(|left, right| left.resource.cmp(&right.resource));
    normal
}

fn one(source: &DelegableSource) -> Delegable {
    let resource_type = Arc::as_ref(&source.resource_type);
    let (dimensions, tools, grants) = super::normal(resource_type, &source.grants);
    Delegable {
        resource: source.resource.clone(),
        resource_type: resource_type.name.clone(),
        dimensions,
        tools,
        grants,
    }
}
