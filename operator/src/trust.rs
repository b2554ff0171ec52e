//! The installation's authority: made once, kept in a Secret of the operator's namespace, what it signs, and how another one
//! takes its place (ADR 14).
//!
//! Every replica holds it in memory and follows the Secret. Whoever finds the Secret gone or damaged puts it back; only the
//! leader makes steps.

mod census;
mod follower;
mod handle;
mod held;
mod identity;
mod keeper;
mod secret;
mod source;
mod traces;

pub(crate) use census::Census;
pub use follower::{Follower, Rotation};
pub use handle::Trust;
pub(crate) use handle::due;
pub use held::Held;
pub(crate) use identity::renewal;
pub use identity::{ServerIdentity, ServerIdentityError};
pub use keeper::{AUTHORITY_SECRET, AuthorityKeeper, TrustError};
pub use source::Source;
