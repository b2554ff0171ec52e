use super::*;
use crate::fake_api::FakeApi;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use monstrum_service::Shutdown;
use std::time::Duration;
use tokio::task::JoinHandle;

const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/system/leases/monstrum-operator";

struct Stood {
    leadership: Leadership,
    shutdown: Shutdown,
    task: JoinHandle<Result<(), LeadershipError>>,
}

fn stand(api: &FakeApi, identity: &str) -> Stood {
    stand_when(api, identity, || true)
}

fn stand_when(api: &FakeApi, identity: &str, fit: impl Fn() -> bool + Send + Sync + 'static) -> Stood {
    let leases: Api<Lease> = Api::namespaced(api.client(), "system");
    let (candidate, leadership) =
        Candidate::new(leases, "monstrum-operator", identity, Timing::default(), fit);
    let shutdown = Shutdown::default();
    let task = tokio::spawn(candidate.run(shutdown.clone()));
    Stood {
        leadership,
        shutdown,
        task,
    }
}

async fn within(seconds: u64, leadership: &Leadership) -> Option<u64> {
    tokio::time::timeout(Duration::from_secs(seconds), leadership.won())
        .await
        .ok()
}

#[tokio::test(start_paused = true)]
async fn the_first_leads_and_the_second_waits() {
    let api = FakeApi::default();
    let first = stand(&api, "a_1");
    let epoch = within(2, &first.leadership).await.unwrap();
    assert!(epoch > 90_000_000, "an epoch begins at the clock");
    let second = stand(&api, "b_1");
    assert_eq!(within(60, &second.leadership).await, None);
    assert_eq!(first.leadership.epoch(), Some(epoch));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_stops_hands_over_at_once_and_the_epoch_rises() {
    let api = FakeApi::default();
    let first = stand(&api, "a_1");
    let epoch = within(2, &first.leadership).await.unwrap();
    let second = stand(&api, "b_1");
    tokio::time::sleep(Duration::from_secs(2)).await;
    first.shutdown.request();
    first.task.await.unwrap().unwrap();
    assert_eq!(first.leadership.epoch(), None);
    assert_eq!(within(3, &second.leadership).await, Some(epoch + 1));
}

#[tokio::test(start_paused = true)]
async fn a_leader_outlives_an_api_server_that_is_silent_for_six_seconds() {
    for begins in 0..8 {
        let api = FakeApi::default();
        let first = stand(&api, "a_1");
        let epoch = within(2, &first.leadership).await.unwrap();
        let second = stand(&api, "b_1");
        tokio::time::sleep(Duration::from_millis(4_000 + begins * 250)).await;
        api.hang(true);
        for _ in 0..24 {
            tokio::time::sleep(Duration::from_millis(250)).await;
            assert_eq!(first.leadership.epoch(), Some(epoch), "silent since {begins}");
        }
        api.hang(false);
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(first.leadership.epoch(), Some(epoch), "silent since {begins}");
            assert_eq!(second.leadership.epoch(), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn however_long_the_api_server_is_silent_two_never_lead() {
    for silent in [1, 4, 7, 9, 10, 11, 14, 16, 30] {
        let api = FakeApi::default();
        let first = stand(&api, "a_1");
        within(2, &first.leadership).await.unwrap();
        let second = stand(&api, "b_1");
        tokio::time::sleep(Duration::from_secs(5)).await;
        api.hang(true);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(90) {
            if start.elapsed() >= Duration::from_secs(silent) {
                api.hang(false);
            }
            let leading = [&first, &second].map(|stood| stood.leadership.epoch().is_some());
            assert_ne!(leading, [true, true], "silent for {silent} s");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(first.leadership.epoch().is_some() || second.leadership.epoch().is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_died_is_followed_only_after_its_lease() {
    let api = FakeApi::default();
    let first = stand(&api, "a_1");
    let epoch = within(2, &first.leadership).await.unwrap();
    first.task.abort();
    let start = Instant::now();
    let second = stand(&api, "b_1");
    assert_eq!(within(60, &second.leadership).await, Some(epoch + 1));
    assert!(
        start.elapsed() >= Timing::default().length,
        "{:?}",
        start.elapsed()
    );
    assert!(start.elapsed() <= Timing::default().length + Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_comes_back_is_another_one() {
    let api = FakeApi::default();
    let first = stand(&api, "a_1");
    let epoch = within(2, &first.leadership).await.unwrap();
    first.task.abort();
    let again = stand(&api, "a_2");
    assert_eq!(within(3, &again.leadership).await, None);
    assert_eq!(within(60, &again.leadership).await, Some(epoch + 1));
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_can_not_renew_ends_before_another_may_lead() {
    for break_it in [
        (|api: &FakeApi| api.fail_with(Some(http::StatusCode::INTERNAL_SERVER_ERROR))) as fn(&FakeApi),
        |api: &FakeApi| api.hang(true),
    ] {
        let api = FakeApi::default();
        let first = stand(&api, "a_1");
        within(2, &first.leadership).await.unwrap();
        break_it(&api);
        let start = Instant::now();
        let lost = first.task.await.unwrap().unwrap_err();
        assert!(matches!(lost, LeadershipError::NotRenewed { .. }), "{lost}");
        assert!(
            start.elapsed() < Timing::default().length,
            "{:?}",
            start.elapsed()
        );
        assert_eq!(first.leadership.epoch(), None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_lease_was_taken_ends() {
    let api = FakeApi::default();
    let first = stand(&api, "a_1");
    within(2, &first.leadership).await.unwrap();
    let mut lease = api.get(PATH).unwrap();
    lease["spec"]["holderIdentity"] = serde_json::json!("thief");
    api.put(PATH, lease);
    let lost = first.task.await.unwrap().unwrap_err();
    assert!(matches!(lost, LeadershipError::Taken { .. }), "{lost}");
    assert_eq!(first.leadership.epoch(), None);
}

#[tokio::test(start_paused = true)]
async fn of_many_candidates_one_leads() {
    let api = FakeApi::default();
    let all: Vec<_> = (0..5).map(|number| stand(&api, &format!("c_{number}"))).collect();
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert!(
            all.iter()
                .filter(|stood| stood.leadership.epoch().is_some())
                .count()
                <= 1
        );
    }
    assert_eq!(
        all.iter()
            .filter(|stood| stood.leadership.epoch().is_some())
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn an_epoch_does_not_come_back_when_the_lease_is_deleted() {
    let api = FakeApi::default();
    let first = stand(&api, "a_1");
    let epoch = within(2, &first.leadership).await.unwrap();
    first.task.abort();
    api.remove(PATH);
    let second = stand(&api, "b_1");
    assert!(within(2, &second.leadership).await.unwrap() >= epoch);
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_was_interrupted_in_a_write_goes_on_leading() {
    let api = FakeApi::default();
    let first = stand(&api, "a_1");
    let epoch = within(2, &first.leadership).await.unwrap();
    api.conflict_once();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(first.leadership.epoch(), Some(epoch));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_does_not_know_what_is_current_does_not_ask_to_lead() {
    let api = FakeApi::default();
    let fit = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stale = {
        let fit = std::sync::Arc::clone(&fit);
        stand_when(&api, "a_1", move || fit.load(std::sync::atomic::Ordering::SeqCst))
    };
    assert_eq!(within(60, &stale.leadership).await, None);
    assert!(api.take_calls().is_empty());
    fit.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(within(2, &stale.leadership).await.is_some());
}
