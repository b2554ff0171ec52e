//! Files of objects, read so that every value knows its place in the text.

mod deserializer;
mod document;
mod error;
mod excerpt;
mod field;
mod manifest;
mod node;
mod secret;
mod source;
mod yaml;

pub(crate) use deserializer::read;
pub(crate) use document::Document;
pub(crate) use error::{InputError, Spot};
pub(crate) use excerpt::Excerpt;
pub(crate) use manifest::{Manifest, is_cluster_wide, title};
pub(crate) use node::{Node, Place};
pub(crate) use secret::Secret;
pub(crate) use source::{Source, collect, names_of, parse};
