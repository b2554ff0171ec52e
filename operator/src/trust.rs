//! The installation's authority: made once, kept in a Secret of the operator's namespace, and what it signs.

mod identity;
mod keeper;

pub(crate) use identity::renewal;
pub use identity::{ServerIdentity, ServerIdentityError};
pub use keeper::{AUTHORITY_SECRET, Trust, TrustError, load, load_or_create};
