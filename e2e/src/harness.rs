//! Drives a cluster as its users do: `kubectl`, `monstrum`, and HTTP through port-forwards.

pub mod bot;
pub mod cluster;
pub mod fixture;
pub mod impostor;
pub mod method;
pub mod tunnel;
pub mod turn;
pub mod wait;
pub mod webhook;
pub mod workspace;

pub use bot::BotSetup;
pub use cluster::Cluster;
pub use fixture::{Fixture, Scripted};
pub use turn::Turn;
pub use workspace::Workspace;
