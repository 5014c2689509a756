//! The keyspace's initial DDL: run once per shard, by its first primary, before the shard serves.
//!
//! How far it got is a row of our own, so that a shard whose primary died in the middle goes on where it was. DDL and that row
//! cannot be one transaction; a statement that was begun in an earlier life may have been done, and then "exists already" is a
//! success.

use std::time::Duration;

use crate::accounts::OWN_DATABASE;
use crate::control::{Control, ControlError};
use crate::schema::pieces::pieces;
use crate::sql_text::{identifier, literal};

const UNLIMITED: Duration = Duration::from_secs(365 * 24 * 3600);
const QUICK: Duration = Duration::from_secs(5);

/// mysqld: syntax error.
const ER_PARSE_ERROR: u16 = 1064;
/// mysqld's ways to say that a thing exists: database, table, key name, column, routine, trigger, event, foreign key, check.
const EXISTS: [u16; 9] = [1007, 1050, 1061, 1060, 1304, 1359, 1537, 1826, 3822];

/// Why the shard has no schema yet.
#[derive(Debug, thiserror::Error)]
pub enum InitialError {
    /// A statement was refused. The ones before it are done and will not be repeated.
    #[error("statement {number} of the keyspace's schema ({text})")]
    Statement {
        /// From 1.
        number: usize,
        /// Its beginning.
        text: String,
        /// mysqld's error.
        source: ControlError,
    },
    /// Something else failed.
    #[error("the keyspace's schema")]
    Control(#[from] ControlError),
    /// The keyspace's record is needed and not there.
    #[error("the keyspace's schema is not known: the topology does not answer")]
    Unknown,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// Pieces of the script that are done.
    done: usize,
    running: bool,
    complete: bool,
}

/// Makes the database and runs what is left of the DDL: `app` is the gateway's account, which shall own what is created;
/// `writer` the agent's. `script` is none while the keyspace's record is not known.
pub async fn apply(
    writer: &Control,
    app: &Control,
    database: &str,
    script: Option<&str>,
) -> Result<(), InitialError> {
    let exists = format!(
        "SELECT 1 FROM information_schema.schemata WHERE schema_name = {}",
        literal(database)
    );
    if writer.rows::<u8>(&exists, QUICK).await?.is_empty() {
        writer
            .run(
                &[format!("CREATE DATABASE IF NOT EXISTS {}", identifier(database))],
                UNLIMITED,
            )
            .await?;
    }
    let mut progress = read(writer).await?;
    if progress.complete {
        return Ok(());
    }
    let pieces = pieces(script.ok_or(InitialError::Unknown)?);
    app.run(&[format!("USE {}", identifier(database))], QUICK).await?;
    let mut number = 0;
    let mut rest = pieces.as_slice();
    while let Some((first, after)) = rest.split_first() {
        number += 1;
        let tolerant = progress.running && number == progress.done + 1;
        if number <= progress.done {
            rest = after;
            continue;
        }
        write(
            writer,
            Progress {
                done: number - 1,
                running: true,
                complete: false,
            },
        )
        .await?;
        match run(app, first, after).await {
            Ok(extra) => {
                rest = after.get(extra..).unwrap_or_default();
                number += extra;
            }
            Err((extra, error)) if tolerant && error.errno().is_some_and(|code| EXISTS.contains(&code)) => {
                tracing::info!(statement = number, "was done before");
                rest = after.get(extra..).unwrap_or_default();
                number += extra;
            }
            Err((_, source)) => {
                write(
                    writer,
                    Progress {
                        done: number - 1,
                        running: false,
                        complete: false,
                    },
                )
                .await?;
                return Err(InitialError::Statement {
                    number,
                    text: beginning(first),
                    source,
                });
            }
        }
        progress = Progress {
            done: number,
            running: false,
            complete: false,
        };
        write(writer, progress).await?;
    }
    write(
        writer,
        Progress {
            done: number,
            running: false,
            complete: true,
        },
    )
    .await?;
    Ok(())
}

/// Runs a statement; one that is no whole one is given the next piece, and so on. Returns how many were added.
async fn run(app: &Control, first: &str, after: &[&str]) -> Result<usize, (usize, ControlError)> {
    let mut text = first.to_owned();
    let error = match app.run(&[&text], UNLIMITED).await {
        Ok(()) => return Ok(0),
        Err(error) => error,
    };
    // A syntax error does nothing, so it is safe to try again.
    if error.errno() == Some(ER_PARSE_ERROR) && begins_program(first) {
        for (n, piece) in after.iter().enumerate() {
            text.push_str(";\n");
            text.push_str(piece);
            match app.run(&[&text], UNLIMITED).await {
                Ok(()) => return Ok(n + 1),
                Err(next) if next.errno() == Some(ER_PARSE_ERROR) => {}
                Err(next) => return Err((n + 1, next)),
            }
        }
    }
    Err((0, error))
}

/// Whether a statement can have a body with semicolons.
fn begins_program(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    upper.starts_with("CREATE")
        && ["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT"]
            .iter()
            .any(|word| upper.contains(word))
}

fn beginning(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 60 {
        line
    } else {
        format!("{}...", line.chars().take(60).collect::<String>())
    }
}

async fn read(writer: &Control) -> Result<Progress, ControlError> {
    let query =
        format!("SELECT statements_done, running, complete FROM {OWN_DATABASE}.initial_schema WHERE id = 1");
    let rows: Vec<(u32, bool, bool)> = writer.rows(&query, QUICK).await?;
    Ok(rows
        .first()
        .map_or(Progress::default(), |(done, running, complete)| Progress {
            done: usize::try_from(*done).unwrap_or(usize::MAX),
            running: *running,
            complete: *complete,
        }))
}

async fn write(writer: &Control, p: Progress) -> Result<(), ControlError> {
    let statement = format!(
        "REPLACE INTO {OWN_DATABASE}.initial_schema (id, statements_done, running, complete) VALUES (1, {}, {}, {})",
        p.done, p.running, p.complete
    );
    writer.run(&[statement], UNLIMITED).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_recognised() {
        assert!(begins_program(
            "create definer=x trigger t before insert on a for each row begin set new.a=1"
        ));
        assert!(!begins_program("CREATE TABLE a (b int"));
        assert!(!begins_program("INSERT INTO procedure_log VALUES (1"));
    }

    #[test]
    fn long_statements_are_named_by_their_beginning() {
        assert_eq!(beginning("CREATE\n  TABLE a"), "CREATE TABLE a");
        assert_eq!(beginning(&"é".repeat(100)).chars().count(), 63);
    }
}
