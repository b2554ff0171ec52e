use super::*;
use monstrum_wire::identity::BotId;
use policy::{Certificate, Member as Wire};

const LEASE: Duration = Duration::from_secs(60);
const FIRST: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";
const SECOND: &str = "c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7";

fn gateway(uid: &str) -> Identity {
    Identity::Gateway(BotId {
        namespace: "team-a".to_owned(),
        name: "triage".to_owned(),
        uid: uid.parse().unwrap(),
    })
}

fn peer(uid: &str, serial: &str) -> Peer {
    Peer {
        identity: gateway(uid),
        serial: serial.parse().unwrap(),
    }
}

fn member(uid: &str, serials: &[(&str, u32)]) -> Wire {
    let certificates = serials.iter().map(|(serial, good_seconds)| Certificate {
        serial: (*serial).to_owned(),
        good_seconds: *good_seconds,
    });
    Wire {
        identity: gateway(uid).to_string(),
        certificates: certificates.collect(),
        workspace: FIRST.to_owned(),
    }
}

fn roster(members: Vec<Wire>) -> policy::Roster {
    policy::Roster {
        namespace: "team-a".to_owned(),
        members,
    }
}

fn known(members: Vec<Wire>) -> Roster {
    let known = Roster::default();
    known.take(7, true, &[roster(members)], LEASE).unwrap();
    known
}

#[tokio::test(start_paused = true)]
async fn only_the_living_object_and_its_last_certificates_are_admitted() {
    let known = known(vec![member(SECOND, &[("0a", 0), ("0b", 30)])]);
    assert_eq!(known.admission(&peer(SECOND, "0a")), Admission::Admitted);
    assert_eq!(known.admission(&peer(SECOND, "0b")), Admission::Admitted);
    assert_eq!(known.admission(&peer(SECOND, "0c")), Admission::Stranger);
    assert_eq!(
        known.admission(&peer(FIRST, "0a")),
        Admission::Stranger,
        "its namesake"
    );
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(known.admission(&peer(SECOND, "0a")), Admission::Admitted);
    assert_eq!(
        known.admission(&peer(SECOND, "0b")),
        Admission::Stranger,
        "its overlap is over"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_is_admitted_before_the_first_word_and_after_the_lease() {
    let silent = Roster::default();
    assert_eq!(silent.admission(&peer(FIRST, "0a")), Admission::Unknown);
    let known = known(vec![member(FIRST, &[("0a", 0)])]);
    tokio::time::advance(LEASE.saturating_sub(Duration::from_secs(1))).await;
    known.prolong(LEASE);
    tokio::time::advance(LEASE.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(known.admission(&peer(FIRST, "0a")), Admission::Admitted);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(known.admission(&peer(FIRST, "0a")), Admission::Unknown);
    assert!(
        known.lives(&gateway(FIRST)) && known.lives(&gateway(SECOND)),
        "nobody is dismissed by silence"
    );
}

#[tokio::test(start_paused = true)]
async fn a_dismissal_is_told_and_leaves_other_namespaces_alone() {
    let known = known(vec![member(FIRST, &[("0a", 0)])]);
    let mut changes = known.changes();
    let other = policy::Roster {
        namespace: "team-b".to_owned(),
        members: Vec::new(),
    };
    known.take(7, false, &[other], LEASE).unwrap();
    changes.next().await;
    assert_eq!(known.admission(&peer(FIRST, "0a")), Admission::Admitted);
    known.take(7, false, &[roster(Vec::new())], LEASE).unwrap();
    changes.next().await;
    assert_eq!(known.admission(&peer(FIRST, "0a")), Admission::Stranger);
    assert!(!known.lives(&gateway(FIRST)));
}

#[tokio::test(start_paused = true)]
async fn what_a_former_leader_says_counts_for_nothing() {
    let known = known(vec![member(SECOND, &[("0a", 0)])]);
    let stale = [roster(vec![member(FIRST, &[("0a", 0)])])];
    assert_eq!(known.take(6, true, &stale, LEASE), Err(RosterError::Older));
    assert_eq!(known.admission(&peer(FIRST, "0a")), Admission::Stranger);
    assert_eq!(known.admission(&peer(SECOND, "0a")), Admission::Admitted);
}

#[tokio::test(start_paused = true)]
async fn a_roster_that_can_not_be_read_changes_nothing() {
    let known = known(vec![member(FIRST, &[("0a", 0)])]);
    let mut foreign = member(SECOND, &[("0a", 0)]);
    foreign.identity = foreign.identity.replace("team-a", "team-b");
    let mut workspace = member(SECOND, &[("0a", 0)]);
    workspace.workspace = "any".to_owned();
    for bad in [
        foreign,
        workspace,
        member(SECOND, &[("0A", 0)]),
        Wire {
            identity: "ledger".to_owned(),
            ..Wire::default()
        },
        Wire {
            identity: "ns/team-a/bot/triage/gateway".to_owned(),
            ..Wire::default()
        },
    ] {
        let taken = known.take(7, true, &[roster(vec![bad.clone()])], LEASE);
        assert!(matches!(taken, Err(RosterError::Unreadable { .. })), "{bad:?}");
        assert_eq!(known.admission(&peer(FIRST, "0a")), Admission::Admitted);
    }
}
