//! Who speaks.

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::{Api, PostParams};

use crate::cluster::Cluster;

/// What the records call a user whose name the cluster does not tell.
const UNKNOWN: &str = "kubernetes";

/// The name that the cluster knows the user by, for the bot's records. It grants nothing.
pub(super) async fn of(cluster: &Cluster) -> String {
    let reviews: Api<SelfSubjectReview> = Api::all(cluster.client.clone());
    let review = reviews
        .create(&PostParams::default(), &SelfSubjectReview::default())
        .await;
    let user = review.ok().and_then(|review| review.status?.user_info?.username);
    user.map_or_else(|| UNKNOWN.to_owned(), |user| format!("{UNKNOWN}:{user}"))
}
