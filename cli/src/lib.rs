//! The command line: talks with bots, shows what they may do and why, and checks policy and audit without a cluster.
//!
//! It acts with the user's own kubeconfig. A bot's gateway is reached through Kubernetes' port-forward, so that RBAC on
//! `pods/portforward` decides who may speak with a bot. Policy is compiled here by the same pure functions as in the operator.

mod arguments;
mod cluster;
mod command;
mod exit;
mod failure;
mod files;
mod output;
mod policy;
mod process;

pub use process::run;
