//! The settings in `docs/models.md` are read and judged as a user's would be.

use monstrum_crds::object::Object;
use monstrum_crds::validate;
use monstrum_crds::world::World;
use serde_json::Value;

fn page() -> String {
    let path = format!("{}/../docs/models.md", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_documented_provider_is_usable() {
    let page = page();
    let blocks = page.split("```yaml\n").skip(1);
    let documents = blocks.flat_map(|rest| -> Vec<Value> {
        serde_saphyr::from_multiple(rest.split("```").next().unwrap()).unwrap()
    });
    let mut names = Vec::new();
    for document in documents {
        let object = Object::read(document).unwrap();
        let Object::ModelProvider(provider) = &object else {
            panic!("a {} is documented among the models", object.kind());
        };
        let name = provider.metadata.name.clone().unwrap();
        assert_eq!(validate::refusals(&object, &World::new("team")), [], "{name}");
        for model in &provider.spec.models {
            assert!(model.context_tokens.is_some(), "{name}: {}", model.name);
        }
        names.push(name);
    }
    for name in [
        "openai",
        "azure",
        "anthropic",
        "gemini",
        "deepseek",
        "moonshot",
        "mistral",
        "local",
        "openrouter",
        "groq",
        "litellm",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}
