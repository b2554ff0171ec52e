//! What of a grant is no scope: how often, with whose agreement, and when.

use super::words::{quota_of, quota_words};
use crate::selector;
use crate::source::{Grant, Quota, Tool, Validity};

/// Whether the new grant is bound by everything that binds the old one; else what is not kept. `same_binding` says whether both are of
/// the binding of one name, as counters are.
pub(super) fn terms_kept(
    (old, old_tool): (&Grant, &Tool),
    (new, tool): (&Grant, &Tool),
    same_binding: bool,
) -> Result<(), String> {
    for quota in &old.quotas {
        quota_kept((old, quota), new, same_binding)?;
    }
    // Rules that say nothing of this tool bind nobody.
    if selector::asks(&old.approval, old_tool) && !selector::asks(&new.approval, tool) {
        return Err("it asks for a person's approval, which is not asked for any more".to_owned());
    }
    validity_kept(old.validity.as_ref(), new.validity.as_ref())
}

/// A quota is a counter of its own for each grant: a second grant, or one at another place, counts anew.
fn quota_kept((old, quota): (&Grant, &Quota), new: &Grant, same_binding: bool) -> Result<(), String> {
    let words = quota_words(quota);
    let Some(other) = new.quotas.iter().find(|other| other.name == quota.name) else {
        return Err(format!("its {words} is not kept"));
    };
    if (other.counts, other.window_seconds) != (quota.counts, quota.window_seconds) {
        return Err(format!("its {words} is not kept, but is {}", quota_of(other)));
    }
    if other.limit > quota.limit {
        return Err(format!("its {words} is raised to {}", quota_of(other)));
    }
    if !same_binding || old.origin != new.origin {
        return Err(format!("its {words} is counted beside it, from nothing"));
    }
    Ok(())
}

fn validity_kept(old: Option<&Validity>, new: Option<&Validity>) -> Result<(), String> {
    let Some(old) = old else { return Ok(()) };
    let (start, end) = new.map_or((None, None), |new| (new.not_before, new.not_after));
    if old
        .not_before
        .is_some_and(|first| start.is_none_or(|start| start < first))
    {
        return Err("it begins to hold earlier".to_owned());
    }
    if old.not_after.is_some_and(|last| end.is_none_or(|end| end > last)) {
        return Err("it holds longer".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::within;
    use crate::source::Dimension;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn grant(text: Value) -> Grant {
        let mut text = text;
        if text.get("origin").is_none() {
            text["origin"] = json!("binding/a#0");
        }
        text["operations"] = json!(["issue.write"]);
        serde_json::from_value(text).unwrap()
    }

    fn dimensions() -> Vec<Dimension> {
        serde_json::from_value(json!([
            {"name": "project", "match": {"glob": {"separator": "/"}}},
            {"name": "label", "match": {"glob": {}}, "whenUnset": "Allow"},
            {"name": "path", "match": {"path": {}}}
        ]))
        .unwrap()
    }

    fn tool() -> Tool {
        serde_json::from_value(json!({
            "name": "create", "description": "", "operation": "issue.write", "risk": "Medium", "parameters": {"type": "object"},
            "scope": [
                {"dimension": "project", "from": {"pointer": "/project"}},
                {"dimension": "label", "from": {"pointer": "/label"}}
            ]
        }))
        .unwrap()
    }

    fn known(old: Value, new: Value) -> bool {
        within(&dimensions(), &tool(), &grant(old), &grant(new)).is_ok()
    }

    fn any() -> Value {
        json!({"scope": {"project": ["acme/*"]}})
    }

    fn with(key: &str, value: Value) -> Value {
        let mut grant = any();
        grant[key] = value;
        grant
    }

    fn quota(limit: u64) -> Value {
        json!([{"name": "daily", "counts": "Calls", "limit": limit, "windowSeconds": 86_400}])
    }

    #[rstest]
    #[case::the_same(any())]
    #[case::a_narrower_pattern(json!({"scope": {"project": ["acme/web", "acme/docs-*"]}}))]
    #[case::one_more_dimension(json!({"scope": {"project": ["acme/*"], "label": ["bug"]}}))]
    #[case::a_quota(with("quotas", quota(5)))]
    #[case::an_approval(with("approval", json!([{}])))]
    #[case::an_end(with("validity", json!({"notAfter": "2030-01-01T00:00:00Z"})))]
    #[case::a_restriction_that_no_call_meets(json!({"scope": {"project": ["acme/*"], "path": ["x"]}}))]
    fn narrower_is_known(#[case] new: Value) {
        assert!(known(any(), new));
    }

    #[rstest]
    #[case::a_wider_pattern(any(), json!({"scope": {"project": ["acme/**"]}}))]
    #[case::another_pattern(any(), json!({"scope": {"project": ["acme/web", "evil/web"]}}))]
    #[case::one_dimension_less(json!({"scope": {"project": ["acme/*"], "label": ["bug"]}}), any())]
    #[case::a_quota_less(with("quotas", quota(5)), any())]
    #[case::a_larger_quota(with("quotas", quota(5)), with("quotas", quota(6)))]
    #[case::another_window(
        with("quotas", quota(5)),
        with("quotas", json!([{"name": "daily", "counts": "Calls", "limit": 5, "windowSeconds": 3_600}]))
    )]
    #[case::no_window(with("quotas", json!([{"name": "daily", "counts": "Calls", "limit": 5}])), with("quotas", quota(5)))]
    #[case::another_count(
        with("quotas", quota(5)),
        with("quotas", json!([{"name": "daily", "counts": "Tokens", "limit": 5, "windowSeconds": 86_400}]))
    )]
    #[case::another_name(
        with("quotas", quota(5)),
        with("quotas", json!([{"name": "d", "counts": "Calls", "limit": 5, "windowSeconds": 86_400}]))
    )]
    #[case::another_counter(
        with("quotas", quota(5)),
        json!({"origin": "binding/a#1", "scope": {"project": ["acme/*"]}, "quotas": quota(5)})
    )]
    #[case::no_approval(with("approval", json!([{}])), any())]
    #[case::an_approval_of_others(with("approval", json!([{}])), with("approval", json!([{"risk": "High"}])))]
    #[case::an_approval_of_another_operation(
        with("approval", json!([{"operations": ["issue.*"]}])), with("approval", json!([{"operations": ["issue.delete"]}]))
    )]
    #[case::no_end(with("validity", json!({"notAfter": "2030-01-01T00:00:00Z"})), any())]
    #[case::a_later_end(
        with("validity", json!({"notAfter": "2030-01-01T00:00:00Z"})),
        with("validity", json!({"notAfter": "2031-01-01T00:00:00Z"}))
    )]
    #[case::an_earlier_start(
        with("validity", json!({"notBefore": "2030-01-01T00:00:00Z"})),
        with("validity", json!({"notBefore": "2029-01-01T00:00:00Z"}))
    )]
    #[case::a_restriction_that_no_call_met(json!({"scope": {"project": ["acme/*"], "path": ["x"]}}), any())]
    #[case::a_dimension_that_had_to_be_named(json!({}), any())]
    fn wider_is_not(#[case] old: Value, #[case] new: Value) {
        assert!(!known(old, new));
    }

    /// What counts is whether a person is asked about this tool, however that is written.
    #[rstest]
    #[case(json!([{"operations": ["issue.write"]}]), json!([{"risk": "Medium"}]))]
    #[case(json!([{"risk": "High"}]), json!([]))]
    #[case(json!([{"operations": ["issue.delete"]}]), json!([]))]
    fn approval_is_compared_by_what_it_asks(#[case] old: Value, #[case] new: Value) {
        assert!(known(with("approval", old), with("approval", new)));
    }

    /// Each of these comparisons is given up by itself; all together are no more work than a few.
    #[test]
    fn comparisons_that_belong_together_share_their_bound() {
        let matching = json!([{"name": "text", "match": {"regex": {}}}]);
        let dimensions: Vec<Dimension> = serde_json::from_value(matching).unwrap();
        let mut work = crate::comparison::Work::default();
        let start = std::time::Instant::now();
        for n in 0..400 {
            let (one, other) = (
                [json!(format!("(a|b)*a(a|b){{18}}c{n}"))],
                [json!("(a|b)*b(a|b){18}c+")],
            );
            let found = work.contains(&dimensions[0], &one, &other);
            assert_ne!(found, crate::containment::Containment::Contained);
        }
        assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
        // What needs no search is still known.
        let equal = [json!("(a|b)*a")];
        assert_eq!(
            work.contains(&dimensions[0], &equal, &equal),
            crate::containment::Containment::Contained
        );
    }
}
