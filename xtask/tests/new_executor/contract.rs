//! `echo`: says a word again. This is all of a new executor's file in `core/contract/src`.

use monstrum_contract::{
    Address, ExecutorContract, Fault, Place, Placement, Reach, TypeParts, http_url_fault, read,
};
use serde::Deserialize;
use serde_json::Value;

/// The dimension whose value is said again.
pub(crate) const WORD: &str = "word";

/// A resource's `config`, as the operator judges it and the runner reads it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Config {
    /// Said before the word.
    pub(crate) greeting: String,
    /// Who is told of it.
    #[serde(default)]
    pub(crate) listener: Option<String>,
    /// Whether it is said in a sandbox.
    #[serde(default)]
    pub(crate) confined: bool,
}

/// The contract of `echo`.
#[derive(Debug)]
pub(crate) struct Echo;

impl ExecutorContract for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn summary(&self) -> &'static str {
        "a word said again"
    }

    fn placements(&self) -> &'static [Placement] {
        &[Placement::Bot, Placement::Sandbox]
    }

    fn placement(&self, settings: &Value) -> Placement {
        match read::<Config>(settings) {
            Ok(config) if !config.confined => Placement::Bot,
            Ok(_) | Err(_) => Placement::Sandbox,
        }
    }

    fn type_faults(&self, parts: &TypeParts<'_>) -> Vec<Fault> {
        let mut dimensions = parts.source.dimensions.iter();
        let has_word = dimensions.any(|dimension| dimension.name == WORD);
        let missing = Fault::new(
            "dimensions",
            "executor echo says the dimension \"word\": declare it",
        );
        if has_word { Vec::new() } else { vec![missing] }
    }

    fn config_faults(&self, settings: &Value) -> Vec<Fault> {
        match read::<Config>(settings) {
            Err(fault) => vec![fault],
            Ok(config) => {
                let listener = config.listener.as_deref().and_then(http_url_fault);
                listener
                    .map(|why| Fault::new("listener", why))
                    .into_iter()
                    .collect()
            }
        }
    }

    fn reach(&self, settings: &Value) -> Reach {
        let listener = read::<Config>(settings).ok().and_then(|config| config.listener);
        let place = |url| Place {
            target: Address {
                field: "listener".to_owned(),
                url,
                ranges_field: String::new(),
                ranges: Vec::new(),
            },
            proxy: None,
        };
        Reach {
            places: listener.map(place).into_iter().collect(),
            internet: None,
        }
    }
}
