//! One bot's gateway.
//!
//! A gateway holds a bot's conversations: it asks the model, lets the Guardian judge every tool call, records what is
//! about to happen, hands the call to a runner, and takes secrets out of what comes back. It has no Kubernetes client; all
//! it knows is the compiled policy that the operator streams to it.
//!
//! **Architecture invariant:** no policy, a lapsed lease, an unreachable ledger or an error anywhere denies.

pub mod args;
mod counters;
pub mod faces;
pub mod gateway;
pub mod ledger;
pub mod link;
pub mod metrics;
pub mod policy;
pub mod providers;
pub mod serve;
pub mod turn;
pub mod vault;
