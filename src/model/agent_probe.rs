//! What agent checks ask.

use super::Digest;

/// One line from an agent as load balancers ask it (HAProxy's `agent-check`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AgentProbe {
    /// What is sent first; `None`: the agent speaks unasked.
    pub send: Option<String>,
}

impl AgentProbe {
    pub(super) fn digest(&self, digest: Digest) -> Digest {
        digest.maybe(self.send.as_deref())
    }
}
