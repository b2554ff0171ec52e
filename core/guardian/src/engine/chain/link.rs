//! One bot above the last one of a chain.

use super::is_same;
use crate::decision::{Facts, LinkTrace, Permit, Verdict};
use crate::document::Binding;
use crate::engine::Engine;
use crate::engine::check::{CheckError, weightier};
use crate::engine::delegation::{Holding, LoadedDelegation};
use crate::engine::reading::Reading;
use crate::source::{BotName, Tool};

/// A bot with its delegation to the next one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link<'a> {
    pub(super) engine: &'a Engine,
    delegation: &'a LoadedDelegation,
}

/// For people.
pub(super) fn title(bot: &BotName) -> String {
    format!("bot {}/{}", bot.namespace, bot.name)
}

impl<'a> Link<'a> {
    /// Names of resources are those of one namespace, so that bots of two can't hand anything on.
    pub(super) fn between(engine: &'a Engine, next: &Engine) -> Result<Self, CheckError> {
        let refused = |why: &str| {
            let (from, to) = (title(engine.bot()), title(next.bot()));
            CheckError::NotDelegated(format!("{from} {why} {to}"))
        };
        if engine.bot().namespace != next.bot().namespace {
            return Err(refused("is in another namespace than"));
        }
        let delegation = engine
            .delegation(next.bot())
            .ok_or_else(|| refused("does not delegate to"))?;
        Ok(Self { engine, delegation })
    }

    /// Its holdings of exactly this tool of this resource.
    pub(super) fn holdings(&self, binding: &Binding, tool: &Tool) -> Vec<Holding<'a>> {
        let mut holdings = self.engine.handed_on(self.delegation, &binding.resource);
        holdings.retain(|holding| {
            is_same(binding, holding.binding) && holding.binding.tools.get(holding.entry.tool) == Some(tool)
        });
        holdings
    }

    /// Its own verdict on what the last bot's call was read as: permitted by one whole grant, and whether a person must agree.
    pub(super) fn cover(&self, call: &Reading<'_>, facts: &Facts) -> Result<(Permit, bool), CheckError> {
        let mut asking = None;
        let mut refused = None;
        for holding in self.holdings(call.binding, call.tool) {
            match self.engine.permit(call.through(holding)?, facts) {
                Ok(Verdict::Allow(permit)) => return Ok((*permit, false)),
                Ok(Verdict::NeedsApproval(permit)) => asking = asking.or(Some(permit)),
                Ok(Verdict::Deny(_)) => return Err(CheckError::Internal),
                Err(error) => refused = Some(weightier(refused, error)),
            }
        }
        match asking {
            Some(permit) => Ok((*permit, true)),
            None => Err(self.told(refused)),
        }
    }

    /// Which bot stopped the call.
    fn told(&self, error: Option<CheckError>) -> CheckError {
        let bot = title(self.engine.bot());
        match error {
            Some(CheckError::QuotaExceeded(message)) => {
                CheckError::QuotaExceeded(format!("{bot}, which delegated the call: {message}"))
            }
            Some(CheckError::NotValidNow) => CheckError::NotValidNow,
            Some(CheckError::Internal) => CheckError::Internal,
            _ => CheckError::NotDelegated(format!(
                "{bot} can't hand this call on: none of its grants covers it"
            )),
        }
    }

    pub(super) fn trace(&self, covered: &Result<(Permit, bool), CheckError>) -> LinkTrace {
        LinkTrace {
            bot: self.engine.bot().clone(),
            grant: covered.as_ref().ok().map(|(permit, _)| permit.grant.clone()),
            needs_approval: covered.as_ref().is_ok_and(|(_, asks)| *asks),
            stopped_by: covered.as_ref().err().map(ToString::to_string),
        }
    }
}
