//! What a question to the model may use: reserved before it is sent, settled after it.

use monstrum_guardian::decision::{Admission, Denial, Estimate, Facts, Reason, Reservation};
use monstrum_wire::policy::Prices;

use crate::counters::{self, Spent};
use crate::ledger::LedgerError;
use crate::policy::Enforced;
use crate::providers::Models;
use crate::providers::conversation::{Image, Message, ModelRequest, Usage};
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

/// An upper bound. A token is at least a byte of the request, but for images, and no more than fits into the model is read.
fn estimate(request: &ModelRequest<'_>) -> Result<Estimate, Failure> {
    let size = Models::size(request).map_err(Failure::ModelUnavailable)?;
    let model = request.model;
    let fits = Some(u64::from(model.context_tokens)).filter(|tokens| *tokens > 0);
    // A limit that is not sent binds nobody.
    let sent = !model
        .request
        .as_ref()
        .is_some_and(|shape| shape.omit_output_limit);
    let most = Some(u64::from(model.max_output_tokens)).filter(|tokens| *tokens > 0 && sent);
    let asked = u64::try_from(size)
        .unwrap_or(u64::MAX)
        .saturating_add(OWN_WORDS)
        .saturating_add(images(request).saturating_mul(Image::MOST_TOKENS));
    let usage = Usage {
        input: fits.map_or(asked, |fits| fits.min(asked)),
        // Without any bound on the answer no budget has room for it.
        output: most.or(fits).unwrap_or(u64::MAX),
        ..Usage::default()
    };
    let prices = model.prices.unwrap_or_default();
    Ok(Estimate {
        tokens: usage.total(),
        micro_usd: usage.cost(Prices {
            input: prices.input.max(prices.cached_input).max(prices.cache_write),
            ..prices
        }),
    })
}

/// How many images the model is shown.
fn images(request: &ModelRequest<'_>) -> u64 {
    if !request.model.images {
        return 0;
    }
    let shown = request.messages.iter().map(|message| match message {
        Message::User { images, .. } | Message::ToolResult { images, .. } => images.len(),
        Message::Assistant { .. } => 0,
    });
    u64::try_from(shown.sum::<usize>()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_wire::policy::{Dialect, Model, RequestShape, ToolChoice};

    fn estimated(model: &Model, images: usize) -> Estimate {
        let image = Image::of(b"\x89PNG\r\n\x1a\n").unwrap();
        let messages = [Message::User {
            text: "hello".to_owned(),
            images: vec![image; images],
        }];
        let request = ModelRequest {
            model,
            system: "",
            messages: &messages,
            tools: &[],
            tool_choice: ToolChoice::Unspecified,
            metered: true,
        };
        estimate(&request).unwrap()
    }

    fn model() -> Model {
        Model {
            dialect: Dialect::Openai.into(),
            max_output_tokens: 1000,
            images: true,
            ..Model::default()
        }
    }

    #[test]
    fn an_image_is_reserved_for_whatever_its_bytes() {
        let [none, two] = [0, 2].map(|images| estimated(&model(), images).tokens);
        assert!(two >= none + 2 * Image::MOST_TOKENS, "{none} {two}");
        let blind = Model {
            images: false,
            ..model()
        };
        assert!(estimated(&blind, 2).tokens < none + 200);
    }

    #[test]
    fn an_answer_without_a_limit_is_reserved_for_up_to_the_models_context() {
        let endless = Model {
            request: Some(RequestShape {
                omit_output_limit: true,
                ..RequestShape::default()
            }),
            ..model()
        };
        assert_eq!(estimated(&endless, 0).tokens, u64::MAX);
        let fits = Model {
            context_tokens: 200_000,
            ..endless
        };
        let tokens = estimated(&fits, 0).tokens;
        assert!((200_000..300_000).contains(&tokens), "{tokens}");
    }
}
