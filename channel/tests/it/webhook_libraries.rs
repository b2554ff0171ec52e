//! The channel process and the reference libraries of those who send webhooks. They are installed from the package index when the
//! test runs for the first time.

use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::process::Process;
use crate::support::model::Reply;
use crate::support::world::{World, until};
use crate::webhook::{KEY, Receiver, ask, settings, whsec};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/libraries");

async fn python() -> String {
    // One installs, the others wait.
    static INSTALLED: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    let install = async || {
        let output = Command::new(Path::new(FOLDER).join("install.sh"))
            .arg(env!("CARGO_TARGET_TMPDIR"))
            .stderr(Stdio::inherit())
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "the libraries can't be installed");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    INSTALLED.get_or_init(install).await.clone()
}

/// Runs the other end; what it prints is JSON, or nothing.
async fn peer(arguments: &[&str], input: &Value) -> Value {
    let mut child = Command::new(python().await)
        .arg(Path::new(FOLDER).join("peer.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.to_string().as_bytes()).await.unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{arguments:?}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

fn bodies() -> Value {
    let long = "x".repeat(400);
    json!([
        ask("hi"),
        ask("Grüße, 世界 🚀"),
        format!(" {}\n", ask("spaces")),
        ask(&long)
    ])
}

#[rstest]
#[case::standard("standardwebhooks", whsec())]
#[case::svix("svix", whsec())]
#[case::secret_without_padding("standardwebhooks", format!("whsec_{}", STANDARD_NO_PAD.encode(KEY)))]
#[tokio::test]
async fn what_the_libraries_sign_is_answered(#[case] library: &str, #[case] secret: String) {
    let world = World::start().await;
    world
        .model
        .script((0..4).map(|number| Reply::text(&format!("answer {number}"))));
    let process = Process::start(&world, &settings(|_| {}), &secret).await;
    let url = format!("http://{}/hooks/ask", process.address);
    let answers = peer(&["send", library, &url, &secret], &bodies()).await;
    for (number, answer) in answers.as_array().unwrap().iter().enumerate() {
        assert_eq!(answer[0], 200, "{answer}");
        assert_eq!(answer[1]["text"], format!("answer {number}"));
    }
    assert_eq!(world.model.seen().len(), 4);
}

#[rstest]
#[case::standard("standardwebhooks")]
#[case::svix("svix")]
#[tokio::test]
async fn what_another_secret_signs_is_refused(#[case] library: &str) {
    let world = World::start().await;
    let process = Process::start(&world, &settings(|_| {}), &whsec()).await;
    let url = format!("http://{}/hooks/ask", process.address);
    let other = format!("whsec_{}", STANDARD_NO_PAD.encode([8; 32]));
    let answers = peer(&["send", library, &url, &other], &bodies()).await;
    for answer in answers.as_array().unwrap() {
        assert_eq!(
            (&answer[0], &answer[1]["error"]["code"]),
            (&json!(401), &json!("Signature"))
        );
    }
    assert_eq!(world.model.seen().len(), 0);
}

#[rstest]
#[case::standard("standardwebhooks")]
#[case::svix("svix")]
#[tokio::test]
async fn the_libraries_verify_a_callback(#[case] library: &str) {
    let world = World::start().await;
    world.model.script([Reply::text("später, 世界")]);
    let receiver = Receiver::default();
    let target = receiver.start().await;
    let settings = settings(|settings| {
        settings["mode"] = json!("Callback");
        settings["callbackUrl"] = json!(format!("http://{target}/answers"));
        settings["allowedAddresses"] = json!(["127.0.0.0/8"]);
    });
    let process = Process::start(&world, &settings, &whsec()).await;
    let url = format!("http://{}/hooks/ask", process.address);
    let answers = peer(&["send", library, &url, &whsec()], &json!([ask("hi")])).await;
    assert_eq!(answers[0][0], 202, "{answers}");
    until(|| receiver.seen.lock().unwrap().len() == 1).await;
    let (headers, body) = receiver.seen.lock().unwrap()[0].clone();
    let headers: serde_json::Map<_, _> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect();
    let request = json!([{ "headers": headers, "body": String::from_utf8(body.to_vec()).unwrap() }]);
    peer(&["verify", library, &whsec()], &request).await;
}
