//! SAVEPOINT, ROLLBACK TO and RELEASE: on the shards that take part already, and remembered for those that join later.

use mysql_wire::SqlError;
use sql::ast::{Ident, Transaction};

use super::Session;
use super::diagnostics::warnings_of;
use super::transaction::trimmed;
use crate::error::{self, SqlResult};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// All, and this one as the last.
    Add,
    /// This one and those before it.
    Through,
    /// Those before this one.
    Before,
}

impl Session {
    /// Runs one of the three; the caller answers.
    pub(super) async fn savepoint(&mut self, statement: &Transaction<'_>, text: &[u8]) -> SqlResult<()> {
        let (name, keep) = match statement {
            Transaction::Savepoint(name) => (name, Keep::Add),
            Transaction::RollbackTo(name) => (name, Keep::Through),
            Transaction::Release(name) => (name, Keep::Before),
            _ => return Err(error::unsupported("this transaction statement")),
        };
        let quoted = quoted(name);
        if !self.in_transaction() {
            // Outside a transaction a savepoint is gone at once, and naming one is an error.
            return match keep {
                Keep::Add => Ok(()),
                _ => Err(no_savepoint(name)),
            };
        }
        let known = position(&self.branches.transaction.savepoints, &quoted);
        // One that a stored program made is known to the shard that it ran on.
        let only = matches!(self.branches.held(), [only] if only.in_transaction);
        if keep != Keep::Add && known.is_none() && !only {
            return Err(no_savepoint(name));
        }
        self.on_each_branch(trimmed(text)).await?;
        let savepoints = &mut self.branches.transaction.savepoints;
        match (keep, known) {
            (Keep::Add, known) => {
                if let Some(at) = known {
                    savepoints.remove(at);
                }
                savepoints.push(quoted.into());
            }
            (Keep::Through, Some(at)) => savepoints.truncate(at + 1),
            (Keep::Before, Some(at)) => savepoints.truncate(at),
            (_, None) => {}
        }
        Ok(())
    }

    /// Runs a statement on every shard that takes part in the transaction.
    async fn on_each_branch(&mut self, text: &[u8]) -> SqlResult<()> {
        let mut outcome = Ok(());
        let mut lost = false;
        for mut branch in self.branches.take_all() {
            if branch.in_transaction {
                outcome = match branch.conn.query(text).await {
                    Ok(result) if result.ok.warnings > 0 => match warnings_of(&mut branch.conn).await {
                        Ok(warnings) => {
                            self.diagnostics.extend(warnings);
                            outcome
                        }
                        Err(wrong) => Err(wrong),
                    },
                    Ok(_) => outcome,
                    Err(wrong) => Err(match branch.conn.lost(wrong) {
                        wrong if error::is_gone(&wrong) => error::transaction_lost(&branch.conn.target),
                        wrong => wrong,
                    }),
                };
            }
            lost |= !branch.conn.is_clean();
            self.branches.give_back(branch);
        }
        if lost {
            self.branches.abandon();
        }
        outcome
    }
}

fn position(savepoints: &[Box<[u8]>], quoted: &[u8]) -> Option<usize> {
    let name = String::from_utf8_lossy(quoted).to_lowercase();
    savepoints
        .iter()
        .position(|known| String::from_utf8_lossy(known).to_lowercase() == name)
}

/// A name as a quoted identifier.
fn quoted(name: &Ident<'_>) -> Vec<u8> {
    let mut quoted = vec![b'`'];
    for byte in name.value.iter() {
        if *byte == b'`' {
            quoted.push(b'`');
        }
        quoted.push(*byte);
    }
    quoted.push(b'`');
    quoted
}

fn no_savepoint(name: &Ident<'_>) -> SqlError {
    SqlError::with_code(
        1305,
        format!(
            "SAVEPOINT {} does not exist",
            String::from_utf8_lossy(&name.value)
        ),
    )
}
