//! What the engine is asked and what it answers.

mod admission;
mod canonical;
mod counter;
mod name;
mod trace;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::source::Risk;

pub use admission::{Admission, Estimate};
pub(crate) use canonical::ByDimension;
pub use canonical::CanonicalValues;
pub(crate) use counter::window_words;
pub use counter::{Counter, CounterKey, Reservation};
pub use name::Name;
pub use trace::{BudgetTrace, DimensionTrace, GrantTrace, LinkTrace, Trace};

/// A call as the model made it. The text is parsed here, once, strictly; nobody else parses it.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The tool name as the model knows it, prefix included.
    pub tool: &'a str,
    /// The arguments, a JSON object as text.
    pub arguments: &'a str,
}

/// What the engine may know beyond the call: handed in, since it has no clock and no memory.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The present.
    pub now: jiff::Timestamp,
    /// How much of each quota and budget is used (settled and reserved). One that is absent here is unknown, and denies;
    /// [`Engine::counters_of_calls`](crate::Engine::counters_of_calls) and
    /// [`Engine::counters_of_requests`](crate::Engine::counters_of_requests) say which are needed.
    pub used: BTreeMap<CounterKey, u64>,
}

/// The answer, with how it came about.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The answer itself.
    pub verdict: Verdict,
    /// Why, for people; never shown to a model.
    pub trace: Trace,
}

/// Permitted, permitted if a person agrees, or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// One grant alone permits the call.
    Allow(Box<Permit>),
    /// One grant alone permits the call, and asks for a person's agreement first.
    NeedsApproval(Box<Permit>),
    /// Everything else.
    Deny(Denial),
}

/// What exactly is permitted: all that an executor, an approval or a record may use of the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permit {
    /// The binding's name; the policy document says the rest.
    pub binding: Name,
    /// The tool's own name, without prefix.
    pub tool: Name,
    /// For example `issue.read`.
    pub operation: Name,
    /// How much harm it can do.
    pub risk: Risk,
    /// The origin of the grant that permits.
    pub grant: Name,
    /// The arguments after strict parsing, with canonical forms put in place. Serialised again, it is what is executed.
    pub arguments: Value,
    /// Canonical values by dimension, in the order that the tool feeds them. A command is an array of its words.
    pub canonical: CanonicalValues,
    /// What to reserve before the effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reserve: Vec<Reservation>,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Denial {
    /// The closed code: in records, metrics and tests.
    pub reason: Reason,
    /// One sentence for people.
    pub message: Cow<'static, str>,
}

/// Why a call is denied. These names are API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Reason {
    /// No such tool in this bot's world. A forbidden tool and one that does not exist are the same.
    UnknownTool,
    /// The arguments are not one strict JSON object.
    MalformedArguments,
    /// The arguments break the tool's parameter schema, or carry something that it does not declare.
    InvalidArguments,
    /// A value has no canonical form (a command with an operator, a path that climbs, …).
    NotCanonical,
    /// No grant covers the operation and tool with all dimensions.
    OutOfScope,
    /// The grants that cover the call are not valid now.
    NotValidNow,
    /// A quota, budget or rate is used up or unknown.
    QuotaExceeded,
    /// A person must agree, and nobody could.
    ApprovalRequired,
    /// A bot above does not delegate it: not to this bot, not this call; or the chain is a circle or too long.
    NotDelegated,
    /// No policy, or one that is stale or does not load.
    NoPolicy,
    /// An error of ours: fail closed.
    Internal,
}
