use serde_json::{json, Value};
fn doubling(n: usize) -> Value {
    let mut defs = serde_json::Map::new();
    for i in 0..n { defs.insert(format!("d{i}"), json!({"anyOf":[{"$ref":format!("#/$defs/d{}",i+1)},{"$ref":format!("#/$defs/d{}",i+1)}]})); }
    defs.insert(format!("d{n}"), json!({"type":"string"}));
    json!({"type":"object","properties":{"a":{"$ref":"#/$defs/d0"}},"$defs":defs})
}
#[test]
fn time_it() {
    for n in [10, 14, 18, 20] {
        let s = doubling(n);
        let t = std::time::Instant::now();
        let v = jsonschema::draft202012::options().build(&s).unwrap();
        let c = t.elapsed();
        let t = std::time::Instant::now();
        let ok = v.is_valid(&json!({"a": 1}));
        println!("n={n} compile {c:?} validate {:?} {ok}", t.elapsed());
    }
    let s = json!({"type":"object","properties":{"c":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]},"x":{"type":"string"}}});
    let v = jsonschema::draft202012::options().build(&s).unwrap();
    for d in [8, 12, 16, 18] {
        let mut i = json!({"x": 1});
        for _ in 0..d { i = json!({"c": i}); }
        let t = std::time::Instant::now();
        let ok = v.is_valid(&i);
        println!("d={d} valid {:?} {ok}", t.elapsed());
        let t = std::time::Instant::now();
        let ok = v.validate(&i).is_ok();
        println!("d={d} validate {:?} {ok}", t.elapsed());
    }
}
