//! Those who can't sign: they cost a channel next to nothing, and genuine senders are served meanwhile.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process::Process;
use crate::support::model::Reply;
use crate::support::world::World;
use crate::webhook::{ask, now, settings, signed, whsec};

const MIB: usize = 1 << 20;

/// A channel process, and the world that it lives in.
struct Scene {
    process: Process,
    _world: World,
}

async fn open() -> Scene {
    let world = World::start().await;
    world.model.script((0..100).map(|_| Reply::text("hello Ann")));
    let settings = settings(|settings| settings["maxBodyBytes"] = json!(MIB));
    Scene {
        process: Process::start(&world, &settings, &whsec()).await,
        _world: world,
    }
}

fn head(length: usize) -> String {
    format!(
        "POST /hooks/ask HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
         webhook-id: m\r\nwebhook-timestamp: {}\r\nwebhook-signature: v1,{}=\r\n\r\n",
        now(),
        "A".repeat(43),
    )
}

/// Sends what it can, and reads whatever comes back.
async fn send(address: SocketAddr, head: String, body: &'static [u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    if stream.write_all(head.as_bytes()).await.is_ok() {
        let _ = stream.write_all(body).await;
        let _ = tokio::time::timeout(Duration::from_secs(15), stream.read_to_end(&mut answer)).await;
    }
    answer
}

async fn genuine(scene: &Scene, count: usize) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    for number in 0..count {
        let began = Instant::now();
        let id = format!("genuine-{number}");
        let request = signed(&client, scene.process.address, &id, now(), &ask("hi"));
        let response = request.send().await.unwrap();
        assert_eq!(
            response.status(),
            StatusCode::OK,
            "{}",
            response.text().await.unwrap()
        );
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_connections_keep_no_sender_out() {
    let scene = open().await;
    let address = scene.process.address;
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    genuine(&scene, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_without_a_signature_take_no_memory() {
    let scene = open().await;
    let address = scene.process.address;
    let body: &'static [u8] = vec![b' '; MIB].leak();
    let unsigned = (0..400).map(|_| tokio::spawn(send(address, head(MIB), body)));
    let unsigned: Vec<_> = unsigned.collect();
    genuine(&scene, 5).await;
    for answer in unsigned {
        let answer = answer.await.unwrap();
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
    let peak = scene.process.peak();
    assert!(peak < 128 * MIB, "{} MiB", peak / MIB);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_stall_give_way_to_genuine_ones() {
    let scene = open().await;
    let address = scene.process.address;
    let mut stalled = Vec::new();
    for _ in 0..250 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(head(MIB).as_bytes()).await;
        let _ = stream.write_all(&[b' '; 60 << 10]).await;
        stalled.push(stream);
    }
    genuine(&scene, 5).await;
}

#[tokio::test]
async fn what_is_announced_too_large_or_without_a_signature_is_refused_before_its_body() {
    let scene = open().await;
    let address = scene.process.address;
    let unsigned = format!(
        "POST /hooks/ask HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {MIB}\r\n\r\n"
    );
    for (head, status) in [(head(5 * MIB), "413"), (unsigned, "400")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Nothing of the body is sent, and the answer comes all the same.
        let mut answer = vec![0; 1024];
        let read = tokio::time::timeout(Duration::from_secs(2), stream.read(&mut answer)).await;
        let answer = String::from_utf8_lossy(&answer[..read.unwrap().unwrap()]).into_owned();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}
