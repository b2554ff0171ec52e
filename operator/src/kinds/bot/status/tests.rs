use super::*;
use crate::policy::ReplicaStanding;
use rstest::rstest;
use std::collections::{BTreeMap, BTreeSet};

fn facts() -> BotFacts {
    BotFacts {
        uid: None,
        generation: Some(1),
        bindings: BTreeMap::new(),
        tools: 3,
        resolved: None,
        sandboxes: BTreeSet::new(),
        reaches: BTreeMap::new(),
        faults: Vec::new(),
    }
}

fn rollout(name: &str, ready: i64, wanted: i64) -> Rollout {
    Rollout {
        name: name.to_owned(),
        selector: Some(format!("app={name}")),
        wanted,
        pods: ready,
        ready,
        complete: ready == wanted,
        resource: None,
        trouble: None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as it stands in the input")]
fn trouble(reason: Reason) -> Option<Trouble> {
    Some(Trouble {
        reason,
        message: "quota".to_owned(),
    })
}

fn replica(name: &str, digest: &str, fault: &str) -> ReplicaStanding {
    ReplicaStanding {
        name: name.to_owned(),
        digest: digest.to_owned(),
        fault: fault.to_owned(),
        other_program: None,
    }
}

fn standing(replicas: Vec<ReplicaStanding>) -> Standing {
    Standing {
        digest: "new".to_owned(),
        replicas,
    }
}

fn fine(facts: &BotFacts) -> Input<'_> {
    Input {
        faults: Vec::new(),
        suspended: false,
        facts,
        failure: None,
        rollouts: vec![rollout("b-gateway", 2, 2), rollout("b-runner", 1, 1)],
        standing: Some(standing(vec![replica("a", "new", ""), replica("b", "new", "")])),
    }
}

fn told(input: &Input<'_>) -> String {
    let states = states(input);
    states
        .iter()
        .map(|state| format!("{}:{}", state.holds.as_str(), state.reason.as_str()))
        .collect::<Vec<_>>()
        .join(" ")
}

const GOOD: &str = "True:Accepted True:Resolved";

#[rstest]
#[case::fine(|_: &mut Input<'_>| {}, "True:Programmed True:Ready")]
#[case::nobody_connected(|input: &mut Input<'_>| input.standing = Some(standing(vec![])), "True:Programmed False:AwaitingGateway")]
#[case::no_policy(|input: &mut Input<'_>| input.standing = None, "True:Programmed False:AwaitingGateway")]
#[case::one_missing(|input: &mut Input<'_>| input.standing = Some(standing(vec![replica("a", "new", "")])), "True:Programmed False:AwaitingGateway")]
#[case::one_behind(|input: &mut Input<'_>| input.standing = Some(standing(vec![replica("a", "new", ""), replica("b", "old", "")])), "True:Programmed False:AwaitingGateway")]
#[case::one_silent(|input: &mut Input<'_>| input.standing = Some(standing(vec![replica("a", "new", ""), replica("b", "new", ""), replica("c", "", "")])), "True:Programmed False:AwaitingGateway")]
#[case::refused(|input: &mut Input<'_>| input.standing = Some(standing(vec![replica("a", "new", ""), replica("b", "new", "bad")])), "True:Programmed False:GatewayRefused")]
#[case::starting(|input: &mut Input<'_>| input.rollouts[0] = rollout("b-gateway", 1, 2), "False:Progressing False:Progressing")]
#[case::runner_missing(|input: &mut Input<'_>| input.rollouts[1] = rollout("b-runner", 0, 1), "False:Progressing False:Progressing")]
#[case::not_applied(|input: &mut Input<'_>| input.failure = trouble(Reason::ApplyFailed), "False:ApplyFailed False:ApplyFailed")]
#[case::no_pods(|input: &mut Input<'_>| input.rollouts[0].trouble = trouble(Reason::FailedCreate), "False:FailedCreate False:FailedCreate")]
#[case::no_image(|input: &mut Input<'_>| input.rollouts[1].trouble = trouble(Reason::ImagePullFailed), "False:ImagePullFailed False:ImagePullFailed")]
#[case::suspended(|input: &mut Input<'_>| input.suspended = true, "True:Suspended False:Suspended")]
fn readiness_needs_everything(#[case] change: fn(&mut Input<'_>), #[case] expected: &str) {
    let facts = facts();
    let mut input = fine(&facts);
    change(&mut input);
    assert_eq!(told(&input), format!("{GOOD} {expected}"));
}

#[test]
fn a_bot_that_names_what_is_not_there_is_not_ready() {
    let facts = facts();
    let mut input = fine(&facts);
    input.faults = vec![Fault::new(
        "spec.model",
        "no model is chosen: set it",
        Reason::NotFound,
    )];
    assert_eq!(
        told(&input),
        "True:Accepted False:NotFound True:Programmed False:NotFound"
    );
    assert!(
        states(&input)[3]
            .message
            .contains("spec.model: no model is chosen: set it")
    );
}

#[test]
fn a_sandbox_that_is_not_there_yet_is_awaited() {
    let mut facts = facts();
    facts.sandboxes.insert("workshop".to_owned());
    assert_eq!(
        told(&fine(&facts)),
        format!("{GOOD} False:Progressing False:Progressing")
    );
}

#[rstest]
#[case::agreed(vec![replica("a", "old", ""), replica("b", "old", "")], Some("old"))]
#[case::mixed(vec![replica("a", "new", ""), replica("b", "old", "")], None)]
#[case::faulty(vec![replica("a", "new", "bad")], None)]
#[case::silent(vec![replica("a", "", "")], None)]
#[case::nobody(vec![], None)]
fn enforced_is_what_all_gateways_enforce(
    #[case] replicas: Vec<ReplicaStanding>,
    #[case] expected: Option<&str>,
) {
    assert_eq!(enforced(&standing(replicas)), expected);
}
