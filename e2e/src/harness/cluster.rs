//! The cluster that the tests run on: the one that `KUBECONFIG` names.

use std::path::PathBuf;
use std::process::{Output, Stdio};

use anyhow::{Context as _, Result, bail};
use kube::Client;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// Where the installation lives.
pub const SYSTEM: &str = "monstrum-system";

/// Where the tests' servers live.
pub const FIXTURES: &str = "monstrum-fixtures";

/// A cluster with Monstrum installed.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
}

impl Cluster {
    /// Connects; says what to do when there is no cluster.
    pub async fn connect() -> Result<Self> {
        monstrum_service::install_crypto();
        let client = Client::try_default()
            .await
            .context("no cluster: run `make cluster-up install`, or set KUBECONFIG")?;
        Ok(Self { client })
    }

    /// The API client.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Runs `kubectl` and gives its standard output; an error carries what it printed.
    pub async fn kubectl(&self, args: &[&str]) -> Result<String> {
        let output = run(Command::new("kubectl").args(args), None).await?;
        checked(output, &format!("kubectl {}", args.join(" ")))
    }

    /// Applies YAML into a namespace.
    pub async fn apply(&self, namespace: &str, yaml: &str) -> Result<String> {
        let output = self.try_apply(namespace, yaml).await?;
        checked(output, "kubectl apply")
    }

    /// Applies YAML that the API server must refuse, and gives its message.
    pub async fn apply_refused(&self, namespace: &str, yaml: &str) -> Result<String> {
        let output = self.try_apply(namespace, yaml).await?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            bail!("the API server accepted what it must refuse:\n{yaml}");
        }
        Ok(told)
    }

    /// What the API server warns of when it would be given this YAML; nothing is kept.
    pub async fn warnings(&self, namespace: &str, yaml: &str) -> Result<String> {
        let args = ["apply", "-n", namespace, "--dry-run=server", "-f", "-"];
        let output = run(Command::new("kubectl").args(args), Some(yaml)).await?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        checked(output, "kubectl apply --dry-run=server")?;
        Ok(told)
    }

    async fn try_apply(&self, namespace: &str, yaml: &str) -> Result<Output> {
        run(
            Command::new("kubectl").args(["apply", "-n", namespace, "-f", "-"]),
            Some(yaml),
        )
        .await
    }

    /// Runs `helm`.
    pub async fn helm(&self, args: &[&str]) -> Result<String> {
        let output = run(Command::new("helm").args(args), None).await?;
        checked(output, &format!("helm {}", args.join(" ")))
    }

    /// Runs the product's own command line.
    pub async fn monstrum(&self, args: &[&str]) -> Result<Output> {
        run(Command::new(monstrum()).args(args), None).await
    }
}

/// The product's command line: `MONSTRUM_BIN`, or `monstrum` on the path.
pub fn monstrum() -> PathBuf {
    std::env::var_os("MONSTRUM_BIN").map_or_else(|| PathBuf::from("monstrum"), PathBuf::from)
}

async fn run(command: &mut Command, input: Option<&str>) -> Result<Output> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .with_context(|| format!("{name} can't be started; is it on the PATH?"))?;
    if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(text.as_bytes()).await?;
    }
    Ok(child.wait_with_output().await?)
}

fn checked(output: Output, what: &str) -> Result<String> {
    if !output.status.success() {
        bail!(
            "{what} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
