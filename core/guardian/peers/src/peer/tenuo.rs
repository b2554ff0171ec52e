//! Tenuo: one warrant for each policy, since the constraints of one warrant on a tool are one conjunction.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use tenuo::constraints::{ConstraintSet, ConstraintValue, Pattern, Range};
use tenuo::crypto::{Signature, SigningKey};
use tenuo::warrant::Warrant;

use super::Peer;
use crate::rule;

/// Where the proof that the caller holds the warrant's key is verified: an Ed25519 signature over the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Not in what is measured.
    Outside,
    /// For the warrant that fits, in what is measured.
    Inside,
}

pub(super) struct Tenuo {
    warrants: Vec<Warrant>,
    key: SigningKey,
    proof: Proof,
    /// The proofs that callers send along, by arguments; made when arguments are first seen, which is before any measurement.
    proofs: HashMap<String, Signature>,
}

impl Tenuo {
    pub(super) fn new(policies: usize, proof: Proof) -> Self {
        let key = SigningKey::generate();
        let warrant = |number: usize| {
            Warrant::builder()
                .capability(rule::TOOL, constraints(number))
                .ttl(Duration::from_secs(3_600))
                .holder(key.public_key())
                .build(&key)
                .unwrap_or_else(|error| panic!("a warrant: {error}"))
        };
        Self {
            warrants: (0..policies).map(warrant).collect(),
            key,
            proof,
            proofs: HashMap::new(),
        }
    }

    /// Whether the caller's proof for this warrant is good.
    fn proven(&mut self, place: usize, arguments: &str, values: &HashMap<String, ConstraintValue>) -> bool {
        let Some(warrant) = self.warrants.get(place) else {
            return false;
        };
        if !self.proofs.contains_key(arguments) {
            let signature = warrant.sign(&self.key, rule::TOOL, values);
            let signature = signature.unwrap_or_else(|error| panic!("signs: {error}"));
            self.proofs.insert(arguments.to_owned(), signature);
        }
        let made = warrant.authorize(rule::TOOL, values, self.proofs.get(arguments));
        made.is_ok()
    }
}

fn constraints(number: usize) -> ConstraintSet {
    let pattern = |text: String| Pattern::new(&text).unwrap_or_else(|error| panic!("a pattern: {error}"));
    let most = u32::try_from(100 + number).map(f64::from);
    let range = Range::new(Some(1.0), most.ok()).unwrap_or_else(|error| panic!("a range: {error}"));
    let mut constraints = ConstraintSet::new();
    constraints.insert("host", pattern(format!("*.s{number:05}.example.com")));
    constraints.insert("path", pattern(format!("/srv/s{number:05}/*")));
    constraints.insert("command", pattern(format!("deploy s{number:05} *")));
    constraints.insert("limit", range);
    constraints
}

fn value(value: Value) -> Option<ConstraintValue> {
    Some(match value {
        Value::String(text) => ConstraintValue::String(text),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => ConstraintValue::Integer(integer),
            None => ConstraintValue::Float(number.as_f64()?),
        },
        Value::Bool(flag) => ConstraintValue::Boolean(flag),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

impl Peer for Tenuo {
    fn permits(&mut self, arguments: &str) -> bool {
        let Ok(Value::Object(fields)) = serde_json::from_str(arguments) else {
            return false;
        };
        let values = fields
            .into_iter()
            .map(|(name, field)| Some((name, value(field)?)));
        let Some(values) = values.collect::<Option<HashMap<_, _>>>() else {
            return false;
        };
        let fits = |warrant: &Warrant| warrant.check_constraints(rule::TOOL, &values).is_ok();
        match (self.warrants.iter().position(fits), self.proof) {
            (None, _) => false,
            (Some(_), Proof::Outside) => true,
            (Some(place), Proof::Inside) => self.proven(place, arguments, &values),
        }
    }
}
