use super::super::json::Document;
use super::*;
use rstest::rstest;

/// Lists of parts as `tool_calls` has them, one list a chunk.
fn assemble(chunks: &[&str]) -> Assembly {
    let mut assembly = Assembly::default();
    for chunk in chunks {
        let document = Document::of(chunk);
        let mut place = 0_usize;
        let add = |entry: Json<'_>| {
            let [index, id, name, arguments] = entry.fields(["i", "id", "n", "a"]);
            let string = |json: Option<Json<'_>>| json.and_then(Json::string).unwrap_or_default();
            let part = Part {
                index: index.and_then(Json::number),
                place,
                id: string(id),
                name: string(name),
                arguments,
                initial: None,
            };
            place = place.saturating_add(1);
            assembly.add(&part).map(drop).ok_or(())
        };
        document.root().unwrap().each(add).unwrap();
    }
    assembly
}

fn calls(chunks: &[&str]) -> Vec<(String, String)> {
    let calls = assemble(chunks).finish().into_iter();
    calls.map(|call| (call.name, call.arguments)).collect()
}

#[rstest]
#[case::one_index_two_ids(&[r#"[{"i":0,"id":"a","n":"t","a":"{}"}]"#, r#"[{"i":0,"id":"b","n":"u","a":"{}"}]"#])]
#[case::one_index_no_ids(&[r#"[{"i":0,"n":"t","a":"{}"}]"#, r#"[{"i":0,"n":"u","a":"{}"}]"#])]
#[case::one_index_in_turns(&[
    r#"[{"i":0,"id":"a","n":"t"}]"#, r#"[{"i":0,"id":"b","n":"u"}]"#,
    r#"[{"i":0,"id":"a","a":"{"}]"#, r#"[{"i":0,"id":"b","a":"{"}]"#,
    r#"[{"i":0,"id":"a","a":"}"}]"#, r#"[{"i":0,"id":"b","a":"}"}]"#,
])]
#[case::indexes_in_turns(&[
    r#"[{"i":0,"id":"a","n":"t"}]"#, r#"[{"i":1,"id":"b","n":"u","a":"{"}]"#,
    r#"[{"i":0,"a":"{}"}]"#, r#"[{"i":1,"a":"}"}]"#,
])]
#[case::two_indexes_one_id(&[r#"[{"i":0,"id":"a","n":"t","a":"{}"},{"i":1,"id":"a","n":"u","a":"{}"}]"#])]
#[case::two_indexes_one_id_in_pieces(&[
    r#"[{"i":0,"id":"a","n":"t","a":"{"}]"#, r#"[{"i":0,"a":"}"}]"#,
    r#"[{"i":1,"id":"a","n":"u","a":"{"}]"#, r#"[{"i":1,"a":"}"}]"#,
])]
#[case::no_index(&[r#"[{"id":"a","n":"t","a":"{}"}]"#, r#"[{"id":"b","n":"u","a":"{}"}]"#])]
#[case::no_index_in_pieces(&[
    r#"[{"id":"a","n":"t","a":"{"}]"#, r#"[{"a":"}"}]"#, r#"[{"id":"b","n":"u","a":"{"}]"#, r#"[{"a":"}"}]"#,
])]
#[case::no_index_one_id(&[r#"[{"id":"a","n":"t","a":"{}"},{"id":"a","n":"u","a":"{}"}]"#])]
#[case::neither_index_nor_id(&[r#"[{"n":"t","a":"{}"},{"n":"u","a":"{}"}]"#])]
#[case::neither_in_two_chunks(&[r#"[{"n":"t","a":"{}"}]"#, r#"[{"n":"u","a":"{}"}]"#])]
#[case::neither_and_no_arguments(&[r#"[{"n":"t"},{"n":"u"}]"#])]
#[case::arguments_as_objects(&[r#"[{"i":0,"id":"a","n":"t","a":{}},{"i":1,"id":"b","n":"u","a":{}}]"#])]
#[case::no_arguments(&[r#"[{"i":0,"id":"a","n":"t","a":""},{"i":1,"id":"b","n":"u","a":null}]"#])]
#[case::name_in_pieces(&[
    r#"[{"i":0,"id":"a","n":"t"},{"i":1,"id":"b","n":"u","a":"{}"}]"#, r#"[{"i":0,"n":"","a":"{}"}]"#,
])]
#[case::first_part_without_index(&[
    r#"[{"id":"a","n":"t"}]"#, r#"[{"i":0,"a":"{}"}]"#, r#"[{"i":1,"id":"b","n":"u"}]"#, r#"[{"i":1,"a":"{}"}]"#,
])]
#[case::a_new_id_for_every_part(&[
    r#"[{"i":0,"id":"a1","n":"t","a":"{"}]"#, r#"[{"i":0,"id":"a2","a":"}"}]"#,
    r#"[{"i":1,"id":"b1","n":"u","a":"{"}]"#, r#"[{"i":1,"id":"b2","a":"}"}]"#,
])]
#[case::everything_with_every_part(&[
    r#"[{"i":0,"id":"a","n":"t","a":"{"}]"#, r#"[{"i":0,"id":"a","n":"t","a":"}"}]"#,
    r#"[{"i":0,"id":"a","n":"t","a":""}]"#, r#"[{"i":1,"id":"b","n":"u","a":"{}"}]"#,
])]
#[case::all_of_it_once_more(&[
    r#"[{"i":0,"id":"a","n":"t","a":"{"}]"#, r#"[{"i":0,"a":"}"}]"#, r#"[{"i":1,"id":"b","n":"u","a":"{}"}]"#,
    r#"[{"i":0,"id":"a","n":"t","a":"{}"},{"i":1,"id":"b","n":"u","a":"{}"}]"#,
])]
fn two_calls_are_two(#[case] chunks: &[&str]) {
    let expected =
        [("t", "{}"), ("u", "{}")].map(|(name, arguments)| (name.to_owned(), arguments.to_owned()));
    assert_eq!(calls(chunks), expected);
}

#[rstest]
#[case::whole(&[r#"[{"i":0,"n":"get_weather","a":"{}"}]"#])]
#[case::in_two(&[r#"[{"i":0,"n":"get_"}]"#, r#"[{"i":0,"n":"weather","a":"{}"}]"#])]
#[case::growing(&[r#"[{"i":0,"n":"get_"}]"#, r#"[{"i":0,"n":"get_weather","a":"{}"}]"#])]
#[case::again_and_again(&[r#"[{"i":0,"n":"get_weather"}]"#, r#"[{"i":0,"n":"get_weather","a":"{"}]"#, r#"[{"i":0,"n":"get_weather","a":"}"}]"#])]
#[case::late(&[r#"[{"i":0,"a":"{"}]"#, r#"[{"i":0,"n":"get_weather","a":"}"}]"#])]
fn a_name_comes_whole_in_pieces_or_again_with_every_part(#[case] chunks: &[&str]) {
    assert_eq!(calls(chunks), [("get_weather".to_owned(), "{}".to_owned())]);
}

#[rstest]
#[case::empty(r#"[{"n":"t","a":""}]"#, "{}")]
#[case::blank(r#"[{"n":"t","a":" \n"}]"#, "{}")]
#[case::null(r#"[{"n":"t","a":null}]"#, "{}")]
#[case::null_as_text(r#"[{"n":"t","a":"null"}]"#, "{}")]
#[case::absent(r#"[{"n":"t"}]"#, "{}")]
#[case::object(r#"[{"n":"t","a":{"x":1,"x":2}}]"#, r#"{"x":1,"x":2}"#)]
#[case::list(r#"[{"n":"t","a":[]}]"#, "[]")]
#[case::not_json(r#"[{"n":"t","a":"x=1"}]"#, "x=1")]
#[case::raw_control_byte_in_an_object("[{\"n\":\"t\",\"a\":{\"x\":\"\u{1}\"}}]", "{\"x\":\"\u{1}\"}")]
fn arguments_stay_as_they_were_written_and_none_are_an_empty_object(
    #[case] chunk: &str,
    #[case] expected: &str,
) {
    assert_eq!(calls(&[chunk])[0].1, expected);
}

#[rstest]
#[case::none(&[r#"[{"n":"t","a":"{}"},{"n":"t","a":"{}"}]"#])]
#[case::empty(&[r#"[{"i":0,"id":"","n":"t","a":"{}"},{"i":1,"id":"","n":"t","a":"{}"}]"#])]
#[case::doubled(&[r#"[{"i":0,"id":"x","n":"t","a":"{}"},{"i":1,"id":"x","n":"t","a":"{}"}]"#])]
#[case::odd(&[r#"[{"i":0,"id":"a b","n":"t","a":"{}"},{"i":1,"id":"\u0001","n":"t","a":"{}"}]"#])]
fn every_call_has_an_id_of_its_own_that_fits_every_dialect(#[case] chunks: &[&str]) {
    let calls = assemble(chunks).finish();
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0].id, calls[1].id);
    for call in calls.iter().filter(|call| call.id != "x") {
        assert_eq!(call.id.len(), 9, "{}", call.id);
        assert!(
            call.id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
            "{}",
            call.id
        );
    }
}

#[test]
fn an_endless_id_is_replaced_and_a_good_one_kept() {
    let long = format!(r#"[{{"id":"{}","n":"t"}}]"#, "x".repeat(MAX_ID + 1));
    assert_eq!(assemble(&[&long]).finish()[0].id.len(), 9);
    assert_eq!(
        assemble(&[r#"[{"id":"toolu_01A","n":"t"}]"#]).finish()[0].id,
        "toolu_01A"
    );
}

#[rstest]
#[case::whole(r#"[{"n":"t","a":"{\"a\":\"}\\\"\"}"}]"#, Calls::Whole)]
#[case::none(r"[]", Calls::None)]
#[case::open(r#"[{"n":"t","a":"{\"a\":{}"}]"#, Calls::Half)]
#[case::open_string(r#"[{"n":"t","a":"{\"a\":\"}"}]"#, Calls::Half)]
#[case::one_of_two(r#"[{"n":"t","a":"{}"},{"n":"u","a":"{"}]"#, Calls::Half)]
#[case::no_arguments(r#"[{"n":"t","a":""}]"#, Calls::Plausible)]
#[case::no_json(r#"[{"n":"t","a":"{x}"}]"#, Calls::Plausible)]
fn half_a_call_is_known(#[case] chunk: &str, #[case] expected: Calls) {
    assert_eq!(assemble(&[chunk]).state(), expected);
}

#[test]
fn too_many_calls_are_refused() {
    let mut assembly = Assembly::default();
    let call = |name: usize| Part {
        index: u64::try_from(name).ok(),
        name: format!("t{name}"),
        ..Part::default()
    };
    for name in 0..MAX_CALLS {
        assembly.add(&call(name)).unwrap();
    }
    assert_eq!(assembly.add(&call(MAX_CALLS)), None);
}
