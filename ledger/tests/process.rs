//! The real process: started by its command line, killed, started again, stopped, backed up.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code outside of cfg(test)")]

use std::net::TcpListener;
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use monstrum_service::authority::Authority;
use monstrum_service::{Channel, Pem, Tls};
use monstrum_wire::audit::Verifier;
use monstrum_wire::identity::{BotId, Identity};
use monstrum_wire::ledger::audit_client::AuditClient;
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{AppendRequest, AuditRecord, HeadRequest, ReadRequest};
use monstrum_wire::policy::enrolment_server::{Enrolment as EnrolmentService, EnrolmentServer};
use monstrum_wire::policy::{Certificate, FollowRequest, FollowResponse, Member, Roster};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tonic::{Code, Request, Response, Status};

const DOMAIN: &str = "monstrum.local";
const UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";
const BINARY: &str = env!("CARGO_BIN_EXE_monstrum-ledger");

/// An operator that says who lives.
#[derive(Clone)]
struct Operator {
    said: watch::Sender<FollowResponse>,
}

#[tonic::async_trait]
impl EnrolmentService for Operator {
    type FollowStream = Pin<Box<dyn Stream<Item = Result<FollowResponse, Status>> + Send>>;

    async fn follow(&self, request: Request<FollowRequest>) -> Result<Response<Self::FollowStream>, Status> {
        assert_eq!(monstrum_service::peer(&request)?.identity, Identity::Ledger);
        let said = WatchStream::new(self.said.subscribe()).map(Ok);
        Ok(Response::new(Box::pin(said)))
    }
}

/// All that lives: one bot with one certificate, or nobody.
fn roster(members: Vec<Member>) -> FollowResponse {
    FollowResponse {
        epoch: 1,
        whole: true,
        rosters: vec![Roster {
            namespace: "team-a".to_owned(),
            members,
        }],
        lease_seconds: 600,
    }
}

async fn operator(authority: &Authority, member: Member) -> (String, watch::Sender<FollowResponse>) {
    let pem = authority
        .issue(&Identity::Operator, &["127.0.0.1"], Duration::from_hours(1))
        .unwrap();
    let incoming = Tls::from_pem(&pem, DOMAIN)
        .unwrap()
        .listen("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = format!("https://{}", incoming.local_addr());
    let said = watch::Sender::new(roster(vec![member]));
    let operator = Operator { said: said.clone() };
    let server = tonic::transport::Server::builder().add_service(EnrolmentServer::new(operator));
    tokio::spawn(server.serve_with_incoming(incoming));
    (address, said)
}

/// A ledger's folder, a gateway that talks to it, and the operator that lets it.
struct Ledger {
    folder: TempDir,
    address: String,
    admin: String,
    channel: Channel,
    operator: String,
    said: watch::Sender<FollowResponse>,
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string()
}

fn write(folder: &Path, pem: &Pem) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("tls.crt"), &pem.certificate).unwrap();
    std::fs::write(folder.join("tls.key"), &pem.key).unwrap();
    std::fs::write(folder.join("ca.crt"), &pem.authority).unwrap();
}

impl Ledger {
    async fn installed() -> Self {
        monstrum_service::install_crypto();
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::generate(DOMAIN).unwrap();
        let hour = Duration::from_hours(1);
        write(
            &folder.path().join("tls"),
            &authority.issue(&Identity::Ledger, &["127.0.0.1"], hour).unwrap(),
        );
        let bot = BotId {
            namespace: "team-a".to_owned(),
            name: "triage".to_owned(),
            uid: UID.parse().unwrap(),
        };
        let gateway = Identity::Gateway(bot);
        let pem = authority.issue(&gateway, &[], hour).unwrap();
        let member = Member {
            identity: gateway.to_string(),
            certificates: vec![Certificate {
                serial: pem.serial().unwrap().to_string(),
                good_seconds: 0,
            }],
            workspace: String::new(),
        };
        let (operator, said) = operator(&authority, member).await;
        let (address, admin) = (free_address(), free_address());
        let channel = Tls::from_pem(&pem, DOMAIN)
            .unwrap()
            .channel(&format!("https://{address}"), &Identity::Ledger)
            .unwrap();
        Self {
            folder,
            address,
            admin,
            channel,
            operator,
            said,
        }
    }

    fn start(&self) -> Child {
        Command::new(BINARY)
            .arg("serve")
            .args(["--listen-address", &self.address, "--admin-address", &self.admin])
            .args(["--operator", &self.operator])
            .arg("--data-dir")
            .arg(self.folder.path())
            .arg("--tls-dir")
            .arg(self.folder.path().join("tls"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Appends, as soon as it is there.
    async fn append(&self) -> u64 {
        let mut ledger = LedgerClient::new(self.channel.clone());
        for _ in 0..200 {
            let record = AuditRecord {
                kind: "decision".to_owned(),
                ..AuditRecord::default()
            };
            match ledger.append(AppendRequest { record: Some(record) }).await {
                Ok(answer) => return answer.into_inner().sequence,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        panic!("the ledger does not answer");
    }

    /// How long the chain is, having verified it.
    async fn verified(&self) -> u64 {
        let mut audit = AuditClient::new(self.channel.clone());
        let head = audit.head(HeadRequest {}).await.unwrap().into_inner();
        let mut stream = audit.read(ReadRequest::default()).await.unwrap().into_inner();
        let mut verifier = Verifier::default();
        while let Some(record) = stream.message().await.unwrap() {
            verifier.push(&record).unwrap();
        }
        verifier.finish(head.sequence, &head.hash).unwrap();
        head.sequence
    }

    fn back_up(&self, to: &Path) -> Output {
        Command::new(BINARY)
            .args(["backup", "--data-dir"])
            .arg(self.folder.path())
            .arg("--to")
            .arg(to)
            .output()
            .unwrap()
    }
}

fn kill(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Asks it to stop, and has it stop well before its drain's deadline. The waiting is done elsewhere, so that the
/// client can take part in closing its connection.
async fn stop(mut process: Child) {
    kill(&process, Signal::TERM);
    let ended = tokio::task::spawn_blocking(move || process.wait().unwrap());
    let status = tokio::time::timeout(Duration::from_secs(15), ended)
        .await
        .unwrap()
        .unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn what_was_answered_survives_a_kill_in_the_middle_of_writing() {
    let ledger = Ledger::installed().await;
    for _ in 0..3 {
        let mut process = ledger.start();
        let mut answered = ledger.append().await;
        let mut client = LedgerClient::new(ledger.channel.clone());
        let killed = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(150)).await;
            kill(&process, Signal::KILL);
            process.wait().unwrap()
        });
        loop {
            let record = AuditRecord {
                kind: "decision".to_owned(),
                ..AuditRecord::default()
            };
            match client.append(AppendRequest { record: Some(record) }).await {
                Ok(answer) => answered = answer.into_inner().sequence,
                Err(_) => break,
            }
        }
        assert!(!killed.await.unwrap().success());
        let mut process = ledger.start();
        let next = ledger.append().await;
        // The one that was under way when the process died may be there or not.
        assert!(
            next == answered + 1 || next == answered + 2,
            "{answered} were answered, {next} came next"
        );
        assert_eq!(ledger.verified().await, next);
        kill(&process, Signal::KILL);
        process.wait().unwrap();
    }
}

#[tokio::test]
async fn a_served_ledger_is_backed_up_and_stops_in_good_order() {
    let ledger = Ledger::installed().await;
    let process = ledger.start();
    ledger.append().await;
    let copy = ledger.folder.path().join("copy.db");
    let made = ledger.back_up(&copy);
    let told = String::from_utf8(made.stdout).unwrap();
    assert!(
        made.status.success() && told.ends_with("1 audit records of 1 bots\n"),
        "{told}"
    );
    let again = ledger.back_up(&copy);
    assert!(!again.status.success());
    assert!(
        String::from_utf8(again.stderr)
            .unwrap()
            .contains("exists already")
    );
    stop(process).await;
    let restored = Ledger::installed().await;
    std::fs::copy(&copy, restored.folder.path().join("ledger.db")).unwrap();
    let process = restored.start();
    assert_eq!(restored.append().await, 2);
    assert_eq!(restored.verified().await, 2);
    stop(process).await;
}

#[tokio::test]
async fn a_dismissed_bot_is_refused_within_a_second_and_its_chain_is_read_by_its_uid() {
    let ledger = Ledger::installed().await;
    let process = ledger.start();
    ledger.append().await;
    ledger.said.send_replace(roster(Vec::new()));
    let mut client = LedgerClient::new(ledger.channel.clone());
    let refused = tokio::time::timeout(Duration::from_secs(1), async {
        loop {
            let record = AuditRecord {
                kind: "decision".to_owned(),
                ..AuditRecord::default()
            };
            match client.append(AppendRequest { record: Some(record) }).await {
                Err(status) if status.code() == Code::PermissionDenied => return,
                Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });
    refused.await.unwrap();
    let run = |line: &[&str]| {
        let output = Command::new(BINARY)
            .args(line)
            .arg("--data-dir")
            .arg(ledger.folder.path())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let bot = format!("team-a/triage/{UID}");
    let (listed, chains) = run(&["chains"]);
    assert!(listed && chains.starts_with(&format!("{bot}\t")), "{chains}");
    let (exported, lines) = run(&["export", &bot]);
    assert!(exported, "{lines}");
    let (records, head) = lines.trim_end().rsplit_once('\n').unwrap();
    assert!(head.starts_with("{\"head\":"), "{head}");
    let mut verifier = Verifier::default();
    for record in records.lines() {
        verifier.push(&serde_json::from_str(record).unwrap()).unwrap();
    }
    assert!(verifier.head().0 >= 1);
    assert!(!run(&["export", "team-a/triage/c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7"]).0);
    stop(process).await;
}

#[test]
fn wrong_flags_and_a_missing_folder_are_told() {
    let run = |line: &[&str]| Command::new(BINARY).args(line).output().unwrap();
    assert_eq!(run(&["serve", "--nonsense"]).status.code(), Some(64));
    assert_eq!(run(&["backup"]).status.code(), Some(64));
    let help = run(&["--help"]);
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("serve") && help.contains("backup"), "{help}");
    let missing = run(&["backup", "--data-dir", "/nowhere", "--to", "/nowhere/copy.db"]);
    assert_eq!(missing.status.code(), Some(1));
    let told = String::from_utf8(missing.stderr).unwrap();
    assert!(told.contains("/nowhere/ledger.db does not exist"), "{told}");
}
