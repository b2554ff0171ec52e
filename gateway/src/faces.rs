//! The gRPC services that a gateway offers, and who may call what.
//!
//! Between pods everybody shows a certificate: runners of this bot reach the Guardian and the Link, channels that have
//! a route to it reach Chat; the operator says which objects those are, and by which certificates they are known. The loopback port has no certificates; it is reached through `kubectl port-forward` only, so that
//! Kubernetes' own rules on `pods/portforward` decide. It adds reading the audit and the traces of decisions, and has no Link.

mod audit;
mod caller;
mod chat;
mod guardian;

pub use audit::AuditFace;
pub use caller::Door;
pub use chat::ChatFace;
pub use guardian::GuardianFace;
