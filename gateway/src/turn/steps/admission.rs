//! What a question to the model may use: reserved before it is sent, settled after it.

use monstrum_guardian::decision::{Admission, Denial, Estimate, Facts, Reason, Reservation};
use monstrum_wire::policy::Prices;

use crate::counters::{self, Spent};
use crate::ledger::LedgerError;
use crate::policy::Enforced;
use crate::providers::Models;
use crate::providers::conversation::{ModelRequest, Usage};
use crate::turn::context::Context;
use crate::turn::failure::Failure;
use crate::turn::records;

/// What a provider may add of its own to a request: its template, its words about tools.
const OWN_WORDS: u64 = 512;

/// A question that may be asked, with what is reserved for it.
#[derive(Debug)]
pub(super) struct Admitted {
    id: String,
    reserve: Vec<Reservation>,
}

impl Admitted {
    /// Replaces the reservation by what was used.
    pub(super) async fn settle(self, context: &Context, spent: Spent) {
        let gateway = &context.gateway;
        counters::settle(&gateway.ledger, &gateway.bot, &self.id, &self.reserve, spent).await;
    }
}

/// Whether a budget counts what the model uses.
pub(super) fn is_metered(policy: &Enforced) -> bool {
    !policy.engine.counters_of_requests().is_empty()
}

/// Asks the Guardian and reserves. A refusal is recorded, and told to the user.
pub(super) async fn admit(
    context: &Context,
    policy: &Enforced,
    step: u32,
    request: &ModelRequest<'_>,
) -> Result<Admitted, Failure> {
    let estimate = if request.metered {
        estimate(request)?
    } else {
        Estimate::default()
    };
    match reserved(context, policy, step, &estimate).await? {
        Ok(admitted) => {
            context.gateway.metrics.admission("allow", "");
            Ok(admitted)
        }
        Err(denial) => Err(refused(context, policy, request, &estimate, denial).await?),
    }
}

async fn reserved(
    context: &Context,
    policy: &Enforced,
    step: u32,
    estimate: &Estimate,
) -> Result<Result<Admitted, Denial>, Failure> {
    let (ledger, bot) = (&context.gateway.ledger, &context.gateway.bot);
    let facts = Facts {
        now: jiff::Timestamp::now(),
        used: counters::used(ledger, bot, policy.engine.counters_of_requests()).await?,
    };
    let reserve = match policy.engine.admit(estimate, &facts) {
        Admission::Admitted(reserve) => reserve,
        Admission::Denied(denial) => return Ok(Err(denial)),
    };
    let id = format!("{}.{step}.model", context.turn);
    match counters::reserve(ledger, bot, &id, &reserve, context.reservation_life()).await {
        Ok(()) => Ok(Ok(Admitted { id, reserve })),
        // Another request was faster.
        Err(LedgerError::Exhausted(message)) => Ok(Err(Denial {
            reason: Reason::QuotaExceeded,
            message: message.into(),
        })),
        Err(error) => Err(error.into()),
    }
}

async fn refused(
    context: &Context,
    policy: &Enforced,
    request: &ModelRequest<'_>,
    estimate: &Estimate,
    denial: Denial,
) -> Result<Failure, Failure> {
    let reason = format!("{:?}", denial.reason);
    context.gateway.metrics.admission("deny", &reason);
    let record = records::not_asked(context, &policy.digest, &request.model.id, estimate, &denial);
    context.record(record).await?;
    Ok(match denial.reason {
        Reason::QuotaExceeded => Failure::BudgetExceeded(denial.message.into_owned()),
        _ => Failure::NoPolicy,
    })
}

/// An upper bound. A token is at least a byte of the request, and no more than fits into the model is read.
fn estimate(request: &ModelRequest<'_>) -> Result<Estimate, Failure> {
    let size = Models::size(request).map_err(Failure::ModelUnavailable)?;
    let model = request.model;
    let fits = Some(u64::from(model.context_tokens)).filter(|tokens| *tokens > 0);
    let most = Some(u64::from(model.max_output_tokens)).filter(|tokens| *tokens > 0);
    let asked = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(OWN_WORDS);
    let usage = Usage {
        input: fits.map_or(asked, |fits| fits.min(asked)),
        cached: 0,
        // Without any bound on the answer no budget has room for it.
        output: most.or(fits).unwrap_or(u64::MAX),
    };
    let prices = model.prices.unwrap_or_default();
    Ok(Estimate {
        tokens: usage.total(),
        micro_usd: usage.cost(Prices {
            input: prices.input.max(prices.cached_input),
            ..prices
        }),
    })
}
