//! Validating admission: objects of our group that are wrong in themselves are refused, with field and remedy.
//!
//! Every replica answers, leader or not, from its own index. What an object names may come later, so that only faults of
//! its own making refuse it; the rest is told in its status.
//!
//! Only the API server is answered ([`Pass`]), and even of its reviews only so much is read and judged at once.

mod bundle;
mod desk;
mod pass;
mod review;
mod server;

pub use bundle::{BundleError, keep_bundle};
pub use pass::Pass;
pub use server::{AdmissionServer, AdmissionServerError};
