//! The permission engine: what a bot may do, decided from data alone.
//!
//! Two questions, never one. [`Engine::tools`] answers *visible(bot, tool)* from names, operations and identity, before
//! the model is asked. [`Engine::check`] answers *permit(bot, call)* from everything, after the model has asked.
//!
//! Data flows one way: a [`source::BotSource`] (what the custom resources say) is compiled by [`compile()`] into a
//! [`document::Document`] (the policy that is digested and streamed), which [`Engine::load`] turns into matchers.
//!
//! A request to the model is a third question: [`Engine::admit`] says whether what it may use is within the budgets. A call that one bot
//! makes on behalf of others is decided by their [`Chain`].
//!
//! A call's arguments are parsed once, strictly. Where a dimension of kind `Path`, `Host` or `Url` is fed by a pointer, the canonical
//! form takes the argument's place in [`decision::Permit::arguments`]. A `Command` keeps its text there, and
//! [`decision::Permit::canonical`] holds its argv, which is what is executed. A `Range` keeps
//! its argument too; `canonical` holds the plain number, the seconds, or the bytes.
//!
//! **Architecture invariant:** this crate does no I/O and knows no clock, no randomness, no async runtime and no Kubernetes. The same input
//! gives the same bytes in an operator, a gateway, a command line and a test.

pub mod address;
pub mod comparison;
mod compile;
pub mod containment;
pub mod decision;
pub mod destination;
pub mod document;
mod engine;
mod expression;
mod fault;
mod feed;
mod matching;
mod naming;
mod parameters;
mod schema;
mod selector;
pub mod source;
mod strict_json;
pub mod template;
mod validate;

pub use compile::{Compilation, compile};
pub use engine::{Chain, Engine, LoadError, MAX_LINKS, VisibleTool};
pub use expression::Allowance;
pub use fault::{Fault, FieldFault, excerpt};
pub use matching::exact_pattern;
pub use schema::{Complaint, Schema, ignored_keywords};
pub use selector::covers;
pub use validate::{validate_budgets, validate_grants, validate_resource_type};
