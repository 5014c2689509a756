//! The agent's end of its supervisor: orders out, events in, and the deadline page.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixDatagram;

use crate::supervisor::wire::{DEADLINE_FD, Event, MESSAGE_LEN, Order};

/// The link. Clones share it.
#[derive(Debug, Clone)]
pub struct Link {
    socket: Arc<UnixDatagram>,
    page: Arc<File>,
}

impl Link {
    /// Takes the descriptors that the supervisor passed. Fails in a process that it did not start.
    pub fn inherit() -> io::Result<Link> {
        let socket = std::io::stdin().as_fd().try_clone_to_owned()?;
        let socket = std::os::unix::net::UnixDatagram::from(socket);
        socket.set_nonblocking(true)?;
        let page = File::options()
            .write(true)
            .open(format!("/proc/self/fd/{DEADLINE_FD}"))?;
        Ok(Link {
            socket: Arc::new(UnixDatagram::from_std(socket)?),
            page: Arc::new(page),
        })
    }

    /// The next event; an error when the supervisor is gone.
    pub async fn next(&self) -> io::Result<Event> {
        let mut buffer = [0u8; MESSAGE_LEN];
        loop {
            let n = self.socket.recv(&mut buffer).await?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(event) = buffer.get(..n).and_then(Event::decode) {
                return Ok(event);
            }
        }
    }

    /// Gives an order.
    pub async fn order(&self, order: Order) -> io::Result<()> {
        self.socket.send(&order.encode()).await.map(|_| ())
    }

    /// mysqld will be killed at this time since boot unless a later deadline is set before. None: mysqld may outlive a hung
    /// agent, which is for a member that could acknowledge nothing.
    pub fn set_deadline(&self, at: Option<Duration>) -> io::Result<()> {
        let at = at.map_or(0, |at| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX));
        self.page.write_all_at(&at.to_ne_bytes(), 0)
    }
}
