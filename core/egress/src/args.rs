//! Flags.

use clap::Args;

use crate::Egress;

/// How destinations are reached that administrators name.
#[derive(Debug, Clone, Default, Args)]
pub struct EgressArgs {
    /// Reach loopback addresses where they are named: for a process that shares its machine with what it dials, never in a pod.
    #[arg(long, env = "MONSTRUM_REACH_LOOPBACK", hide = true)]
    pub reach_loopback: bool,
}

impl EgressArgs {
    /// The guarded way out.
    pub fn egress(&self) -> Egress {
        let egress = Egress::new();
        if self.reach_loopback {
            egress.on_this_machine()
        } else {
            egress
        }
    }
}
