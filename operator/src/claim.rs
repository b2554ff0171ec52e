//! Of two installations that watch a namespace, one governs it.
//!
//! Each namespace with objects of ours has a *claim*: a `ConfigMap` that names the installation which governs it, by the namespace
//! that its operator runs in. It is made by whoever comes first, and read through the watch that every replica has anyway. Whoever
//! finds another's claim does nothing there, and says so. A claim is taken over when its installation is dead (its leader's
//! lease is not renewed), or says itself that it does not govern the namespace. See `docs/adr/0013-one-installation-governs-a-namespace.md`.

mod keeper;
mod reach;
mod record;
mod rival;
#[cfg(test)]
mod tests;

pub(crate) use keeper::Keeper;
pub(crate) use reach::{GOVERNS, Reach};
pub(crate) use record::{CLAIM, claimant};
