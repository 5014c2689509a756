//! KILL of another session.

use mysql_wire::SqlError;
use sql::ast::{ExprKind, Kill};

use super::Session;
use crate::control::Interrupt;
use crate::error::{self, SqlResult};

impl Session {
    /// `KILL [QUERY|CONNECTION] id`.
    pub(super) fn kill(&mut self, kill: &Kill<'_>, text: &[u8]) -> SqlResult<()> {
        let ExprKind::Literal(literal) = &kill.id.kind else {
            let shown = String::from_utf8_lossy(kill.id.span.of(text)).into_owned();
            return Err(error::unsupported(format_args!("KILL {shown}")));
        };
        let shown = String::from_utf8_lossy(literal.raw).into_owned();
        let victim = shown
            .parse()
            .ok()
            .and_then(|id| self.worker.shared.sessions.get(id));
        let Some(victim) = victim else {
            return Err(SqlError::with_code(1094, format!("Unknown thread id: {shown}")));
        };
        if victim.user != self.control.user {
            return Err(SqlError::with_code(
                1095,
                format!("You are not owner of thread {shown}"),
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
}
