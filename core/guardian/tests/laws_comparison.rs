//! Laws of comparing two policies: whatever the new one permits and the old one does not is told. `PROPTEST_CASES` says how long to
//! look for a counterexample.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;
#[path = "fixture/question.rs"]
mod question;
#[path = "fixture/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use monstrum_guardian::comparison::{Widening, widenings};
use monstrum_guardian::decision::{Call, CounterKey, Facts, Verdict};
use monstrum_guardian::source::{BotSource, Grant, ResourceType};
use monstrum_guardian::{Engine, compile};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use question::{BINDINGS, cases, name_of, rank};
use serde_json::{Value, json};

/// One edit that somebody may make to the objects of a bot.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Drop,
    Repeat,
    Split,
    WidenPattern,
    AddPattern,
    DropPattern,
    DropDimension,
    AddDimension,
    DropOperation,
    WidenOperation,
    AddTool,
    RaiseQuota,
    LowerQuota,
    DropQuota,
    AddQuota,
    DropApproval,
    AddApproval,
    DropValidity,
    Swap,
    DropFeed,
    MoveFeed,
    NewParameter,
    DropParameter,
    OptionalParameter,
    LowerRisk,
    RaiseRisk,
    Operation,
    Unset,
    Kind,
    Target,
}

const EDITS: [Edit; 30] = [
    Edit::Drop,
    Edit::Repeat,
    Edit::Split,
    Edit::WidenPattern,
    Edit::AddPattern,
    Edit::DropPattern,
    Edit::DropDimension,
    Edit::AddDimension,
    Edit::DropOperation,
    Edit::WidenOperation,
    Edit::AddTool,
    Edit::RaiseQuota,
    Edit::LowerQuota,
    Edit::DropQuota,
    Edit::AddQuota,
    Edit::DropApproval,
    Edit::AddApproval,
    Edit::DropValidity,
    Edit::Swap,
    Edit::DropFeed,
    Edit::MoveFeed,
    Edit::NewParameter,
    Edit::DropParameter,
    Edit::OptionalParameter,
    Edit::LowerRisk,
    Edit::RaiseRisk,
    Edit::Operation,
    Edit::Unset,
    Edit::Kind,
    Edit::Target,
];

fn edits() -> impl Strategy<Value = Vec<(Edit, Index, Index)>> {
    proptest::collection::vec((select(EDITS.to_vec()), any::<Index>(), any::<Index>()), 1..4)
}

/// The objects after the edits; those that nothing compiles from are left as they were.
fn edited(source: &BotSource, edits: &[(Edit, Index, Index)]) -> BotSource {
    edits.iter().fold(source.clone(), |source, (edit, which, part)| {
        let mut next = source.clone();
        let place = which.index(next.bindings.len());
        let binding = &mut next.bindings[place];
        let mut resource_type = (*binding.resource_type).clone();
        of_type(*edit, &mut resource_type, *which, *part);
        binding.resource_type = Arc::new(resource_type);
        of_grants(*edit, &mut binding.grants, *which, *part);
        if matches!(edit, Edit::Target) {
            binding.config = json!({"baseUrl": "https://elsewhere.example"});
        }
        for (place, grant) in binding.grants.iter_mut().enumerate() {
            grant.origin = format!("binding/{}#{place}", binding.name);
        }
        // Bindings of one type share it.
        let (name, resource_type) = (
            binding.resource_type.name.clone(),
            Arc::clone(&binding.resource_type),
        );
        for other in next
            .bindings
            .iter_mut()
            .filter(|other| other.resource_type.name == name)
        {
            other.resource_type = Arc::clone(&resource_type);
        }
        if compile(&next).faults.is_empty() {
            next
        } else {
            source
        }
    })
}

fn of_type(edit: Edit, resource_type: &mut ResourceType, which: Index, part: Index) {
    let dimension = which.index(resource_type.dimensions.len());
    let tool = which.index(resource_type.tools.len());
    let tool = &mut resource_type.tools[tool];
    let properties = tool.parameters["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let parameter = (!properties.is_empty()).then(|| {
        properties
            .keys()
            .nth(part.index(properties.len()))
            .unwrap()
            .clone()
    });
    match (edit, parameter) {
        (Edit::DropFeed, _) if !tool.scope.is_empty() => {
            tool.scope.remove(part.index(tool.scope.len()));
        }
        (Edit::MoveFeed, Some(parameter)) if !tool.scope.is_empty() => {
            let place = part.index(tool.scope.len());
            tool.scope[place].from =
                serde_json::from_value(json!({"pointer": format!("/{parameter}")})).unwrap();
        }
        (Edit::NewParameter, _) => {
            tool.parameters["properties"]["note"] = json!({"type": ["string", "null"]});
        }
        (Edit::DropParameter, Some(parameter)) => {
            tool.parameters["properties"]
                .as_object_mut()
                .unwrap()
                .remove(&parameter);
        }
        (Edit::OptionalParameter, _) => tool.parameters["required"] = json!([]),
        (Edit::LowerRisk, _) => tool.risk = serde_json::from_value(json!("Low")).unwrap(),
        (Edit::RaiseRisk, _) => tool.risk = serde_json::from_value(json!("High")).unwrap(),
        (Edit::Operation, _) => "issue.read".clone_into(&mut tool.operation),
        (Edit::Unset, _) => {
            resource_type.dimensions[dimension].when_unset = serde_json::from_value(json!("Allow")).unwrap();
        }
        (Edit::Kind, _) => {
            resource_type.dimensions[dimension].matching =
                serde_json::from_value(json!({"glob": {}})).unwrap();
        }
        _ => {}
    }
}

fn of_grants(edit: Edit, grants: &mut Vec<Grant>, which: Index, part: Index) {
    if grants.is_empty() {
        return;
    }
    let place = which.index(grants.len());
    let mut grant = grants[place].clone();
    let dimension = (!grant.scope.is_empty()).then(|| {
        grant
            .scope
            .keys()
            .nth(part.index(grant.scope.len()))
            .unwrap()
            .clone()
    });
    match (edit, dimension) {
        (Edit::Drop, _) => {
            grants.remove(place);
            return;
        }
        (Edit::Repeat, _) => grants.push(grant.clone()),
        (Edit::Split, Some(dimension)) => {
            let last = grant.scope.get_mut(&dimension).and_then(Vec::pop).unwrap();
            let mut other = grant.clone();
            other.scope.insert(dimension.clone(), vec![last]);
            if grant.scope[&dimension].is_empty() {
                grant = other;
            } else {
                grants.push(other);
            }
        }
        (Edit::WidenPattern, Some(dimension)) if dimension == "repository" || dimension == "path" => {
            grant.scope.insert(dimension, vec![json!("**")]);
        }
        (Edit::AddPattern, Some(dimension)) if dimension == "repository" || dimension == "label" => {
            grant.scope.get_mut(&dimension).unwrap().push(json!("evil/web"));
        }
        (Edit::DropPattern, Some(dimension)) if grant.scope[&dimension].len() > 1 => {
            grant.scope.get_mut(&dimension).unwrap().pop();
        }
        (Edit::DropDimension, Some(dimension)) => {
            grant.scope.remove(&dimension);
        }
        (Edit::AddDimension, _) => {
            grant.scope.insert("state".to_owned(), vec![json!("open")]);
        }
        (Edit::DropOperation, _) if grant.operations.len() > 1 => {
            grant.operations.pop();
        }
        (Edit::WidenOperation, _) => grant.operations = vec!["*".to_owned()],
        (Edit::AddTool, _) => grant.tools.push("whoami".to_owned()),
        (Edit::RaiseQuota, _) => grant.quotas.iter_mut().for_each(|quota| quota.limit += 1),
        (Edit::LowerQuota, _) => grant.quotas.iter_mut().for_each(|quota| quota.limit -= 1),
        (Edit::DropQuota, _) => grant.quotas.clear(),
        (Edit::AddQuota, _) => {
            grant.quotas =
                serde_json::from_value(json!([{"name": "calls", "counts": "Calls", "limit": 2}])).unwrap();
        }
        (Edit::DropApproval, _) => grant.approval.clear(),
        (Edit::AddApproval, _) => grant.approval = serde_json::from_value(json!([{}])).unwrap(),
        (Edit::DropValidity, _) => grant.validity = None,
        (Edit::Swap, _) => {
            let last = grants.len() - 1;
            grants.swap(place, last);
            return;
        }
        _ => {}
    }
    grants[place] = grant;
}

/// One of the two policies, with the use of its counters.
struct Side {
    engine: Engine,
    used: BTreeMap<CounterKey, u64>,
}

impl Side {
    /// With so much used of each counter.
    fn of(source: &BotSource, begun: impl Fn(&CounterKey) -> u64) -> Self {
        let engine = Engine::load(&compile(source).document).unwrap();
        let counters = engine.counters().into_iter();
        let used = counters
            .map(|counter| (counter.key.clone(), begun(&counter.key)))
            .collect();
        Self { engine, used }
    }

    /// How freely the call is permitted now; it is counted if `made` says so of that.
    fn ask(&mut self, name: &str, arguments: &str, made: impl Fn(u8) -> bool) -> u8 {
        let facts = Facts {
            used: self.used.clone(),
            ..Facts::default()
        };
        let decision = self.engine.check(
            &Call {
                tool: name,
                arguments,
            },
            &facts,
        );
        let rank = rank(&decision);
        if let (true, Verdict::Allow(permit) | Verdict::NeedsApproval(permit)) =
            (made(rank), &decision.verdict)
        {
            for reserved in &permit.reserve {
                *self.used.entry(reserved.key.clone()).or_default() += reserved.amount;
            }
        }
        rank
    }
}

/// Makes the calls one after the other under both policies: what the new one permits more freely must be told, of that tool.
fn tells(
    old: &BotSource,
    new: &BotSource,
    calls: &[(&'static str, Value)],
    begun: u64,
) -> Result<(), TestCaseError> {
    let found = widenings(&compile(old).document, &compile(new).document);
    let mut before = Side::of(old, |_| begun);
    // A counter that nobody had before begins with nothing used.
    let counted = before.used.clone();
    let mut after = Side::of(new, |key| counted.get(key).copied().unwrap_or_default());
    for (tool, arguments) in calls.iter().cycle().take(calls.len() * 4) {
        let arguments = arguments.to_string();
        let names = BINDINGS
            .iter()
            .filter_map(|binding| name_of(&after.engine, binding, tool));
        for name in names.collect::<Vec<_>>() {
            let fresh = before.used.values().all(|used| *used == 0);
            let is = after.ask(&name, &arguments, |rank| rank > 0);
            let was = before.ask(&name, &arguments, |_| is > 0);
            if is > was {
                // A quota is of several tools, so that what is told of one may show at another.
                prop_assert!(
                    !found.is_empty(),
                    "{name} {arguments}: {was} → {is}\n{old:#?}\n{new:#?}"
                );
                prop_assert!(!fresh || told(&found, &name), "{name} {arguments}: {found:#?}");
            }
        }
    }
    Ok(())
}

fn told(found: &[Widening], tool: &str) -> bool {
    found.iter().any(|widening| widening.tool == tool)
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn what_an_edit_permits_more_is_told(
        old in world::bot_source(), edits in edits(), calls in world::calls(), begun in 0_u64..5
    ) {
        tells(&old, &edited(&old, &edits), &calls, begun)?;
    }

    #[test]
    fn what_another_policy_permits_more_is_told(
        old in world::bot_source(), new in world::bot_source(), calls in world::calls(), begun in 0_u64..5
    ) {
        tells(&old, &new, &calls, begun)?;
    }

    /// The words of what is proven: nothing changed, or only less is granted.
    #[test]
    fn what_is_only_less_is_not_told(old in world::bot_source(), edits in edits()) {
        let document = compile(&old).document;
        prop_assert_eq!(widenings(&document, &document), []);
        let less = |edit: &Edit| matches!(edit, Edit::DropOperation | Edit::DropParameter | Edit::LowerQuota | Edit::RaiseRisk);
        let edits: Vec<_> = edits.into_iter().filter(|(edit, ..)| less(edit)).collect();
        let alone = |source: &BotSource| source.bindings.iter().all(|binding| binding.grants.len() < 2);
        if alone(&old) {
            let new = edited(&old, &edits);
            prop_assert_eq!(widenings(&document, &compile(&new).document), [], "{:?}", edits);
        }
    }
}

/// A grant that names a tool or an operation of which nothing is granted is compared all the same.
#[test]
fn a_grant_that_also_names_what_is_not_granted_is_compared() {
    let grant = |repositories: &[&str]| json!({"operations": ["issue.read", "issue.comment"], "tools": ["list_issues"], "scope": {"repository": repositories}});
    let of = |repositories: &[&str]| {
        let mut source = bot::source(vec![bot::binding("code", &bot::forge(), &[grant(repositories)])]);
        source.bindings[0].resource_type = with_comments();
        compile(&source).document
    };
    let found = widenings(&of(&["acme/web"]), &of(&["**"]));
    assert!(told(&found, "list_issues"), "{found:?}");
}

/// The forge with an operation that no tool of the grant has.
fn with_comments() -> Arc<ResourceType> {
    let mut forge = (*bot::forge()).clone();
    let mut tool = forge.tools[0].clone();
    "comment".clone_into(&mut tool.name);
    "issue.comment".clone_into(&mut tool.operation);
    forge.tools.push(tool);
    Arc::new(forge)
}

fn document(grants: &[Value]) -> monstrum_guardian::document::Document {
    let compilation = compile(&bot::source(vec![bot::binding("code", &bot::forge(), grants)]));
    assert_eq!(compilation.faults, []);
    compilation.document
}

fn reading(repositories: &[&str], more: &Value) -> Value {
    let mut grant = json!({"operations": ["issue.read"], "scope": {"repository": repositories}});
    for (key, value) in more.as_object().unwrap() {
        grant[key] = value.clone();
    }
    grant
}

#[test]
fn a_quota_written_twice_or_split_is_told() {
    let quota =
        json!({"quotas": [{"name": "daily", "counts": "Calls", "limit": 5, "windowSeconds": 86_400}]});
    let both = reading(&["acme/web", "acme/api"], &quota);
    let old = document(std::slice::from_ref(&both));
    assert_eq!(widenings(&old, &document(std::slice::from_ref(&both))), []);
    let split = [reading(&["acme/web"], &quota), reading(&["acme/api"], &quota)];
    for new in [&[both.clone(), both.clone()], &split] {
        let found = widenings(&old, &document(new));
        assert!(
            found
                .iter()
                .any(|widening| widening.why.contains("counted beside it")),
            "{found:?}"
        );
    }
}

/// What several grants permitted, one value of one dimension each, one grant may permit; but not pairs, where a call feeds a list.
#[test]
fn grants_of_one_value_each_may_be_written_as_one() {
    let none = json!({});
    let old = document(&[reading(&["acme/web"], &none), reading(&["acme/api"], &none)]);
    let new = document(&[reading(&["acme/web", "acme/api"], &none)]);
    assert_eq!(widenings(&old, &new), []);
    let labelled = |labels: &[&str]| json!({"operations": ["issue.read"], "scope": {"repository": ["acme/web"], "label": labels}});
    let old = document(&[labelled(&["bug"]), labelled(&["docs"])]);
    let new = document(&[labelled(&["bug", "docs"])]);
    assert!(told(&widenings(&old, &new), "list_issues"));
}

#[test]
fn what_changed_of_a_tool_is_told_by_name() {
    let of = |edit: &dyn Fn(&mut ResourceType)| {
        let mut forge = (*bot::forge()).clone();
        edit(&mut forge);
        let grants = [
            json!({"operations": ["issue.read"], "scope": {"repository": ["acme/web"], "state": ["open"], "label": ["x"]}}),
        ];
        let compilation = compile(&bot::source(vec![bot::binding(
            "code",
            &Arc::new(forge),
            &grants,
        )]));
        assert_eq!(compilation.faults, []);
        compilation.document
    };
    let old = of(&|_| {});
    let why = |edit: &dyn Fn(&mut ResourceType)| -> Vec<String> {
        widenings(&old, &of(edit))
            .into_iter()
            .map(|widening| widening.why)
            .collect()
    };
    assert_eq!(
        why(&|forge| forge.tools[0].scope.retain(|feed| feed.dimension != "label")),
        [""; 0],
        "no call of a tool that feeds nothing to what the grant restricts is permitted"
    );
    assert_eq!(
        why(&|forge| {
            forge.tools[0].scope[3].from = serde_json::from_value(json!({"pointer": "/note"})).unwrap();
        }),
        ["label is no longer fed from /labels; label is fed from /note"]
    );
    assert_eq!(
        why(&|forge| forge.tools[0].parameters["properties"]["assignee"] = json!({"type": "string"})),
        ["its parameter assignee is new"]
    );
    assert_eq!(
        why(&|forge| forge.tools[0].parameters["required"] = json!(["owner"])),
        ["its parameter repo may be left out"]
    );
    assert_eq!(
        why(&|forge| forge.tools[0].execution = json!({"path": "/other"})),
        ["what the tool does: null → {\"path\":\"/other\"}"]
    );
    assert_eq!(
        why(&|forge| forge.dimensions[4].matching = serde_json::from_value(json!({"glob": {}})).unwrap()),
        ["dimension label: match {\"exact\":{}} → {\"glob\":{}}"]
    );
    assert_eq!(
        why(&|forge| "Other words".clone_into(&mut forge.tools[0].description)),
        [""; 0]
    );
}
