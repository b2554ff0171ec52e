//! The policies that objects amount to, compiled here by the same pure functions as in the operator.

mod bot;
mod example;
mod granting;
mod pattern;
mod problem;
mod requirement;
mod world;

pub(crate) use bot::{BotPolicy, seen_name};
pub(crate) use example::calls;
pub(crate) use granting::{applies, granting};
pub(crate) use pattern::is_universal;
pub(crate) use problem::{Described, Problem};
pub(crate) use requirement::{Requirement, requirements};
pub(crate) use world::{
    Compiled, Input, from_cluster, from_input, from_objects, from_paths, read, within_cluster,
};
