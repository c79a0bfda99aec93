//! All servers that a command goes to, at the same time.

use std::future::Future;

use super::options::Servers;
use super::server::Server;
use super::trouble::Trouble;

/// The servers, in the order in which they were named.
#[derive(Debug)]
pub(in crate::cli) struct Fleet(Vec<Server>);

/// What one of them said.
#[derive(Debug)]
pub(in crate::cli) struct Told<T> {
    /// Its URL.
    pub(in crate::cli) admin: String,
    /// What.
    pub(in crate::cli) said: Result<T, Trouble>,
}

impl Fleet {
    /// Those that the arguments and the environment name.
    ///
    /// # Errors
    /// An argument is wrong, or a file cannot be read.
    pub(in crate::cli) fn of(servers: &Servers) -> Result<Self, crate::cli::Failure> {
        servers.resolve().map(Self)
    }

    /// The servers.
    pub(in crate::cli) fn servers(&self) -> &[Server] {
        &self.0
    }

    /// Asks all of them at the same time; their answers come in the order of the servers.
    pub(in crate::cli) async fn all<T, F>(&self, ask: impl Fn(Server) -> F) -> Vec<Told<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Trouble>> + Send + 'static,
    {
        let asked: Vec<_> = (self.0.iter())
            .map(|server| (server.admin().to_string(), tokio::spawn(ask(server.clone()))))
            .collect();
        let mut told = Vec::with_capacity(asked.len());
        for (admin, said) in asked {
            let ended = |_| Trouble::Broken("asking it ended by a fault of this program".into());
            let said = said.await.map_err(ended).and_then(|said| said);
            told.push(Told { admin, said });
        }
        told
    }
}

/// Runs what asks servers to its end.
///
/// # Errors
/// The system gives no event queue.
pub(in crate::cli) fn block_on<F: Future>(future: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}
