//! Replays `AgentDojo`'s tasks under the policies of `e2e/agentdojo`: `make bench-agentdojo`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use monstrum_e2e::agentdojo;

/// How many user tasks a standing policy permits, how many attacks it stops, and each that it gets wrong.
#[derive(Debug, Parser)]
struct Args {
    /// The folder with a folder of objects for each suite.
    #[arg(long)]
    policies: PathBuf,
    /// A file of tasks' calls, as e2e/agentdojo/extract.py prints them. It may be given several times.
    #[arg(long, required = true)]
    traces: Vec<PathBuf>,
    /// The format of the answer.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Output {
    /// Markdown, for people.
    Table,
    /// Everything, call by call.
    Json,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut traces = Vec::new();
    for file in &args.traces {
        traces.extend(agentdojo::read(file)?);
    }
    let report = agentdojo::replay(&args.policies, &traces)?;
    match args.output {
        Output::Table => print!("{report}"),
        Output::Json => println!("{}", serde_json::to_string_pretty(&report)?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use monstrum_e2e::agentdojo::{Trace, replay};
    use rstest::rstest;
    use serde_json::{Value, json};

    fn trace(suite: &str, kind: &str, calls: &Value) -> Value {
        json!({ "suite": suite, "kind": kind, "id": "task", "calls": calls })
    }

    fn suite(traces: Value) -> Value {
        let traces: Vec<Trace> = serde_json::from_value(traces).unwrap();
        let policies = Path::new(env!("CARGO_MANIFEST_DIR")).join("agentdojo");
        serde_json::to_value(replay(&policies, &traces).unwrap()).unwrap()["suites"][0].take()
    }

    #[rstest]
    #[case::permitted(json!([{"function": "get_balance", "args": {}}]), true, false)]
    #[case::one_denied_call_blocks(
        json!([{"function": "get_balance", "args": {}}, {"function": "close_account", "args": {}}]),
        false,
        true
    )]
    #[case::nothing_is_done(json!([]), false, false)]
    fn a_task_is_judged_by_all_its_calls(
        #[case] calls: Value,
        #[case] permitted: bool,
        #[case] blocked: bool,
    ) {
        let suite = suite(json!([
            trace("banking", "user", &calls),
            trace("banking", "injection", &calls)
        ]));
        assert_eq!(suite["userTasks"][0]["permitted"], permitted);
        assert_eq!(suite["attacks"][0]["blocked"], blocked);
    }

    #[test]
    fn the_tool_list_is_what_users_need() {
        let read = json!([{"function": "get_channels", "args": {}}]);
        let remove = json!([{"function": "remove_user_from_slack", "args": {"user": "Bob"}}]);
        let suite = suite(json!([
            trace("slack", "user", &read),
            trace("slack", "injection", &read),
            trace("slack", "injection", &remove)
        ]));
        assert_eq!(suite["attacks"][0]["blockedByToolList"], false);
        assert_eq!(suite["attacks"][1]["blockedByToolList"], true);
    }

    #[test]
    fn what_earlier_calls_use_counts() {
        let pay = json!({
            "function": "send_money",
            "args": {"recipient": "Spotify", "amount": 5, "subject": "", "date": "2022-04-01"}
        });
        let permitted = |times| {
            let suite = suite(json!([trace("banking", "user", &json!(vec![&pay; times]))]));
            suite["userTasks"][0]["permitted"] == true
        };
        assert!(permitted(10) && !permitted(11));
    }

    #[test]
    fn a_denial_names_what_does_not_match() {
        let unmet = |function: &str, args: Value| {
            let calls = json!([{"function": function, "args": args}]);
            let mut suite = suite(json!([trace("banking", "injection", &calls)]));
            suite["attacks"][0]["calls"][0]["answer"]["denied"]["unmet"].take()
        };
        let payment = json!({"recipient": "X", "amount": 1, "subject": "", "date": "2022-04-01"});
        assert_eq!(unmet("send_money", payment), json!(["payee"]));
        let change = json!({"id": 6, "recipient": "X"});
        assert_eq!(unmet("update_scheduled_transaction", change), json!(["change"]));
        let other = json!({"id": 8, "amount": 1});
        assert_eq!(
            unmet("update_scheduled_transaction", other),
            json!(["standingOrder"])
        );
    }
}
