//! What a call says, read once: the only place where its text is parsed.

use serde_json::Value;

use super::Engine;
use super::binding::{LoadedBinding, LoadedTool};
use super::check::CheckError;
use super::delegation::Holding;
use crate::decision::{ByDimension, Call};
use crate::document::Binding;
use crate::matching::Values;
use crate::source::Tool;
use crate::strict_json::{self, ARGUMENTS};

/// A call of a tool that exists, with arguments of the declared form.
#[derive(Debug, Clone)]
pub(super) struct Reading<'a> {
    pub(super) loaded: &'a LoadedBinding,
    pub(super) entry: &'a LoadedTool,
    pub(super) binding: &'a Binding,
    pub(super) tool: &'a Tool,
    /// With canonical forms put in place.
    pub(super) arguments: Value,
    /// By the place of the dimension in the tool's list of fed dimensions.
    pub(super) values: ByDimension,
}

impl Engine {
    /// The tool that the call names.
    pub(super) fn entry(
        &self,
        name: &str,
    ) -> Result<(&LoadedTool, &LoadedBinding, &Binding, &Tool), CheckError> {
        if self.digest.is_empty() {
            return Err(CheckError::NoPolicy);
        }
        let entry = self.tools.get(name).ok_or(CheckError::UnknownTool)?;
        let binding = self.document.bindings.get(entry.binding);
        let tool = binding.and_then(|binding| binding.tools.get(entry.tool));
        match (self.bindings.get(entry.binding), binding, tool) {
            (Some(loaded), Some(binding), Some(tool)) => Ok((entry, loaded, binding, tool)),
            _ => Err(CheckError::Internal),
        }
    }

    /// Parses, validates and makes canonical.
    pub(super) fn read(&self, call: &Call<'_>) -> Result<Reading<'_>, CheckError> {
        let (entry, loaded, binding, tool) = self.entry(call.tool)?;
        let mut arguments = strict_json::object(call.arguments, ARGUMENTS)
            .map_err(|error| CheckError::Malformed(error.to_string()))?;
        entry.parameters.check(&arguments).map_err(CheckError::Invalid)?;
        let values = entry.read_values(&mut arguments)?;
        Ok(Reading {
            loaded,
            entry,
            binding,
            tool,
            arguments,
            values,
        })
    }
}

impl<'a> Reading<'a> {
    /// The same call, as it is judged by another bot's grants: nothing of its text is read again. Fails when the contracts differ.
    pub(super) fn through(&self, holding: Holding<'a>) -> Result<Reading<'a>, CheckError> {
        let Holding {
            binding,
            loaded,
            entry,
        } = holding;
        let tool = binding.tools.get(entry.tool).ok_or(CheckError::Internal)?;
        if binding.dimensions != self.binding.dimensions || tool != self.tool {
            return Err(CheckError::OutOfScope);
        }
        let values = entry.fed.iter().map(|dimension| {
            let slot = self.entry.fed.iter().position(|fed| fed == dimension);
            let values = slot.and_then(|slot| self.values.get(slot));
            values.cloned().ok_or(CheckError::Internal)
        });
        Ok(Reading {
            loaded,
            entry,
            binding,
            tool,
            arguments: self.arguments.clone(),
            values: values.collect::<Result<_, _>>()?,
        })
    }
}

impl LoadedTool {
    fn read_values(&self, arguments: &mut Value) -> Result<ByDimension, CheckError> {
        let mut read = ByDimension::new();
        let mut rewritten = false;
        for place in &self.reading_order {
            let feed = self.feeds.get(*place).ok_or(CheckError::Internal)?;
            let values = feed.read(arguments, &mut rewritten);
            read.push(values.map_err(|error| CheckError::NotCanonical(error.to_string()))?);
        }
        if rewritten {
            self.parameters.check(arguments).map_err(CheckError::Invalid)?;
        }
        // Where no dimension is fed twice, `fed` is in the order of reading.
        if self.fed.len() == self.feeds.len() {
            Ok(read)
        } else {
            self.joined(read)
        }
    }

    /// What was read in the order of reading, put together by dimension in the order that the tool declares.
    fn joined(&self, read: ByDimension) -> Result<ByDimension, CheckError> {
        let mut by_feed: Vec<_> = self.reading_order.iter().zip(read).collect();
        by_feed.sort_by_key(|(feed, _)| **feed);
        let mut values: ByDimension = self.fed.iter().map(|_| Values::new()).collect();
        for (feed, read) in by_feed {
            let feed = self.feeds.get(*feed).ok_or(CheckError::Internal)?;
            let slot = self.fed.iter().position(|dimension| *dimension == feed.dimension);
            match slot.and_then(|slot| values.get_mut(slot)) {
                Some(list) => list.extend(read),
                None => return Err(CheckError::Internal),
            }
        }
        Ok(values)
    }
}
