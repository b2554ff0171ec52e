//! How long things take, seen from outside.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams, WatchParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind, WatchEvent};
use kube::{Api, Client};
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::chat::{SendRequest, turn_event};
use serde_json::json;
use tonic::transport::Channel;

use super::samples::Row;
use crate::harness::{BotSetup, Scripted, Workspace, tunnel};

fn objects(client: Client, namespace: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("monstrum.dev", "v1alpha1", kind);
    Api::namespaced_with(
        client,
        namespace,
        &ApiResource::from_gvk_with_plural(&kind, plural),
    )
}

/// From the first object's apply to the Bot's Ready, images present.
pub(super) async fn apply_to_ready(bots: usize) -> Result<Row> {
    let mut times = Vec::new();
    for _ in 0..bots {
        let workspace = Workspace::create("ready").await?;
        let started = Instant::now();
        BotSetup::triage().install(&workspace).await?;
        times.push(started.elapsed());
        workspace.remove().await?;
    }
    Ok(Row::of_times("apply to Ready", times))
}

/// From the moment a narrower or wider grant is stored to the moment the Bot's status says that its gateway acknowledged it.
pub(super) async fn change_to_enforced(workspace: &Workspace, changes: usize) -> Result<Row> {
    let client = workspace.cluster().client();
    let bindings = objects(client.clone(), workspace.name(), "BotBinding", "botbindings");
    let bots = objects(client, workspace.name(), "Bot", "bots");
    let mut times = Vec::new();
    for change in 0..changes {
        let before = bots.get("triage").await?;
        let version = before.metadata.resource_version.clone().unwrap_or_default();
        let watch = WatchParams::default().fields("metadata.name=triage").timeout(60);
        let mut events = bots.watch(&watch, &version).await?.boxed();
        let scope = json!({"repository": [format!("acme/r{change}-*")]});
        let patch = json!({"spec": {"grants": [{"operations": ["issue.read"], "scope": scope}]}});
        let started = Instant::now();
        bindings
            .patch("triage-work", &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        let old = before.data["status"]["enforcedDigest"].clone();
        times.push(
            enforced(&mut events, &old, started)
                .await
                .with_context(|| format!("change {change}"))?,
        );
    }
    Ok(Row::of_times(
        "change to enforced, as the Bot's status tells",
        times,
    ))
}

async fn enforced(
    events: &mut (impl futures::Stream<Item = kube::Result<WatchEvent<DynamicObject>>> + Unpin),
    old: &serde_json::Value,
    started: Instant,
) -> Result<Duration> {
    while let Some(event) = events.next().await {
        let WatchEvent::Modified(bot) = event? else {
            continue;
        };
        let status = &bot.data["status"];
        if status["enforcedDigest"] != *old && status["enforcedDigest"] == status["policyDigest"] {
            return Ok(started.elapsed());
        }
    }
    bail!("the watch ended before the change was enforced")
}

/// A whole turn without tools through the gateway's local port: port-forward, ledger and scripted model included.
pub(super) async fn turn(workspace: &Workspace, turns: usize) -> Result<Row> {
    let message = format!("Measure ({})", workspace.name());
    workspace
        .model()
        .script(
            workspace.name(),
            &Scripted::default().says("Done.").when(&message),
        )
        .await?;
    let times = converse(workspace, &message, turns).await?;
    Ok(Row::of_times(
        "whole turn without tools, model and port-forward included",
        times,
    ))
}

/// Says the same in a new session, again and again; how long each turn took.
pub(super) async fn converse(workspace: &Workspace, message: &str, turns: usize) -> Result<Vec<Duration>> {
    let mut chat = ChatClient::new(gateway(workspace).await?);
    let mut times = Vec::new();
    for _ in 0..turns {
        let started = Instant::now();
        let request = SendRequest {
            text: message.to_owned(),
            user: "measure".to_owned(),
            ..SendRequest::default()
        };
        let mut events = chat.send(request).await?.into_inner();
        while let Some(event) = events.message().await? {
            if let Some(turn_event::Event::Failed(failed)) = event.event {
                bail!("{}: {}", failed.code, failed.message);
            }
        }
        times.push(started.elapsed());
    }
    Ok(times)
}

async fn gateway(workspace: &Workspace) -> Result<Channel> {
    let pods: Api<Pod> = Api::namespaced(workspace.cluster().client(), workspace.name());
    let pod = tunnel::ready_pod(
        &pods,
        "monstrum.dev/bot=triage,app.kubernetes.io/component=gateway",
    )
    .await?;
    Ok(tunnel::grpc(pods, pod, 9444))
}
