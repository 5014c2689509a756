//! KILL: of another session through the gateway, and of a statement on a shard.

use mysql_wire::{SqlError, StatusFlags};
use sql::ast::{ExprKind, Kill};

use super::Session;
use super::execute::Input;
use crate::backend::{Backend, Beside};
use crate::control::Interrupt;
use crate::error::{self, SqlResult};

/// Error of a statement that was killed.
pub(super) const KILLED: u16 = 1317;

/// Asks mysqld to stop what a connection runs, over one of its own. Failing to is only logged: the statement then ends by itself.
pub(super) async fn kill_query(busy: &Beside) {
    let text = format!("KILL QUERY {}", busy.connection_id);
    let failed = match busy.connect().await {
        Ok(mut other) => other
            .query(text.as_bytes())
            .await
            .err()
            .map(|error| other.lost(error)),
        Err(error) => Some(error.into()),
    };
    if let Some(error) = failed {
        tracing::warn!(tablet = busy.target.alias, error = %String::from_utf8_lossy(&error.message), "a statement could not be killed");
    }
}

/// After `KILL QUERY` the answer may have won the race; then the kill hits the connection's next statement, which is this one.
///
/// Returns the connection's status if nothing hit it.
pub(super) async fn take_late_kill(conn: &mut Backend) -> Option<StatusFlags> {
    conn.query(b"DO 0").await.ok().map(|result| result.ok.status)
}

impl Session {
    /// `KILL [QUERY|CONNECTION] id`.
    pub(super) async fn kill(&mut self, kill: &Kill<'_>, input: &Input<'_>) -> SqlResult<()> {
        let id = self.thread_id(kill, input).await?;
        let Some(victim) = self.worker.shared.sessions.get(id) else {
            return Err(SqlError::with_code(1094, format!("Unknown thread id: {id}")));
        };
        if victim.user() != self.control.user() {
            return Err(SqlError::with_code(
                1095,
                format!("You are not owner of thread {id}"),
            ));
        }
        let itself = victim.id == self.control.id;
        victim.interrupt(if kill.query {
            Interrupt::KillQuery
        } else {
            Interrupt::KillConnection
        });
        if itself { Err(error::interrupted()) } else { Ok(()) }
    }

    /// The operand of KILL. MySQL takes any expression as a whole number, and its last 32 bits.
    async fn thread_id(&mut self, kill: &Kill<'_>, input: &Input<'_>) -> SqlResult<u32> {
        let operand = kill.id.span.of(input.text);
        if let ExprKind::Literal(literal) = &kill.id.kind
            && let Ok(Ok(id)) = std::str::from_utf8(literal.raw).map(str::parse)
        {
            return Ok(id);
        }
        let text = [b"SELECT CAST((", operand, b") AS SIGNED)"].concat();
        let rows = self.evaluate(&text, input).await?.rows;
        self.diagnostics.clear();
        let cell = rows.first().and_then(|row| row.first()?.as_deref());
        let number = cell.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<i64>().ok());
        let [a, b, c, d, ..] = number.unwrap_or(0).to_le_bytes();
        Ok(u32::from_le_bytes([a, b, c, d]))
    }
}
