//! Problems that only follow from other problems are not told: one fault, one message.

use std::collections::BTreeSet;

use monstrum_crds::object::Kind;

use crate::policy::Problem;

/// What is known to be wrong already.
#[derive(Debug, Default)]
pub(super) struct Cascade {
    /// Objects that could not be read, as messages name them: `Bot "triage"`.
    unread: BTreeSet<String>,
}

impl Cascade {
    /// An object that is in the files and could not be read: it is not missing.
    pub(super) fn unread(&mut self, kind: Kind, name: &str) {
        self.unread.insert(format!("{kind} {name:?}"));
    }

    /// Takes out of `semantic` what follows from another problem in it or from `structural`.
    pub(super) fn thin(&self, structural: &[Problem], semantic: &mut Vec<Problem>) {
        let mut faulty = self.unread.clone();
        faulty.extend(structural.iter().chain(&*semantic).filter_map(mention));
        semantic.retain(|problem| {
            let is_told = structural
                .iter()
                .any(|told| told.object == problem.object && overlap(&told.field, &problem.field));
            let named = |name: &String| problem.message.contains(name.as_str());
            let follows = match problem.reason.as_str() {
                "NotFound" => self.unread.iter().any(named),
                "RefInvalid" => faulty.iter().any(named),
                _ => false,
            };
            !is_told && !follows
        });
    }
}

/// `Resource default/work` as messages name it.
fn mention(problem: &Problem) -> Option<String> {
    let (kind, name) = problem.object.split_once(' ')?;
    let name = name.rsplit('/').next()?;
    Some(format!("{kind} {name:?}"))
}

/// Whether one field is the other or holds it.
fn overlap(left: &str, right: &str) -> bool {
    let within = |outer: &str, inner: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    within(left, right) || within(right, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(object: &str, field: &str, message: &str, reason: &str) -> Problem {
        Problem {
            object: object.to_owned(),
            field: field.to_owned(),
            message: message.to_owned(),
            reason: reason.to_owned(),
            place: None,
        }
    }

    #[test]
    fn what_follows_from_another_fault_is_not_told() {
        let mut cascade = Cascade::default();
        cascade.unread(Kind::Bot, "triage");
        let structural = [problem("Resource team/work", "spec.type", "is missing", "Schema")];
        let binding = "BotBinding team/reader";
        let mut semantic = vec![
            problem(
                binding,
                "spec.bot",
                "there is no Bot \"triage\" in this namespace",
                "NotFound",
            ),
            problem(
                binding,
                "spec.resource",
                "Resource \"work\" can't be used (…)",
                "RefInvalid",
            ),
            problem(
                "Resource team/work",
                "spec.type",
                "there is no ResourceType \"\"",
                "NotFound",
            ),
            problem(
                binding,
                "spec.roles[0]",
                "there is no BotRole \"x\" in this namespace",
                "NotFound",
            ),
            problem(
                binding,
                "spec.resource",
                "Resource \"other\" can't be used (…)",
                "RefInvalid",
            ),
        ];
        cascade.thin(&structural, &mut semantic);
        let left: Vec<&str> = semantic.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            left,
            [
                "there is no BotRole \"x\" in this namespace",
                "Resource \"other\" can't be used (…)"
            ]
        );
    }
}
