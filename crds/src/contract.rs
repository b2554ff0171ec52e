//! A resource type as the permission engine takes it, judged once.

use std::sync::Arc;

use kube::ResourceExt as _;
use monstrum_contract::{EXECUTORS, ExecutorContract, Executors, Placement, Reach};
use monstrum_guardian::{Schema, source};
use serde_json::{Map, Value};

use crate::kinds::ResourceType;
use crate::kinds::resource_type::CredentialMethod;
use crate::validate::{Fault, config, resource_type};

pub(crate) mod translation;

/// A resource type with everything that is worth working out only once. Made anew when the object's generation changes.
#[derive(Debug)]
pub struct Contract {
    /// The object.
    pub object: Arc<ResourceType>,
    /// What the permission engine is given.
    pub source: Arc<source::ResourceType>,
    /// What is wrong with it. A type with faults can't be used.
    pub faults: Vec<Fault>,
    config: Option<Schema>,
    executor: Option<&'static dyn ExecutorContract>,
}

impl Contract {
    /// Translates and judges a resource type.
    pub fn new(object: Arc<ResourceType>) -> Self {
        Self::among(object, &EXECUTORS)
    }

    /// The same, where there are these executors.
    pub fn among(object: Arc<ResourceType>, executors: &Executors) -> Self {
        let source = translation::resource_type(&object);
        let mut faults = resource_type::faults(&object.spec, &source, executors);
        let config = match object
            .spec
            .config
            .as_ref()
            .map(|config| config::compile(&config.schema))
        {
            Some(Err(found)) => {
                faults.extend(found);
                None
            }
            Some(Ok(schema)) => Some(schema),
            None => None,
        };
        Self {
            source: Arc::new(source),
            faults,
            config,
            executor: executors.get(&object.spec.executor),
            object,
        }
    }

    /// The type's name.
    pub fn name(&self) -> String {
        self.object.name_any()
    }

    /// Where the calls of an instance with these settings are carried out; nothing where this version doesn't.
    pub fn placement(&self, settings: &Value) -> Option<Placement> {
        self.executor.map(|executor| executor.placement(settings))
    }

    /// What an instance with these settings reaches on the network.
    pub fn reach(&self, settings: &Value) -> Reach {
        self.executor
            .map_or_else(Reach::default, |executor| executor.reach(settings))
    }

    /// The credential method of this name.
    pub fn credential_method(&self, name: &str) -> Option<&CredentialMethod> {
        self.object
            .spec
            .credentials
            .iter()
            .find(|method| method.method == name)
    }

    /// An instance's settings: what it says, over the defaults that the config schema gives to the properties of its root.
    pub fn settings(&self, config: Option<&Value>) -> Value {
        let mut settings = Map::new();
        let schema = self.object.spec.config.as_ref().map(|config| &config.schema);
        if let Some(Value::Object(properties)) = schema.and_then(|schema| schema.get("properties")) {
            let defaults = properties
                .iter()
                .filter_map(|(name, property)| Some((name, property.get("default")?)));
            settings.extend(defaults.map(|(name, default)| (name.clone(), default.clone())));
        }
        if let Some(Value::Object(config)) = config {
            settings.extend(config.clone());
        }
        Value::Object(settings)
    }

    /// What is wrong with an instance's settings under the type's schema.
    pub fn config_faults(&self, settings: &Value) -> Vec<Fault> {
        match &self.config {
            Some(schema) => config::faults(schema, settings),
            None => config::unexpected(settings),
        }
    }

    /// What is wrong with an instance's settings for whoever carries the calls out.
    pub fn executor_faults(&self, settings: &Value) -> Vec<Fault> {
        let found = self.executor.map(|executor| executor.config_faults(settings));
        let found = found.into_iter().flatten();
        found.map(config::of_executor).collect()
    }
}
