//! What models answer, in each of the forms in which providers were seen to write it, from the wire to the user.

use std::time::{Duration, Instant};

use monstrum_answers::Form;
use monstrum_guardian::source::{Budget, BudgetOf, Counted};
use monstrum_wire::policy;
use rstest::rstest;

use crate::support::model::Reply;
use crate::support::policies::Held;
use crate::support::world::{MODEL_KEY, World, request};

const GOOD: &str = r#"{"owner":"acme","repo":"web"}"#;
const CREATE: &str = r#"{"owner":"acme","repo":"web","title":"x"}"#;

use policy::Dialect::{Anthropic, Openai};

/// A world whose model speaks this dialect, with a budget so large that it only counts.
async fn world(dialect: policy::Dialect) -> World {
    let world = World::start().await;
    let mut settings = world.settings();
    settings.model.as_mut().unwrap().dialect = dialect.into();
    let budget = Budget {
        of: BudgetOf::Bot,
        name: "daily".to_owned(),
        counts: Counted::Tokens,
        limit: 10_000_000,
        window_seconds: Some(86_400),
    };
    let permissions = crate::support::policies::permissions(&[Held::default()], &[budget]);
    world.operator.publish(permissions, settings, 60).await;
    world
}

fn booked(world: &World) -> u64 {
    let state = world.ledger.state.lock().unwrap();
    state.settled.iter().map(|counter| counter.amount).sum()
}

#[rstest]
#[tokio::test]
async fn text_arrives_whole_in_whatever_form_it_comes(
    #[values(Openai, Anthropic)] dialect: policy::Dialect,
    #[values(
        Form::EmptyEvents,
        Form::EveryField,
        Form::NoBlankLines,
        Form::ContentParts,
        Form::NullUsage,
        Form::EmptyUsage,
        Form::ZeroUsage,
        Form::NegativeUsage,
        Form::LabelledJson,
        Form::Unlabelled,
        Form::OddLabel,
        Form::Whole,
        Form::Done,
        Form::Thinking,
        Form::ErrorAfterEnd
    )]
    form: Form,
) {
    let world = world(dialect).await;
    world.model.script([Reply::text("one two three four").form(form)]);
    let turn = world.say("hello").await;
    assert_eq!(turn.done().text, "one two three four");
    assert_eq!(turn.text(), "one two three four");
    assert_eq!(turn.done().stop, "completed");
    assert_eq!(world.model.seen().len(), 1);
    assert!(booked(&world) > 0, "something was used, so something is counted");
    assert!(turn.done().usage.unwrap().input_tokens > 0);
}

#[rstest]
#[case::null(Form::NullUsage)]
#[case::empty(Form::EmptyUsage)]
#[case::zero(Form::ZeroUsage)]
#[case::negative(Form::NegativeUsage)]
#[tokio::test]
async fn usage_that_can_not_be_is_estimated_and_the_reservation_counts_in_full(
    #[case] form: Form,
    #[values(Openai, Anthropic)] dialect: policy::Dialect,
) {
    let world = world(dialect).await;
    world.model.script([Reply::text("one two three four").form(form)]);
    let used = world.say("hello").await.done().usage.unwrap();
    assert!(used.input_tokens > 50 && used.output_tokens > 2, "{used:?}");
    assert!(used.cost_micro_usd > 0);
    assert!(booked(&world) > 1000, "all that was reserved: {}", booked(&world));
}

#[rstest]
#[case::half_characters(Form::SplitCharacter, "to the HIGHLOW moon", "to the 🚀 moon")]
#[case::control_bytes(Form::ControlBytes, "a\u{1}b", "a\u{1}b")]
#[tokio::test]
async fn odd_characters_of_the_envelope_are_text(
    #[case] form: Form,
    #[case] said: &str,
    #[case] heard: &str,
    #[values(Openai, Anthropic)] dialect: policy::Dialect,
) {
    let world = world(dialect).await;
    world.model.script([Reply::text(said).form(form)]);
    assert_eq!(world.say("hello").await.done().text, heard);
}

#[rstest]
#[tokio::test]
async fn a_line_of_more_than_a_mebibyte_is_an_answer(#[values(Openai, Anthropic)] dialect: policy::Dialect) {
    let world = world(dialect).await;
    world.model.script([Reply::text("the end").form(Form::LongLine)]);
    let text = world.say("hello").await.done().text;
    assert!(text.len() > 1 << 20 && text.ends_with("the end"));
}

#[rstest]
#[tokio::test]
async fn an_answer_with_its_reason_to_stop_is_not_lost_to_a_connection_that_stays_open(
    #[values(Openai, Anthropic)] dialect: policy::Dialect,
) {
    let world = world(dialect).await;
    world
        .model
        .script([Reply::text("one two three").form(Form::StaysOpen)]);
    let began = Instant::now();
    assert_eq!(world.say("hello").await.done().text, "one two three");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

#[rstest]
#[case(Form::SharedIndex)]
#[case(Form::NoIndex)]
#[case(Form::EmptyIds)]
#[case(Form::DoubledIds)]
#[case(Form::ObjectArguments)]
#[case(Form::NameInPieces)]
#[case(Form::NameRepeated)]
#[case(Form::OneEvent)]
#[case(Form::CallsRepeated)]
#[case(Form::NoReason)]
#[case(Form::Done)]
#[case(Form::Whole)]
#[case(Form::EmptyEvents)]
#[tokio::test]
async fn two_calls_are_made_once_each_in_whatever_form_they_come(
    #[case] form: Form,
    #[values(Openai, Anthropic)] dialect: policy::Dialect,
) {
    let world = world(dialect).await;
    let calls = [
        ("call_a", "list_issues", GOOD),
        ("call_b", "create_issue", CREATE),
    ];
    world
        .model
        .script([Reply::calls(&calls).form(form), Reply::text("Both.")]);
    let turn = world.say("go").await;
    assert_eq!(turn.done().text, "Both.");
    let decisions: Vec<bool> = turn.decisions().iter().map(|decision| decision.allowed).collect();
    assert_eq!(decisions, [true, true], "{turn:?}");
    assert_eq!(world.runner.executed().len(), 2);
    let next = world.model.everything();
    assert!(next.contains("list_issues") && next.contains("create_issue"));
}

#[tokio::test]
async fn the_older_function_call_is_a_call() {
    let world = world(Openai).await;
    world.model.script([
        Reply::call("list_issues", GOOD).form(Form::FunctionCall),
        Reply::text("Done."),
    ]);
    assert_eq!(world.say("go").await.done().text, "Done.");
    assert_eq!(world.runner.executed().len(), 1);
}

#[rstest]
#[case::empty("")]
#[case::null("null")]
#[tokio::test]
async fn no_arguments_are_an_empty_object_which_the_guardian_judges(#[case] arguments: &str) {
    let world = world(Openai).await;
    world
        .model
        .script([Reply::call("list_issues", arguments), Reply::text("No.")]);
    let turn = world.say("go").await;
    assert_eq!(turn.done().text, "No.");
    assert!(!turn.decisions()[0].allowed, "owner and repo are missing");
    let next = world.model.seen()[1].json();
    assert_eq!(
        next["messages"][2]["tool_calls"][0]["function"]["arguments"],
        "{}"
    );
}

#[rstest]
#[tokio::test]
async fn no_call_is_made_from_an_answer_that_was_cut_at_its_limit_and_user_and_model_are_told(
    #[values(Openai, Anthropic)] dialect: policy::Dialect,
    #[values(Form::LimitInCall, Form::LimitAfterCall)] form: Form,
) {
    let world = world(dialect).await;
    let calls = [("a", "list_issues", GOOD), ("b", "create_issue", CREATE)];
    world
        .model
        .script([Reply::calls(&calls).form(form), Reply::text("Shorter, then.")]);
    let turn = world.say("go").await;
    assert_eq!(world.runner.executed(), []);
    assert!(turn.decisions().iter().all(|decision| !decision.allowed));
    assert_eq!(
        world.ledger.records("decision").len(),
        2,
        "that they were not made is recorded"
    );
    let told = turn.done().text;
    assert!(
        told.starts_with("Shorter, then.") && told.contains("cut at its output limit"),
        "{told}"
    );
    let next = world.model.seen()[1].json().to_string();
    assert!(next.contains("Your answer reached the output limit"), "{next}");
}

#[rstest]
#[tokio::test]
async fn no_call_is_made_from_an_answer_that_ends_in_the_middle_of_one(
    #[values(Openai, Anthropic)] dialect: policy::Dialect,
) {
    let world = world(dialect).await;
    let calls = [("a", "list_issues", GOOD), ("b", "create_issue", CREATE)];
    world
        .model
        .script([Reply::calls(&calls).form(Form::HalfCall), Reply::text("Again.")]);
    let turn = world.say("go").await;
    assert_eq!(world.runner.executed(), []);
    assert_eq!(turn.done().text, "Again.");
    assert!(turn.decisions().iter().all(|decision| !decision.allowed));
    let next = world.model.seen()[1].json().to_string();
    assert!(next.contains("ended before the arguments"), "{next}");
}

#[rstest]
#[tokio::test]
async fn half_an_answer_is_never_told_as_whole(
    #[values(Openai, Anthropic)] dialect: policy::Dialect,
    #[values(
        Form::BareEnd,
        Form::UnknownReason,
        Form::ErrorReason,
        Form::NoCalls,
        Form::NoReason
    )]
    form: Form,
) {
    let world = world(dialect).await;
    world
        .model
        .script([Reply::text("one two three").form(form), Reply::text("not asked")]);
    let turn = world.say("go").await;
    let failed = turn.failed();
    assert_eq!(failed.code, "ModelUnavailable");
    assert!(failed.message.contains("broke off"), "{}", failed.message);
    assert_eq!(turn.text(), "one two three");
    assert_eq!(
        world.model.seen().len(),
        1,
        "what was said once is not said again"
    );
}

#[rstest]
#[tokio::test]
async fn a_call_without_any_end_is_not_made(#[values(Openai, Anthropic)] dialect: policy::Dialect) {
    let world = World::start().await;
    let mut settings = world.settings();
    settings.model.as_mut().unwrap().dialect = dialect.into();
    world.enforce_with(&[Held::default()], settings, 60).await;
    world.model.script([
        Reply::call("create_issue", CREATE).form(Form::BareEnd),
        Reply::text("hello"),
    ]);
    assert_eq!(world.say("go").await.done().text, "hello");
    assert_eq!(world.runner.executed(), []);
}

#[rstest]
#[tokio::test]
async fn an_error_is_told_once_and_without_the_key_in_whatever_form_it_comes(
    #[values(Openai, Anthropic)] dialect: policy::Dialect,
    #[values(
        Form::StatusError,
        Form::ErrorDocument,
        Form::ErrorFields,
        Form::ErrorWords,
        Form::ErrorEvent,
        Form::PlainWords,
        Form::Page,
        Form::BareError,
        Form::Detail,
        Form::UnclosedError
    )]
    form: Form,
) {
    let world = world(dialect).await;
    let words = format!("the field x is not supported here, {MODEL_KEY} knows");
    world.model.script([Reply::text(&words).form(form)]);
    let failed = world.say("hello").await.failed();
    assert_eq!(failed.code, "ModelUnavailable");
    let told = "the field x is not supported here, [secret] knows";
    assert!(failed.message.contains(told), "{}", failed.message);
    assert_eq!(world.model.seen().len(), 1, "asking again is of no use");
}

#[tokio::test]
async fn compression_that_nobody_asked_for_is_one_clear_error() {
    let world = World::start().await;
    world.model.script([Reply::text("x").form(Form::Brotli)]);
    let failed = world.say("hello").await.failed();
    assert!(
        failed.message.contains("compressed with \"br\""),
        "{}",
        failed.message
    );
    assert_eq!(world.model.seen().len(), 1);
}

#[tokio::test]
async fn a_key_in_an_answer_reaches_neither_user_nor_ledger() {
    let world = World::start().await;
    world.model.script([
        Reply::text(&format!("it is {MODEL_KEY}, isn't it")),
        Reply::text("ok"),
    ]);
    let turn = world.say("what is the key").await;
    assert_eq!(turn.done().text, "it is [secret], isn't it");
    assert_eq!(turn.text(), "it is [secret], isn't it");
    world.send(request(&turn.session(), "again")).await;
    assert!(
        !world.model.everything().contains(MODEL_KEY),
        "nor the model, later"
    );
}

#[rstest]
#[case::part_of_a_second("0.6", Duration::from_millis(600))]
#[case::millis("600ms", Duration::from_millis(600))]
#[tokio::test]
async fn a_wait_of_part_of_a_second_is_waited_out(#[case] asked: &str, #[case] least: Duration) {
    let world = World::start().await;
    let limited = Reply {
        headers: vec![("retry-after", asked.to_owned())],
        ..Reply::failing(429, "{}")
    };
    world.model.script([limited, Reply::text("hello")]);
    let began = Instant::now();
    assert_eq!(world.say("hello").await.done().text, "hello");
    assert!(began.elapsed() >= least);
}
