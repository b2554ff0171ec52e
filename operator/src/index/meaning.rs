//! Whether a change of an object can change anything but itself.

use kube::ResourceExt;

use super::objects::Seen;

/// Whether more than the status changed.
pub(super) fn changed<K: ResourceExt>(seen: &Seen<K>) -> bool {
    let (Some(before), Some(now)) = (&seen.before, &seen.now) else {
        return true;
    };
    let (before, now) = (before.meta(), now.meta());
    before.uid != now.uid
        || before.generation != now.generation
        || before.deletion_timestamp != now.deletion_timestamp
        || before.labels != now.labels
        || before.annotations != now.annotations
}
