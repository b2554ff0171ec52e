//! Why a condition holds or does not: a closed set, in one table that `docs/reference/conditions.md` is made of.
//!
//! Reasons are API: people select on them, so they are not renamed.

use crate::object::Kind;

/// What is to be expected of an object whose `Ready` has a reason, without anybody doing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outlook {
    /// Nothing is awaited.
    Fine,
    /// Somebody stopped it on purpose.
    Paused,
    /// It is on its way.
    Coming,
    /// What it lacks may come in a moment, as when objects are applied in any order; after a while somebody has to act.
    Blocked,
    /// It stays as it is until somebody acts.
    Stuck,
}

macro_rules! reasons {
    ($($name:ident: $outlook:ident, $meaning:literal, $remedy:literal;)+) => {
        /// Why a condition holds or does not.
        #[expect(clippy::doc_markdown, reason = "the sentences go to users, who see no Markdown")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $meaning] $name,)+
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The name in a condition's `reason`, in events and in metric labels.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// What is to be expected.
            pub fn outlook(self) -> Outlook {
                match self {
                    $(Self::$name => Outlook::$outlook,)+
                }
            }

            /// What it says, in a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                }
            }

            /// What to do, in a sentence; empty where there is nothing to do.
            pub fn remedy(self) -> &'static str {
                match self {
                    $(Self::$name => $remedy,)+
                }
            }
        }
    };
}

reasons! {
    Pending: Coming, "The operator has not seen the object yet.", "Wait. If it stays: is an operator running, and does it govern this namespace?";
    Accepted: Fine, "Nothing is wrong with the object.", "";
    Invalid: Stuck, "A field of the object is wrong.", "Put right the field that the message names.";
    NotPermitted: Stuck, "The Workspace or the installation does not permit it.", "Ask for less, or have the Workspace or the chart's values permit it.";
    Cycle: Stuck, "Objects name each other in a circle.", "Break the circle that the message shows.";
    Resolved: Fine, "Everything that is named was found.", "";
    NotFound: Blocked, "Something that is named does not exist.", "Create it, or name another.";
    SecretNotFound: Blocked, "A Secret, or a key in it, does not exist.", "Create it, with the annotation that the message shows.";
    SecretNotConsented: Blocked, "A Secret does not agree to this use.", "Whoever owns the Secret runs the command that the message shows.";
    RefNotPermitted: Blocked, "What is named may not be used like this: a Secret does not agree, or a Credential may not go to that host.", "See the message: add the host to the Credential, or the use to the Secret.";
    RefInvalid: Blocked, "Something that is named does not fit, or something is wrong with it.", "Put right what the message names.";
    WorkspaceNotReady: Blocked, "Something is wrong with the Workspace.", "Put right what the message names.";
    ModelProviderNotReady: Blocked, "Something is wrong with the ModelProvider.", "Put right what the message names.";
    CredentialNotReady: Blocked, "Something is wrong with the Credential.", "Put right what the message names.";
    ResourceTypeNotReady: Blocked, "Something is wrong with the ResourceType.", "Put right what the message names.";
    ResourceNotReady: Blocked, "Something is wrong with the Resource.", "Put right what the message names.";
    BotNotReady: Blocked, "Something is wrong with the Bot.", "Put right what the message names.";
    BotRoleNotReady: Blocked, "Something is wrong with the BotRole.", "Put right what the message names.";
    BotBindingNotReady: Blocked, "Something is wrong with the BotBinding.", "Put right what the message names.";
    ChannelNotReady: Blocked, "Something is wrong with the Channel.", "Put right what the message names.";
    Programmed: Fine, "What follows from the object is in place.", "";
    Progressing: Coming, "It is being put in place.", "Wait.";
    ImagePullFailed: Blocked, "A container's image can't be had.", "Put the image where the node can pull it, name another, or give a pull secret.";
    ContainerCreateFailed: Blocked, "A container can't be made.", "See the message: the container's user, its settings, or the node's runtime.";
    CrashLoopBackOff: Blocked, "A container ends again and again.", "Read its log: `kubectl logs --previous`.";
    Unschedulable: Blocked, "No node takes a pod.", "Make room, or ask for less: requests, node selector, tolerations.";
    FailedCreate: Blocked, "Pods are refused by a quota, by PodSecurity, or by an admission webhook.", "Raise the quota, or put right what the message names.";
    ProgressDeadlineExceeded: Stuck, "Pods do not become ready.", "Look at the pods: `kubectl describe pod`.";
    ApplyFailed: Blocked, "The API server refused an object that should be put in place, or it is somebody else's.", "Put right what the message names.";
    ApiUnavailable: Coming, "The API server did not take an object this time.", "Wait; it is tried again.";
    Ready: Fine, "It does what it says.", "";
    AwaitingGateway: Coming, "A gateway has not acknowledged the current policy yet.", "Wait. If it stays: read the gateway's log.";
    GatewayRefused: Blocked, "A gateway could not load the current policy, and denies everything.", "See the message; are operator and gateways of one version?";
    Suspended: Paused, "It is stopped by `spec.suspend` of the Bot.", "Set `spec.suspend` to false.";
    Stale: Coming, "The operator does not know whether what it sees of the API server is current, and so renews nothing.", "See the message: is a right missing, or the API server out of reach?";
    TooLarge: Stuck, "The namespace holds more than the operator keeps in memory, and so nothing there is in force.", "Delete what is not needed (see the message), or raise `operator.memory` of the chart.";
    NotReady: Coming, "Another condition says why not.", "Look at `Ready`, which says the cause.";
    Internal: Stuck, "An error of ours.", "Report it, with the operator's log.";
}

impl Reason {
    /// The reason of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.as_str() == name)
    }

    /// Whether a fault with this reason is about something that the object names, rather than about the object itself.
    pub fn is_about_refs(self) -> bool {
        matches!(
            self,
            Self::NotFound
                | Self::SecretNotFound
                | Self::SecretNotConsented
                | Self::RefNotPermitted
                | Self::RefInvalid
        )
    }

    /// What this cause is called on an object that names the broken one, of `kind`. What could be taken for a fault of the
    /// object itself says whose it is; everything else is the same from afar.
    #[must_use]
    pub fn seen_through(self, kind: Kind) -> Self {
        match self {
            Self::Invalid
            | Self::NotPermitted
            | Self::Cycle
            | Self::RefInvalid
            | Self::NotReady
            | Self::Internal => Self::not_ready(kind),
            other => other,
        }
    }

    fn not_ready(kind: Kind) -> Self {
        match kind {
            Kind::Workspace => Self::WorkspaceNotReady,
            Kind::ModelProvider => Self::ModelProviderNotReady,
            Kind::Credential => Self::CredentialNotReady,
            Kind::ResourceType => Self::ResourceTypeNotReady,
            Kind::Resource => Self::ResourceNotReady,
            Kind::Bot => Self::BotNotReady,
            Kind::BotRole => Self::BotRoleNotReady,
            Kind::BotBinding => Self::BotBindingNotReady,
            Kind::Channel => Self::ChannelNotReady,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_can_be_read_again_and_says_what_to_do() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
            assert!(reason.meaning().ends_with('.'), "{reason:?}");
            let nothing_to_do = reason.outlook() == Outlook::Fine;
            assert_eq!(reason.remedy().is_empty(), nothing_to_do, "{reason:?}");
        }
        assert_eq!(Reason::parse("ready"), None);
    }

    #[test]
    fn what_is_wrong_with_another_object_is_never_taken_for_a_fault_of_this_one() {
        for kind in Kind::ALL {
            assert_eq!(
                Reason::Invalid.seen_through(kind).as_str(),
                format!("{kind}NotReady")
            );
            assert_eq!(Reason::SecretNotFound.seen_through(kind), Reason::SecretNotFound);
        }
    }
}
