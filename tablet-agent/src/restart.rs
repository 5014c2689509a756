//! Orders to restart mysqld, on their way from the service to the task that decides.

use tokio::sync::{mpsc, oneshot};

/// Why nothing was restarted.
#[derive(Debug, thiserror::Error)]
pub enum RestartError {
    /// The server runs on as before.
    #[error("{0}")]
    Refused(String),
    /// Something went wrong on the way: the agent starts a server that has ended anyway.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

/// An order: answered when mysqld has ended.
pub(crate) type RestartOrder = oneshot::Sender<Result<(), RestartError>>;

/// Gives the orders. Clones share it.
#[derive(Debug, Clone)]
pub struct Restarts {
    orders: mpsc::Sender<RestartOrder>,
}

impl Restarts {
    /// The end that gives orders, and the one that takes them.
    pub(crate) fn new() -> (Restarts, mpsc::Receiver<RestartOrder>) {
        let (orders, inbox) = mpsc::channel(1);
        (Restarts { orders }, inbox)
    }

    /// Has mysqld stopped in order and started again; returns when it has stopped.
    ///
    /// # Errors
    /// [`RestartError`].
    pub async fn restart(&self) -> Result<(), RestartError> {
        let ending = || RestartError::Failed(anyhow::anyhow!("the agent is ending"));
        let (answer, answered) = oneshot::channel();
        self.orders.send(answer).await.map_err(|_| ending())?;
        answered.await.map_err(|_| ending())?
    }
}
