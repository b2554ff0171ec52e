//! `http`: requests from declarative templates, sent by the bot's own runner.

mod config;
mod judgement;
pub mod path;
pub mod presentation;
#[expect(
    clippy::doc_markdown,
    reason = "the docs are what kubectl explain prints, where names are plain words"
)]
mod request;

use serde_json::Value;

pub use config::{Config, Proxy};
pub use request::{Extraction, Method, Request};

use crate::executor::{ExecutorContract, Placement, TypeParts};
use crate::reach::Reach;
use crate::{Fault, read};

/// The contract of `http`.
#[derive(Debug)]
pub struct Http;

impl ExecutorContract for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn summary(&self) -> &'static str {
        "declarative requests"
    }

    fn placements(&self) -> &'static [Placement] {
        &[Placement::Bot]
    }

    fn placement(&self, _settings: &Value) -> Placement {
        Placement::Bot
    }

    fn tool_part(&self) -> Option<&'static str> {
        Some("request template")
    }

    fn presents_credentials(&self) -> bool {
        true
    }

    fn type_faults(&self, parts: &TypeParts<'_>) -> Vec<Fault> {
        judgement::of_type(parts)
    }

    fn config_faults(&self, settings: &Value) -> Vec<Fault> {
        read::<Config>(settings).map_or_else(|fault| vec![fault], |config| config.faults())
    }

    fn reach(&self, settings: &Value) -> Reach {
        read::<Config>(settings).map_or_else(|_| Reach::default(), Config::reach)
    }
}
