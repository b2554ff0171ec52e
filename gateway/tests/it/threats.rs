//! Every row of the threats that touches a call's parameters, through the Guardian service over mutual TLS, as a runner asks it. The
//! engine's tests run the same files.

#[path = "../../../core/guardian/tests/threats/scene.rs"]
mod scene;

use std::sync::atomic::Ordering;

use monstrum_guardian::Compilation;
use monstrum_guardian::source::BotName;
use monstrum_wire::guardian::guardian_client::GuardianClient;
use monstrum_wire::guardian::{CheckRequest, CheckResponse, ListToolsRequest, ListToolsResponse, Verdict};
use scene::{Case, Scene};
use serde_json::Value;
use tonic::transport::Channel;

use crate::every_row;
use crate::support::world::{World, bot, own_runner};

fn name() -> BotName {
    BotName {
        namespace: bot().namespace,
        name: bot().name,
    }
}

/// A gateway and both ways to its Guardian.
struct Asked {
    world: World,
    runner: GuardianClient<monstrum_service::Channel>,
    people: GuardianClient<Channel>,
}

impl Asked {
    async fn start() -> Self {
        let world = World::bare().await;
        let runner = GuardianClient::new(world.connect(&world.tls(&own_runner())));
        let people = GuardianClient::new(world.local_channel());
        Self {
            world,
            runner,
            people,
        }
    }

    async fn enforce(&self, policy: &Compilation) {
        let settings = self.world.settings();
        let ack = self
            .world
            .operator
            .publish(policy.document.to_bytes(), settings, 60)
            .await;
        assert_eq!(ack.fault, "");
    }

    /// The answer for runners; the one for people has the same verdict.
    async fn check(&mut self, tool: &str, arguments: &str) -> CheckResponse {
        let request = CheckRequest {
            tool: tool.to_owned(),
            arguments_json: arguments.to_owned(),
        };
        let told = self.people.check(request.clone()).await.unwrap().into_inner();
        let answer = self.runner.check(request).await.unwrap().into_inner();
        let untold = CheckResponse {
            trace_json: String::new(),
            ..told
        };
        assert_eq!(answer, untold);
        answer
    }

    async fn list(&mut self) -> ListToolsResponse {
        self.runner
            .list_tools(ListToolsRequest {})
            .await
            .unwrap()
            .into_inner()
    }

    async fn attacks_are_denied(&mut self, scene: &Scene, wrong: &mut Vec<String>) {
        let secrets = scene.secrets();
        for (reason, cases) in &scene.attacks {
            for (name, case) in cases {
                let answer = self.check(&case.tool, &case.text()).await;
                let expected = format!("{reason:?}");
                if (answer.verdict(), answer.reason.as_str()) != (Verdict::Deny, &expected) {
                    wrong.push(format!("{}, {name}: {answer:?}, not {expected}", scene.name));
                }
                let told = secrets
                    .iter()
                    .chain(&case.conceals)
                    .any(|text| answer.message.contains(text));
                if told || !(answer.grant.is_empty() && answer.canonical_arguments_json.is_empty()) {
                    wrong.push(format!("{}, {name}: tells too much: {answer:?}", scene.name));
                }
            }
        }
    }

    async fn twins_are_permitted(&mut self, scene: &Scene, wrong: &mut Vec<String>) {
        for (name, case) in &scene.permits {
            let answer = self.check(&case.tool, &case.text()).await;
            let executed = serde_json::from_str::<Value>(&answer.canonical_arguments_json).ok();
            let as_said = case.canonical.is_none() || case.canonical == executed;
            if answer.verdict() != Verdict::Allow || !as_said {
                wrong.push(format!("{}, {name}: {answer:?}", scene.name));
            }
        }
    }

    async fn forbidden_is_unknown(&mut self, scene: &Scene, wrong: &mut Vec<String>) {
        let listed = self.list().await;
        let visible: Vec<_> = listed.tools.iter().map(|tool| tool.name.clone()).collect();
        let shown = format!("{listed:?}");
        for hidden in scene.tools().iter().filter(|tool| !visible.contains(tool)) {
            if shown.contains(hidden) {
                wrong.push(format!("{}: {hidden} is listed", scene.name));
            }
            for case in scene.permits.values() {
                let forbidden = self.check(hidden, &case.text()).await;
                let unknown = self.check("no_such_tool", &case.text()).await;
                if forbidden != unknown {
                    wrong.push(format!("{}: {forbidden:?} is not {unknown:?}", scene.name));
                }
            }
        }
    }

    async fn refused_patterns_grant_nothing(&mut self, scene: &Scene, wrong: &mut Vec<String>) {
        for pattern in &scene.refused_patterns {
            self.enforce(&scene.compile_refused(&name(), pattern)).await;
            if !self.list().await.tools.is_empty() {
                wrong.push(format!("{}: {pattern} shows tools", scene.name));
            }
            for case in scene.permits.values() {
                self.denied(case, "UnknownTool", wrong).await;
            }
        }
    }

    async fn denied(&mut self, case: &Case, reason: &str, wrong: &mut Vec<String>) {
        let answer = self.check(&case.tool, &case.text()).await;
        if (answer.verdict(), answer.reason.as_str()) != (Verdict::Deny, reason) {
            wrong.push(format!("{case:?}: {answer:?}"));
        }
    }
}

async fn run(row: &str) {
    let mut asked = Asked::start().await;
    // The engine's tests hand in no use at all; the service looks it up.
    let exhausted = row.starts_with("row_17");
    asked.world.ledger.exhausted.store(exhausted, Ordering::SeqCst);
    let mut wrong = Vec::new();
    for scene in scene::scenes(row) {
        asked.enforce(&scene.compile(&name())).await;
        asked.attacks_are_denied(&scene, &mut wrong).await;
        asked.twins_are_permitted(&scene, &mut wrong).await;
        asked.forbidden_is_unknown(&scene, &mut wrong).await;
        asked.refused_patterns_grant_nothing(&scene, &mut wrong).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

macro_rules! rows_through_the_service {
    ($($row:ident),*) => {
        const ROWS: &[&str] = &[$(stringify!($row)),*];
        $(mod $row {
            #[tokio::test]
            async fn attacks_are_denied_and_twins_permitted() {
                super::run(stringify!($row)).await;
            }
        })*
    };
}

every_row!(rows_through_the_service);

mod row_31_giant_message {
    use super::*;

    /// Longer than a message may be: the call is not even read, and the next one is answered.
    #[tokio::test]
    async fn it_is_refused_and_the_next_is_answered() {
        let mut asked = Asked::start().await;
        let scene = scene::scenes("row_31_resource_exhaustion").remove(0);
        asked.enforce(&scene.compile(&name())).await;
        let giant = CheckRequest {
            tool: "act".to_owned(),
            arguments_json: format!("{{\"value\":\"ok{}\"}}", "x".repeat(8 << 20)),
        };
        assert!(asked.runner.check(giant.clone()).await.is_err());
        assert!(asked.people.check(giant).await.is_err());
        let answer = asked.check("act", r#"{"value":"ok"}"#).await;
        assert_eq!(answer.verdict(), Verdict::Allow);
    }
}

mod row_32_stale_authority {
    use super::*;

    /// Before the first policy, and after one that does not load, nothing is listed and everything is denied.
    #[tokio::test]
    async fn no_policy_denies_everything() {
        let mut asked = Asked::start().await;
        let mut wrong = Vec::new();
        let all = || ROWS.iter().flat_map(|row| scene::scenes(row));
        assert!(asked.list().await.tools.is_empty());
        for scene in all() {
            for case in scene.permits.values() {
                asked.denied(case, "NoPolicy", &mut wrong).await;
            }
        }
        let scene = all().next().unwrap();
        asked.enforce(&scene.compile(&name())).await;
        assert!(!asked.list().await.tools.is_empty());
        let mut bytes = scene.compile(&name()).document.to_bytes();
        bytes.pop();
        let settings = asked.world.settings();
        assert_ne!(asked.world.operator.publish(bytes, settings, 60).await.fault, "");
        assert!(asked.list().await.tools.is_empty());
        for case in scene.permits.values() {
            asked.denied(case, "NoPolicy", &mut wrong).await;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
