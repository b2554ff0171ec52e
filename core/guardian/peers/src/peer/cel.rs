//! CEL: one compiled program for each policy, run until one is true; first what tells most policies apart.

use cel::common::types::{CelBool, CelDouble, CelInt, CelString};
use cel::common::value::Val;
use cel::{Context, Program};
use serde_json::Value;

use super::Peer;

pub(super) struct Cel {
    /// Holds the standard functions.
    root: Context<'static, 'static>,
    programs: Vec<Program>,
}

impl Cel {
    pub(super) fn new(policies: usize) -> Self {
        let program = |number: usize| {
            let most = 100 + number;
            let source = format!(
                r#"path.startsWith("/srv/s{number:05}/") && limit >= 1 && limit <= {most}
                && command.startsWith("deploy s{number:05} ") && host.endsWith(".s{number:05}.example.com")"#
            );
            Program::compile(&source).unwrap_or_else(|error| panic!("compiles: {error}"))
        };
        Self {
            root: Context::default(),
            programs: (0..policies).map(program).collect(),
        }
    }
}

/// Borrowed where it can be.
fn value(value: &Value) -> Option<Box<dyn Val + '_>> {
    Some(match value {
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Box::new(CelInt::from(integer)),
            None => Box::new(CelDouble::from(number.as_f64()?)),
        },
        Value::Bool(flag) => Box::new(CelBool::from(*flag)),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

impl Peer for Cel {
    fn permits(&mut self, arguments: &str) -> bool {
        let Ok(Value::Object(fields)) = serde_json::from_str(arguments) else {
            return false;
        };
        let root: &Context<'_, '_> = &self.root;
        let mut context = root.new_inner_scope();
        for (name, field) in &fields {
            let Some(field) = value(field) else { return false };
            context.add_variable_as_val(name.as_str(), field);
        }
        self.programs
            .iter()
            .any(|program| matches!(program.execute(&context), Ok(cel::Value::Bool(true))))
    }
}
