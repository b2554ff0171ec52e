//! The channel service as a process of its own.

use std::net::SocketAddr;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::support::world::{World, own_channel};

/// `monstrum-channel`, as it runs in a pod.
pub struct Process {
    pub address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Process {
    pub async fn start(world: &World, settings: &Value, secret: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let pem = world.enrol_process(&own_channel()).await;
        file("tls.crt", &pem.certificate);
        file("tls.key", &pem.key);
        file("ca.crt", &pem.authority);
        let address = free();
        let child = Command::new(env!("CARGO_BIN_EXE_monstrum-channel"))
            .env("MONSTRUM_TLS_DIR", folder.path())
            .env("MONSTRUM_ADMIN_ADDRESS", "127.0.0.1:0")
            .env("MONSTRUM_REACH_LOOPBACK", "true")
            .env("MONSTRUM_LEDGER", &world.ledger_url)
            .env(
                "MONSTRUM_CHANNEL_CONFIG",
                file("config.json", &settings.to_string()),
            )
            .env("MONSTRUM_CHANNEL_SECRET", file("secret", secret))
            .env("MONSTRUM_LISTEN", address.to_string())
            .env("MONSTRUM_GATEWAY_TEMPLATE", &world.mutual)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        Self {
            address,
            child,
            _folder: folder,
        }
    }

    /// The most memory that it ever had, in bytes.
    pub fn peak(&self) -> usize {
        let path = format!("/proc/{}/status", self.child.id().unwrap());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
    }
}

fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
