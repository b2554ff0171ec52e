//! What a snapshot has to be before it is enforced.

use http::{HeaderName, HeaderValue};
use monstrum_guardian::document::Document;
use monstrum_guardian::source::BotName;
use monstrum_guardian::{Engine, LoadError};
use monstrum_wire::policy::{Dialect, Limits, Model, Settings, Snapshot};
use monstrum_wire::snapshot::digest;

use super::Enforced;

/// Why a snapshot is not enforced.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(
        "the digest says {said}, the content has {computed}: operator and gateway may be of different versions"
    )]
    Digest { said: String, computed: String },
    #[error("permissions: {0}")]
    Document(String),
    #[error("permissions: {0}")]
    Load(#[from] LoadError),
    #[error("the policy is of bot {found}, this gateway is of {expected}")]
    ForeignBot { found: String, expected: String },
    #[error("settings.{field}: {message}")]
    Settings { field: &'static str, message: String },
}

pub(super) fn admit(bot: &BotName, snapshot: &Snapshot) -> Result<Enforced, Fault> {
    let settings = snapshot.settings.clone().unwrap_or_default();
    let computed = digest(&snapshot.permissions, &settings);
    if computed != snapshot.digest {
        return Err(Fault::Digest {
            said: snapshot.digest.clone(),
            computed,
        });
    }
    let document =
        Document::from_bytes(&snapshot.permissions).map_err(|error| Fault::Document(error.to_string()))?;
    if document.bot != *bot {
        let name = |bot: &BotName| format!("{}/{}", bot.namespace, bot.name);
        return Err(Fault::ForeignBot {
            found: name(&document.bot),
            expected: name(bot),
        });
    }
    let engine = Engine::load(&document)?;
    check(&settings)?;
    Ok(Enforced {
        engine,
        settings,
        digest: computed,
        version: snapshot.version.unwrap_or_default(),
    })
}

fn check(settings: &Settings) -> Result<(), Fault> {
    let fault = |field, message: &str| {
        Err(Fault::Settings {
            field,
            message: message.to_owned(),
        })
    };
    match &settings.model {
        None => return fault("model", "missing; the bot has no model that can be used"),
        Some(model) => check_model(model)?,
    }
    match &settings.limits {
        None => fault("limits", "missing"),
        Some(limits) if !all_set(limits) => fault("limits", "a limit is zero; every one must be positive"),
        Some(_) => Ok(()),
    }
}

fn all_set(limits: &Limits) -> bool {
    let small = [
        limits.max_steps,
        limits.max_turn_seconds,
        limits.max_result_bytes,
        limits.max_parallel_calls,
        limits.max_queued_messages,
        limits.call_timeout_seconds,
    ];
    limits.max_turn_tokens > 0 && small.iter().all(|limit| *limit > 0)
}

fn check_model(model: &Model) -> Result<(), Fault> {
    let fault = |field, message: String| Err(Fault::Settings { field, message });
    if !matches!(
        Dialect::try_from(model.dialect),
        Ok(Dialect::Openai | Dialect::Anthropic)
    ) {
        return fault(
            "model.dialect",
            format!("{} is no dialect of this gateway", model.dialect),
        );
    }
    match reqwest::Url::parse(&model.base_url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {}
        Ok(_) | Err(_) => {
            return fault(
                "model.base_url",
                format!("{:?} is no http or https URL", model.base_url),
            );
        }
    }
    for header in &model.headers {
        if HeaderName::try_from(&header.name).is_err() || HeaderValue::try_from(&header.value).is_err() {
            return fault(
                "model.headers",
                format!("{:?} has no valid name or value", header.name),
            );
        }
    }
    if !model.auth_header.is_empty() && HeaderName::try_from(&model.auth_header).is_err() {
        return fault(
            "model.auth_header",
            format!("{:?} is no header name", model.auth_header),
        );
    }
    Ok(())
}
