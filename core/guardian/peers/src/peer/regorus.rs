//! Regorus: Rego, compiled to the instructions of its virtual machine; first what tells most policies apart, the glob last.

use std::fmt::Write as _;

use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::RegoVM;
use regorus::{PolicyModule, Value, compile_policy_with_entrypoint};
use serde_json::json;

use super::Peer;

const ENTRY: &str = "data.bench.allow";

pub(super) struct Regorus {
    machine: RegoVM,
}

impl Regorus {
    /// One rule for each policy.
    pub(super) fn new(policies: usize) -> Self {
        let mut source = "package bench\nimport rego.v1\ndefault allow := false\n".to_owned();
        for number in 0..policies {
            let most = 100 + number;
            write!(
                source,
                r#"allow if {{
                    startswith(input.path, "/srv/s{number:05}/")
                    input.limit >= 1
                    input.limit <= {most}
                    startswith(input.command, "deploy s{number:05} ")
                    glob.match("**.s{number:05}.example.com", ["."], input.host)
                }}
                "#
            )
            .unwrap_or_else(|error| panic!("writes: {error}"));
        }
        Self::load(source, json!({}))
    }

    /// One rule that goes through policies in a list.
    pub(super) fn over_data(policies: usize) -> Self {
        let source = r#"package bench
            import rego.v1
            default allow := false
            allow if {
                some grant in data.grants
                startswith(input.path, grant.path)
                input.limit >= 1
                input.limit <= grant.most
                startswith(input.command, grant.command)
                glob.match(grant.host, ["."], input.host)
            }"#;
        let grants = (0..policies).map(|number| {
            json!({
                "host": format!("**.s{number:05}.example.com"), "path": format!("/srv/s{number:05}/"),
                "command": format!("deploy s{number:05} "), "most": 100 + number
            })
        });
        Self::load(source.to_owned(), json!({"grants": grants.collect::<Vec<_>>()}))
    }

    fn load(source: String, data: serde_json::Value) -> Self {
        let data = Value::from_json_str(&data.to_string()).unwrap_or_else(|error| panic!("data: {error}"));
        let module = PolicyModule {
            id: "bench.rego".into(),
            content: source.into(),
        };
        let policy = compile_policy_with_entrypoint(data.clone(), &[module], ENTRY.into())
            .unwrap_or_else(|error| panic!("compiles: {error}"));
        let program = Compiler::compile_from_policy(&policy, &[ENTRY])
            .unwrap_or_else(|error| panic!("program: {error}"));
        let mut machine = RegoVM::new_with_policy(policy);
        machine.set_max_instructions(usize::MAX);
        machine.load_program(program);
        machine
            .set_data(data)
            .unwrap_or_else(|error| panic!("data: {error}"));
        Self { machine }
    }
}

impl Peer for Regorus {
    fn permits(&mut self, arguments: &str) -> bool {
        let Ok(input) = Value::from_json_str(arguments) else {
            return false;
        };
        self.machine.set_input(input);
        matches!(
            self.machine.execute_entry_point_by_index(0),
            Ok(Value::Bool(true))
        )
    }
}
