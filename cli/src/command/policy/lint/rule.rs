//! The rules.

mod breadth;
mod command;
mod effect;
mod shadow;
mod unfed;

use monstrum_guardian::comparison::Work;
use monstrum_guardian::covers;
use monstrum_guardian::source::{BindingSource, Grant, Tool};

use super::finding::{Finding, Level};
use crate::policy::BotPolicy;

/// A grant with everything that a rule may look at.
#[derive(Clone, Copy)]
struct Subject<'a> {
    policy: &'a BotPolicy,
    binding: &'a BindingSource,
    grant: &'a Grant,
}

/// What every rule has to say about one bot.
pub(super) fn findings(policy: &BotPolicy) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut work = Work::default();
    for binding in &policy.source.bindings {
        for grant in &binding.grants {
            let subject = Subject {
                policy,
                binding,
                grant,
            };
            findings.extend(effect::findings(subject));
            findings.extend(shadow::findings(subject, &mut work));
            findings.extend(breadth::findings(subject));
            findings.extend(command::findings(subject));
            findings.extend(unfed::findings(subject));
        }
    }
    findings
}

impl Subject<'_> {
    fn says(&self, level: Level, rule: &'static str, field: impl Into<String>, message: String) -> Finding {
        Finding {
            level,
            rule,
            bot: self.policy.title(),
            grant: self.grant.origin.clone(),
            object: String::new(),
            message,
            field: field.into(),
            place: None,
        }
    }

    /// The tools of the type that this grant alone makes visible.
    fn covered(&self) -> Vec<&Tool> {
        let tools = self.binding.resource_type.tools.iter();
        tools.filter(|tool| covers(self.grant, tool)).collect()
    }
}
