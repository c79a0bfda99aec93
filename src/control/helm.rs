//! The helm: what operators' tools hold. Commands and questions go to the single writer, in one order.

use tokio::sync::{mpsc, oneshot, watch};

use super::command::{Actor, Command, Done, Refusal};
use super::foresight::Foreseen;
use super::views::{
    CheckView, EventView, OverrideView, Page, PlansView, RecordView, RegionView, Status,
};

/// What is sent to the single writer.
#[derive(Debug)]
pub enum Request {
    /// Something is to be changed.
    Command(Box<Command>, oneshot::Sender<Result<Done, Refusal>>),
    /// A configuration was loaded again in vain.
    Note(Origin),
    /// All at a glance.
    Status(oneshot::Sender<Status>),
    /// The regions.
    Regions(oneshot::Sender<Vec<RegionView>>),
    /// Records by name, from a position on: those whose name contains a text, those at risk.
    Records(RecordFilter, oneshot::Sender<Page<RecordView>>),
    /// The targets, from a position on.
    Checks(CheckFilter, oneshot::Sender<Page<CheckView>>),
    /// The overrides.
    Overrides(oneshot::Sender<Vec<OverrideView>>),
    /// The plans under way, and the last that are over.
    Plans(oneshot::Sender<PlansView>),
    /// What a simulation starts from.
    Simulate(oneshot::Sender<Foreseen>),
    /// Events: the last ones, or those behind a number.
    Events(EventFilter, oneshot::Sender<Vec<EventView>>),
}

/// Who or what had something loaded again, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// It in a sentence.
    pub text: String,
    /// Who wanted it; `None`: a file was replaced.
    pub actor: Option<Actor>,
    /// Why.
    pub reason: Option<String>,
}

/// Which records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordFilter {
    /// Only that of exactly this name.
    pub name: Option<String>,
    /// Only those whose name contains this.
    pub contains: Option<String>,
    /// Only those that a region has a part in.
    pub region: Option<String>,
    /// Only those at risk.
    pub at_risk: bool,
    /// So many are passed over.
    pub offset: usize,
    /// At most so many.
    pub limit: usize,
}

/// Which targets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckFilter {
    /// Only those that a region's pools depend on.
    pub region: Option<String>,
    /// Only those of a check.
    pub check: Option<String>,
    /// Only those that are not up.
    pub not_up: bool,
    /// With the last results of each.
    pub history: bool,
    /// So many are passed over.
    pub offset: usize,
    /// At most so many.
    pub limit: usize,
}

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Only those behind this number, the oldest first; `None`: the last ones, the oldest first.
    pub after: Option<u64>,
    /// Only those about a region.
    pub region: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// Gives commands and asks questions.
#[derive(Debug, Clone)]
pub struct Helm {
    requests: mpsc::Sender<Request>,
    events: watch::Receiver<u64>,
}

/// The single writer has ended by a fault of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "what judges health and publishes has ended by a fault of this program; restart the server"
)]
pub struct Gone;

impl Helm {
    /// Connected to the single writer; `events` has the number of the newest event.
    #[must_use]
    pub fn new(requests: mpsc::Sender<Request>, events: watch::Receiver<u64>) -> Self {
        Self { requests, events }
    }

    /// Gives a command; returns when it is stored and published.
    ///
    /// # Errors
    /// When it was not done, with the reason.
    pub async fn command(&self, command: Command) -> Result<Done, Refusal> {
        let ask = |reply| Request::Command(Box::new(command), reply);
        self.ask(ask).await.unwrap_or(Err(Refusal::Gone))
    }

    /// Asks a question: `helm.ask(Request::Status)`.
    ///
    /// # Errors
    /// When there is nobody to answer it.
    pub async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, Gone> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(question(reply)).await.map_err(|_| Gone)?;
        answer.await.map_err(|_| Gone)
    }

    /// Tells that something was loaded again in vain.
    pub async fn note(&self, origin: Origin) {
        // It is in the log as well.
        let _ = self.requests.send(Request::Note(origin)).await;
    }

    /// The number of the newest event, to wait for the next.
    #[must_use]
    pub fn events(&self) -> watch::Receiver<u64> {
        self.events.clone()
    }
}
