//! How far a policy has come.

/// How far one bot's policy has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The digest of the current policy.
    pub digest: String,
    /// The gateways that are connected, by name.
    pub replicas: Vec<ReplicaStanding>,
}

/// What one connected gateway said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaStanding {
    /// The pod's name.
    pub name: String,
    /// The digest that it last acknowledged; empty before the first.
    pub digest: String,
    /// Why it could not load that policy; empty when it enforces it.
    pub fault: String,
    /// The version of its program, where that is another one than this operator's.
    pub other_program: Option<String>,
}

impl Standing {
    /// How many gateways enforce the current policy.
    pub fn enforcing(&self) -> usize {
        self.replicas
            .iter()
            .filter(|replica| self.enforces(replica))
            .count()
    }

    /// Whether gateways are connected, and every one of them enforces the current policy.
    pub fn is_enforced_by_all(&self) -> bool {
        !self.replicas.is_empty() && self.replicas.iter().all(|replica| self.enforces(replica))
    }

    /// The first gateway that could not load the current policy, and why.
    pub fn fault(&self) -> Option<&ReplicaStanding> {
        self.replicas
            .iter()
            .find(|replica| replica.digest == self.digest && !replica.fault.is_empty())
    }

    /// Those that run another version than this operator, for people; nothing when none does.
    pub fn others(&self) -> Option<String> {
        let others: Vec<String> = self
            .replicas
            .iter()
            .filter_map(|replica| {
                Some(format!(
                    "{} runs {}",
                    replica.name,
                    replica.other_program.as_ref()?
                ))
            })
            .collect();
        let ours = env!("CARGO_PKG_VERSION");
        (!others.is_empty()).then(|| {
            format!(
                "gateways of another version than the operator's ({ours}): {}",
                others.join(", ")
            )
        })
    }

    fn enforces(&self, replica: &ReplicaStanding) -> bool {
        replica.digest == self.digest && replica.fault.is_empty()
    }
}
