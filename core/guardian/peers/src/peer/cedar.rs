//! Cedar: one `permit` for each policy over a context that is built from the arguments; first what tells most policies
//! apart.

use std::fmt::Write as _;
use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, RestrictedExpression,
};
use serde_json::Value;

use super::Peer;

pub(super) struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    principal: EntityUid,
    action: EntityUid,
    resource: EntityUid,
}

impl Cedar {
    pub(super) fn new(policies: usize) -> Self {
        let uid = |text: &str| EntityUid::from_str(text).unwrap_or_else(|error| panic!("an entity: {error}"));
        Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(&source(policies))
                .unwrap_or_else(|error| panic!("parses: {error}")),
            entities: Entities::empty(),
            principal: uid(r#"Bot::"bench""#),
            action: uid(r#"Action::"run""#),
            resource: uid(r#"Resource::"bench""#),
        }
    }
}

fn source(policies: usize) -> String {
    let mut source = String::new();
    for number in 0..policies {
        let most = 100 + number;
        write!(
            source,
            r#"permit(principal == Bot::"bench", action == Action::"run", resource == Resource::"bench") when {{
                context.path like "/srv/s{number:05}/*" && context.limit >= 1 && context.limit <= {most}
                && context.command like "deploy s{number:05} *" && context.host like "*.s{number:05}.example.com"
            }};"#
        )
        .unwrap_or_else(|error| panic!("writes: {error}"));
    }
    source
}

/// Quicker than `Context::from_json_str`, which looks for entities and extension values.
fn context(arguments: &str) -> Option<Context> {
    let Value::Object(fields) = serde_json::from_str(arguments).ok()? else {
        return None;
    };
    let pairs = fields.into_iter().map(|(name, value)| {
        let value = match value {
            Value::String(text) => RestrictedExpression::new_string(text),
            Value::Number(number) => RestrictedExpression::new_long(number.as_i64()?),
            Value::Bool(flag) => RestrictedExpression::new_bool(flag),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some((name, value))
    });
    Context::from_pairs(pairs.collect::<Option<Vec<_>>>()?).ok()
}

impl Peer for Cedar {
    fn permits(&mut self, arguments: &str) -> bool {
        let Some(context) = context(arguments) else {
            return false;
        };
        let request = Request::new(
            self.principal.clone(),
            self.action.clone(),
            self.resource.clone(),
            context,
            None,
        );
        request.is_ok_and(|request| {
            let answer = self
                .authorizer
                .is_authorized(&request, &self.policies, &self.entities);
            answer.decision() == Decision::Allow
        })
    }
}
