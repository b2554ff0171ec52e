//! The identities of our objects.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt as _;
use monstrum_crds::kinds::{Bot, Channel};
use monstrum_wire::identity::{BotId, ChannelId, Uid};

/// The UID of an object; none of what the API server has not written.
pub(crate) fn uid(metadata: &ObjectMeta) -> Option<Uid> {
    metadata.uid.as_deref()?.parse().ok()
}

/// A bot as an identity.
pub(crate) fn bot(bot: &Bot) -> Option<BotId> {
    Some(BotId {
        namespace: bot.namespace()?,
        name: bot.name_any(),
        uid: uid(&bot.metadata)?,
    })
}

/// A channel as an identity.
pub(crate) fn channel(channel: &Channel) -> Option<ChannelId> {
    Some(ChannelId {
        namespace: channel.namespace()?,
        name: channel.name_any(),
        uid: uid(&channel.metadata)?,
    })
}
