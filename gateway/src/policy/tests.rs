use monstrum_guardian::document::Document;
use monstrum_wire::policy::{Dialect, Limits, Model};
use monstrum_wire::snapshot::digest;
use rstest::rstest;

use super::*;

fn bot(name: &str) -> BotName {
    BotName {
        namespace: "team-a".to_owned(),
        name: name.to_owned(),
    }
}

fn settings() -> Settings {
    Settings {
        model: Some(Model {
            dialect: Dialect::Openai.into(),
            base_url: "http://model/v1".to_owned(),
            ..Model::default()
        }),
        limits: Some(Limits {
            max_steps: 1,
            max_turn_seconds: 1,
            max_turn_tokens: 1,
            max_result_bytes: 1,
            max_parallel_calls: 1,
            max_queued_messages: 1,
            call_timeout_seconds: 1,
        }),
        ..Settings::default()
    }
}

fn snapshot(epoch: u64, sequence: u64, display_name: &str) -> Snapshot {
    let document = Document::empty(bot("triage"));
    seal(
        Version { epoch, sequence },
        document.to_bytes(),
        Settings {
            display_name: display_name.to_owned(),
            ..settings()
        },
    )
}

fn seal(version: Version, permissions: Vec<u8>, settings: Settings) -> Snapshot {
    let digest = digest(&permissions, &settings);
    Snapshot {
        version: Some(version),
        digest,
        permissions,
        settings: Some(settings),
        lease_seconds: 30,
    }
}

fn policy() -> Policy {
    Policy::new(bot("triage"))
}

fn name(policy: &Policy) -> String {
    policy.current().settings.display_name.clone()
}

#[tokio::test(start_paused = true)]
async fn there_is_no_policy_before_the_first() {
    let policy = policy();
    assert!(!policy.holds());
    assert_eq!(policy.current().digest, "");
    assert!(policy.current().engine.tools().is_empty());
}

#[rstest]
#[case::newer_sequence((1, 2), true)]
#[case::newer_epoch((2, 0), true)]
#[case::same_version_other_content((1, 1), false)]
#[case::older_sequence((1, 0), false)]
#[case::older_epoch((0, 9), false)]
#[tokio::test(start_paused = true)]
async fn only_newer_policies_replace(#[case] (epoch, sequence): (u64, u64), #[case] replaces: bool) {
    let policy = policy();
    assert_eq!(policy.take(&snapshot(1, 1, "first")), Taken::Enforced);
    let taken = policy.take(&snapshot(epoch, sequence, "second"));
    assert_eq!(taken, if replaces { Taken::Enforced } else { Taken::Older });
    assert_eq!(name(&policy), if replaces { "second" } else { "first" });
}

#[tokio::test(start_paused = true)]
async fn an_older_policy_stays_refused_after_the_lease() {
    let policy = policy();
    policy.take(&snapshot(1, 1, "first"));
    tokio::time::advance(Duration::from_secs(31)).await;
    assert!(!policy.holds());
    assert_eq!(policy.take(&snapshot(0, 7, "old")), Taken::Older);
    assert!(!policy.holds());
}

#[tokio::test(start_paused = true)]
async fn the_same_content_under_an_older_version_is_a_renewal() {
    let policy = policy();
    policy.take(&snapshot(2, 1, "same"));
    tokio::time::advance(Duration::from_secs(20)).await;
    assert_eq!(policy.take(&snapshot(1, 1, "same")), Taken::Enforced);
    assert_eq!(policy.lease_left(), Duration::from_secs(30));
    assert_eq!(
        policy.held(),
        Some(Version {
            epoch: 2,
            sequence: 1
        })
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_content_comes_back_after_a_lapse() {
    let policy = policy();
    policy.take(&snapshot(2, 1, "same"));
    tokio::time::advance(Duration::from_secs(40)).await;
    policy.lapse();
    assert_eq!(policy.take(&snapshot(2, 1, "same")), Taken::Enforced);
    assert!(policy.holds());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_prolongs_only_what_is_held() {
    let policy = policy();
    let held = snapshot(1, 1, "held");
    policy.take(&held);
    tokio::time::advance(Duration::from_secs(20)).await;
    let renewal = |digest: &str| Renewal {
        digest: digest.to_owned(),
        lease_seconds: 30,
        ..Renewal::default()
    };
    assert!(!policy.renew(&renewal("sha256:other")));
    assert_eq!(policy.lease_left(), Duration::from_secs(10));
    assert!(policy.renew(&renewal(&held.digest)));
    assert_eq!(policy.lease_left(), Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_lapsed_lease_wakes_whoever_waits() {
    let policy = policy();
    policy.take(&snapshot(1, 1, "held"));
    let mut changes = policy.changes();
    tokio::select! {
        () = policy.watch_lease() => {}
        () = changes.next() => {}
    }
    assert!(!policy.holds());
}

#[tokio::test(start_paused = true)]
async fn a_faulty_policy_denies_everything_and_says_why() {
    let mut wrong = snapshot(1, 2, "x");
    wrong.permissions.push(b' ');
    let no_limits = seal(
        Version {
            epoch: 1,
            sequence: 2,
        },
        snapshot(1, 2, "x").permissions,
        Settings {
            limits: None,
            ..settings()
        },
    );
    let document = Document::empty(bot("other"));
    let foreign = seal(
        Version {
            epoch: 1,
            sequence: 2,
        },
        document.to_bytes(),
        settings(),
    );
    let garbage = seal(
        Version {
            epoch: 1,
            sequence: 2,
        },
        b"{".to_vec(),
        settings(),
    );
    let cases = [
        (wrong, "digest"),
        (no_limits, "settings.limits"),
        (foreign, "team-a/other"),
        (garbage, "permissions"),
    ];
    for (faulty, word) in cases {
        let policy = policy();
        policy.take(&snapshot(1, 1, "good"));
        let Taken::Faulty(fault) = policy.take(&faulty) else {
            panic!("{word}: not refused")
        };
        assert!(fault.contains(word), "{fault}");
        assert!(!policy.holds());
        assert_eq!(
            policy.take(&snapshot(1, 1, "good")),
            Taken::Older,
            "the old policy must not come back"
        );
        assert_eq!(policy.take(&snapshot(1, 2, "put right")), Taken::Enforced);
    }
}
