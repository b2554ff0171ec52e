//! One question to the model, with the tools of this very moment.

use monstrum_wire::ledger::UsageRow;
use monstrum_wire::policy::{Generation, Model, Prices, ToolChoice};

use super::admission::{self, Admitted};
use crate::counters::Spent;
use crate::policy::Enforced;
use crate::providers::ModelError;
use crate::providers::conversation::{Answer, Image, Message, ModelRequest, Opaque, Origin, ToolSpec, Usage};
use crate::turn::bounds::Tally;
use crate::turn::context::Context;
use crate::turn::failure::Failure;
use crate::turn::history::{BYTES_PER_TOKEN, Entry, History};
use crate::vault::Subject;

/// A model's answer, with what is kept beside it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) answer: Answer,
    /// Not booked yet.
    pub(super) usage: UsageRow,
    pub(super) origin: Origin,
    pub(super) state: Opaque,
}

/// Asks the model, and counts what it used; the caller books the row. The policy is read here, once per question, so that a revoked tool is in no later one.
pub(super) async fn ask(
    context: &Context,
    history: &mut History,
    tally: &mut Tally,
) -> Result<Answered, Failure> {
    let policy = context.gateway.policy.current();
    let mut model = policy.settings.model.clone().ok_or(Failure::NoPolicy)?;
    model.max_output_tokens = output_limit(model.max_output_tokens, tally.tokens_left());
    let system = system_prompt(&policy);
    let tools = tools(&policy);
    let overhead = tools.iter().fold(system.len(), |sum, tool| {
        sum.saturating_add(tool.description.len())
            .saturating_add(tool.parameters.to_string().len())
    });
    let reserved = overhead.saturating_add(reserved_for_output(&model));
    let messages = history
        .messages(model.context_tokens, reserved)
        .ok_or(Failure::ContextFull)?;
    let request = ModelRequest {
        model: &model,
        system: &system,
        messages: &messages,
        tools: &tools,
        tool_choice: tool_choice(&model, tally.step()),
        metered: admission::is_metered(&policy),
    };
    let (mut answer, requests, admitted) = send(context, &policy, history, tally, &request).await?;
    let counted = answer
        .usage
        .against(estimate(overhead, &messages, &answer), unsure(&messages));
    let usage = counted.usage;
    let prices = model.prices.unwrap_or_default();
    let row = spend(context, tally, &model, (requests, usage, prices));
    let spent = if counted.said {
        Spent::Model {
            tokens: usage.total(),
            micro_usd: row.cost_micro_usd,
        }
    } else {
        Spent::All
    };
    admitted.settle(context, spent).await;
    let state = std::mem::take(&mut answer.state);
    Ok(Answered {
        answer,
        usage: row,
        origin: Origin::of(&model),
        state: state.guarded(&context.gateway.vault.scrubber()),
    })
}

async fn send(
    context: &Context,
    policy: &Enforced,
    history: &mut History,
    tally: &mut Tally,
    request: &ModelRequest<'_>,
) -> Result<(Answer, u32, Admitted), Failure> {
    let gateway = &context.gateway;
    let secret = match request.model.credential_version.as_str() {
        "" => None,
        version => {
            let subject = Subject::Provider(request.model.provider.clone());
            let secret = gateway.vault.open(subject, version).await;
            Some(secret.map_err(|error| Failure::KeyUnavailable(error.to_string()))?)
        }
    };
    let proxy = request.model.proxy.as_ref().map(|proxy| proxy.url.as_str());
    let key = secret.as_ref().map(|secret| {
        secret
            .key_for(&request.model.base_url, proxy)
            .map_err(|error| Failure::KeyUnavailable(error.to_string()))
    });
    let key = key.transpose()?;
    let scrubber = match &secret {
        Some(secret) => gateway.vault.scrubber_with(secret),
        None => gateway.vault.scrubber(),
    };
    let admitted = admission::admit(context, policy, tally.step(), request).await?;
    let mut sink = context.events.clone();
    let started = std::time::Instant::now();
    let _wait = context.clock.wait();
    let asking = gateway
        .models
        .ask(request, key, &scrubber, context.deadline, &mut sink);
    let outcome = tokio::select! {
        outcome = asking => outcome,
        () = context.stop.requested() => {
            admitted.settle(context, Spent::All).await;
            return Err(context.stop.failure().unwrap_or(Failure::Cancelled));
        }
    };
    gateway.metrics.model(
        outcome.as_ref().map_or_else(|left| left.error.code(), |_| "ok"),
        started.elapsed(),
    );
    match outcome {
        Ok((answer, requests)) => Ok((answer, requests, admitted)),
        Err(unanswered) => {
            let spent = if unanswered.may_have_cost {
                Spent::All
            } else {
                Spent::Nothing
            };
            admitted.settle(context, spent).await;
            tally.fail(unanswered.attempts);
            if !unanswered.said.is_empty() {
                let entry = Entry::Note {
                    text: unanswered.said,
                    code: "Partial".to_owned(),
                };
                history.append(context, vec![entry]).await?;
            }
            Err(match unanswered.error {
                ModelError::Timeout if context.deadline <= tokio::time::Instant::now() => {
                    Failure::TurnTimeout
                }
                error => Failure::ModelUnavailable(error),
            })
        }
    }
}

fn spend(
    context: &Context,
    tally: &mut Tally,
    model: &Model,
    (requests, usage, prices): (u32, Usage, Prices),
) -> UsageRow {
    let cost = tally.spend(requests, usage, prices);
    context.gateway.metrics.tokens(usage);
    UsageRow {
        provider: model.provider.clone(),
        model: model.id.clone(),
        session: context.held.session.clone(),
        turn: context.turn.clone(),
        input_tokens: usage.input,
        cached_input_tokens: usage.cached,
        output_tokens: usage.output,
        cost_micro_usd: cost,
    }
}

fn system_prompt(policy: &Enforced) -> String {
    let prompt = policy
        .settings
        .prompts
        .as_ref()
        .map(|prompts| prompts.system.as_str())
        .unwrap_or_default();
    match policy.engine.summary() {
        Some(summary) if prompt.is_empty() => summary,
        Some(summary) => format!("{prompt}\n\n{summary}"),
        None => prompt.to_owned(),
    }
}

fn tools(policy: &Enforced) -> Vec<ToolSpec> {
    let visible = policy.engine.tools().into_iter();
    visible
        .map(|tool| ToolSpec {
            name: tool.name,
            description: tool.description,
            parameters: tool.parameters,
        })
        .collect()
}

/// A call is required at a turn's first question only: at each, the turn could never end.
fn tool_choice(model: &Model, step: u32) -> ToolChoice {
    match model.generation.as_ref().map(Generation::tool_choice) {
        Some(ToolChoice::Required) if step > 1 => ToolChoice::Auto,
        wanted => wanted.unwrap_or_default(),
    }
}

/// Never asks for more than the turn has left.
fn output_limit(wanted: u32, left: u64) -> u32 {
    let left = u32::try_from(left).unwrap_or(u32::MAX).max(1);
    if wanted == 0 { wanted } else { wanted.min(left) }
}

/// Room for the answer, in bytes; a model whose output limit is as large as its context still gets half of it for the question.
fn reserved_for_output(model: &Model) -> usize {
    let most = model.context_tokens.checked_div(2).unwrap_or(0);
    let tokens = if model.context_tokens == 0 {
        0
    } else {
        model.max_output_tokens.min(most)
    };
    usize::try_from(tokens)
        .unwrap_or(0)
        .saturating_mul(BYTES_PER_TOKEN)
}

/// For providers that don't say what they used, or can't have used so little: four bytes a token, so that a turn's bound holds all the
/// same.
fn estimate(overhead: usize, messages: &[Message], answer: &Answer) -> Usage {
    let said = messages
        .iter()
        .fold(overhead, |sum, message| sum.saturating_add(size(message)));
    let calls = answer.calls.iter().chain(&answer.unmade);
    let answered = calls.fold(answer.text.len(), |sum, call| {
        sum.saturating_add(call.arguments.len())
    });
    Usage {
        input: tokens(said),
        output: tokens(answered),
        ..Usage::default()
    }
}

fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX)
}

/// What of the estimate may be far less: images may be small, and state of a provider's own need not be sent or counted.
fn unsure(messages: &[Message]) -> u64 {
    let sizes = messages.iter().map(|message| match message {
        Message::User { images, .. } | Message::ToolResult { images, .. } => images_size(images),
        Message::Assistant { state, .. } => state.size(),
    });
    tokens(sizes.fold(0, usize::saturating_add))
}

fn size(message: &Message) -> usize {
    match message {
        Message::User { text, images } => text.len().saturating_add(images_size(images)),
        Message::Assistant {
            text, calls, state, ..
        } => calls
            .iter()
            .fold(text.len().saturating_add(state.size()), |sum, call| {
                sum.saturating_add(call.arguments.len())
            }),
        Message::ToolResult { content, images, .. } => content.len().saturating_add(images_size(images)),
    }
}

/// As many bytes as text of so many tokens has.
fn images_size(images: &[Image]) -> usize {
    images
        .len()
        .saturating_mul(Image::LIKELY_TOKENS)
        .saturating_mul(BYTES_PER_TOKEN)
}
