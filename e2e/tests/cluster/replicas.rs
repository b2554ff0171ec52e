//! Several gateways of one bot: each of them takes whole turns.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, bail};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, ListParams};
use monstrum_e2e::harness::{BotSetup, Workspace, tunnel, wait};
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::chat::{SendRequest, turn_event};

const BOUND: Duration = Duration::from_secs(60);
const GATEWAYS: &str = "app.kubernetes.io/component=gateway,monstrum.dev/bot=triage";

async fn gateways(pods: &Api<Pod>) -> Result<BTreeSet<String>> {
    let found = pods.list(&ListParams::default().labels(GATEWAYS)).await?;
    let ready = found.items.into_iter().filter(tunnel::is_ready);
    Ok(ready.filter_map(|pod| pod.metadata.name).collect())
}

/// What a tool call of a turn that this very gateway took came to.
async fn look_through(pods: &Api<Pod>, gateway: &str, message: &str) -> Result<turn_event::Event> {
    let mut chat = ChatClient::new(tunnel::grpc(pods.clone(), gateway.to_owned(), 9444));
    let request = SendRequest {
        text: message.to_owned(),
        user: "e2e".to_owned(),
        ..SendRequest::default()
    };
    let mut events = chat.send(request).await?.into_inner();
    let mut result = None;
    while let Some(event) = events.message().await? {
        match event.event {
            Some(event @ turn_event::Event::Result(_)) => result = Some(event),
            Some(turn_event::Event::Failed(failed)) => bail!("{}: {}", failed.code, failed.message),
            _ => {}
        }
    }
    result.ok_or_else(|| anyhow::anyhow!("no tool was called"))
}

async fn each_takes_a_turn(pods: &Api<Pod>, workspace: &Workspace) -> Result<BTreeSet<String>> {
    let message = workspace.script_a_look().await?;
    let both = gateways(pods).await?;
    for gateway in &both {
        let event = look_through(pods, gateway, &message).await?;
        assert!(
            matches!(&event, turn_event::Event::Result(result) if result.ok),
            "{gateway}: {event:?}"
        );
    }
    Ok(both)
}

/// As whoever may edit bots scales them, and as an autoscaler sees it.
async fn scaled(workspace: &Workspace, replicas: &str) -> Result<()> {
    let cluster = workspace.cluster();
    let scale = ["-n", workspace.name(), "scale", "bots.monstrum.dev/triage"];
    cluster
        .kubectl(&[&scale[..], &["--replicas", replicas]].concat())
        .await?;
    let path = format!(
        "/apis/monstrum.dev/v1alpha1/namespaces/{}/bots/triage/scale",
        workspace.name()
    );
    let seen = || async {
        let scale = cluster.kubectl(&["get", "--raw", &path]).await?;
        let scale: serde_json::Value = serde_json::from_str(&scale)?;
        Ok((
            scale.pointer("/status/replicas").cloned(),
            scale.pointer("/status/selector").cloned(),
        ))
    };
    let count: i64 = replicas.parse()?;
    wait::until("the scale tells its pods", BOUND, seen, |(pods, selector)| {
        *pods == Some(count.into()) && selector.as_ref().is_some_and(|selector| selector == GATEWAYS)
    })
    .await
    .map(drop)
}

#[tokio::test]
async fn every_gateway_of_a_bot_has_its_runners() -> Result<()> {
    let workspace = Workspace::create("replicas").await?;
    BotSetup::triage()
        .bot("  gateway: {replicas: 1}")
        .install(&workspace)
        .await?;
    scaled(&workspace, "2").await?;
    let pods: Api<Pod> = Api::namespaced(workspace.cluster().client(), workspace.name());
    wait::until(
        "two gateways are ready",
        BOUND,
        || gateways(&pods),
        |now| now.len() == 2,
    )
    .await?;
    let first = each_takes_a_turn(&pods, &workspace).await?;

    // One goes, another comes: its runners find it without the bot being touched.
    let gone = first.iter().next().cloned().unwrap_or_default();
    pods.delete(&gone, &DeleteParams::default()).await?;
    let replaced = |now: &BTreeSet<String>| now.len() == 2 && !now.contains(&gone);
    wait::until("the gateway is replaced", BOUND, || gateways(&pods), replaced).await?;
    let second = each_takes_a_turn(&pods, &workspace).await?;
    assert_eq!(second.difference(&first).count(), 1, "{first:?} then {second:?}");
    workspace.remove().await
}
