//! Something to say about a grant.

use monstrum_crds::object::Kind;
use serde::Serialize;

use crate::files::Manifest;
use crate::policy::Problem;

/// Something to say about a grant, or about an object that is refused with its grants. The names are API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    pub(super) level: Level,
    /// The rule's name, for example `dead-grant`.
    pub(super) rule: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) bot: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) grant: String,
    /// What is refused, such as `BotBinding team-a/reader`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) object: String,
    pub(super) message: String,
    /// Where in the grant, for example `.scope.repository`.
    #[serde(skip)]
    pub(super) field: String,
    /// `file:line:column`, if the grant came from a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Level {
    /// Very likely not what was meant.
    Warning,
    /// Worth a look.
    Note,
}

impl Finding {
    /// What takes grants away before they can be looked at: a pattern that matches nothing, for example.
    pub(super) fn of_problem(problem: &Problem) -> Self {
        let place = problem.place.as_ref();
        Self {
            level: Level::Warning,
            rule: "refused",
            bot: String::new(),
            grant: String::new(),
            object: problem.object.clone(),
            message: match problem.field.as_str() {
                "" => problem.message.clone(),
                field => format!("{field}: {}", problem.message),
            },
            field: String::new(),
            place: place.map(|place| place.0.position()),
        }
    }

    /// What it is about.
    pub(super) fn subject(&self) -> String {
        if self.object.is_empty() {
            format!("bot {}, grant {}", self.bot, self.grant)
        } else {
            self.object.clone()
        }
    }

    /// Finds the grant in the files: `binding/reader#0` is `spec.grants[0]` of the binding `reader`.
    pub(super) fn locate(&mut self, manifests: &[Manifest]) {
        let Some((holder, place)) = self.grant.split_once('#') else {
            return;
        };
        let Some((kind, name)) = holder.split_once('/') else {
            return;
        };
        let kind = if kind == "role" {
            Kind::BotRole
        } else {
            Kind::BotBinding
        };
        let namespace = self.bot.split('/').next();
        let found = manifests.iter().find(|manifest| {
            let meta = manifest.object.meta();
            manifest.object.kind() == kind
                && manifest.object.name() == name
                && meta.namespace.as_deref() == namespace
        });
        let field = format!("spec.grants[{place}]{}", self.field);
        self.place = found.map(|manifest| manifest.spot(&field).position());
    }
}
