//! `SET`, as a plan: what MySQL evaluates, what is read back from it, and what the gateway keeps. Pure.

use sql::ast::{Expr, ExprKind, Isolation, Set, SetKind, VarScope};

use super::variables::{CHARSET_VARIABLES, Handling, handling};
use crate::error::{self, SqlResult};

/// What to do for a `SET`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SetPlan {
    /// The statement for MySQL, on a connection that has the session's settings; none if nothing is left to do there.
    pub execute: Option<Vec<u8>>,
    /// System variables to read back and carry from now on.
    pub read_back: Vec<Box<str>>,
    /// System variables that are carried no more: set to DEFAULT.
    pub reset: Vec<Box<str>>,
    /// User variables to read back and carry, lower case without `@`.
    pub user_variables: Vec<Box<str>>,
    /// LAST_INSERT_ID() is to be read back.
    pub last_insert_id: bool,
    /// `SET TRANSACTION ..` for the next transaction only, one statement for each characteristic.
    pub next_transaction: Vec<Vec<u8>>,
    /// The session keeps its connection from here on.
    pub pins: bool,
    /// Warnings: number and text.
    pub warnings: Vec<(u16, String)>,
}

/// Plans a `SET`.
///
/// # Errors
/// 1227 for what needs an administrator, 1235 for forms that are not supported.
pub(super) fn plan(text: &[u8], set: &Set<'_>) -> SqlResult<SetPlan> {
    let mut plan = SetPlan::default();
    let mut kept: Vec<&[u8]> = Vec::with_capacity(set.items.len());
    for item in &set.items {
        let item_text = item.span.of(text);
        match &item.kind {
            SetKind::UserVar { name, .. } => {
                let name = String::from_utf8_lossy(&name.value).to_lowercase();
                push_new(&mut plan.user_variables, &name);
                kept.push(item_text);
            }
            SetKind::SysVar { var, value } => {
                let name = String::from_utf8_lossy(&var.name.value).to_ascii_lowercase();
                // `@@name` without a scope is the next transaction's, `name` the session's.
                if var.at
                    && var.scope == VarScope::Implicit
                    && let Some(statement) = next_transaction(text, &name, value)?
                {
                    plan.next_transaction.push(statement);
                    continue;
                }
                if system_variable(&mut plan, var.scope, &name, value)? {
                    kept.push(item_text);
                }
            }
            SetKind::Names { .. } | SetKind::CharacterSet(_) => {
                read_back_charset(&mut plan);
                kept.push(item_text);
            }
            SetKind::Transaction {
                scope,
                isolation,
                read_only,
            } => {
                transaction(&mut plan, item_text, *scope, *isolation, *read_only, &mut kept)?;
            }
            SetKind::Other(other) => return Err(error::unsupported(format_args!("SET {other:?}"))),
        }
    }
    if !kept.is_empty() {
        let mut execute = b"SET ".to_vec();
        execute.extend_from_slice(&kept.join(&b", "[..]));
        plan.execute = Some(execute);
    }
    Ok(plan)
}

/// Whether MySQL is to execute the assignment.
fn system_variable(plan: &mut SetPlan, scope: VarScope, name: &str, value: &Expr<'_>) -> SqlResult<bool> {
    let how = handling(name);
    if how == Handling::Ignored {
        plan.warnings
            .push((1235, format!("SET {name} has no effect through the gateway")));
        return Ok(false);
    }
    if !matches!(scope, VarScope::Implicit | VarScope::Session) {
        return Err(error::access_denied("SUPER or SYSTEM_VARIABLES_ADMIN"));
    }
    match how {
        Handling::Carried => {
            if matches!(value.kind, ExprKind::Default) {
                push_new(&mut plan.reset, name);
            } else {
                push_new(&mut plan.read_back, name);
            }
        }
        Handling::Charset => read_back_charset(plan),
        Handling::LastInsertId => plan.last_insert_id = true,
        Handling::Pinning => plan.pins = true,
        Handling::Privileged => {
            return Err(error::access_denied(
                "SUPER, SYSTEM_VARIABLES_ADMIN or SESSION_VARIABLES_ADMIN",
            ));
        }
        Handling::Refused => return Err(error::unsupported(format_args!("SET {name}"))),
        Handling::Ignored => {}
    }
    Ok(true)
}

fn transaction<'t>(
    plan: &mut SetPlan,
    item_text: &'t [u8],
    scope: VarScope,
    isolation: Option<Isolation>,
    read_only: Option<bool>,
    kept: &mut Vec<&'t [u8]>,
) -> SqlResult<()> {
    match scope {
        VarScope::Implicit => {
            plan.next_transaction.extend(isolation.map(isolation_statement));
            plan.next_transaction.extend(read_only.map(access_statement));
        }
        VarScope::Session => {
            if isolation.is_some() {
                push_new(&mut plan.read_back, "transaction_isolation");
            }
            if read_only.is_some() {
                push_new(&mut plan.read_back, "transaction_read_only");
            }
            kept.push(item_text);
        }
        VarScope::Global | VarScope::Persist | VarScope::PersistOnly => {
            return Err(error::access_denied("SUPER or SYSTEM_VARIABLES_ADMIN"));
        }
    }
    Ok(())
}

/// `SET @@transaction_isolation = ..` and `SET @@transaction_read_only = ..` as SET TRANSACTION; None for other variables.
fn next_transaction(text: &[u8], name: &str, value: &Expr<'_>) -> SqlResult<Option<Vec<u8>>> {
    let word = String::from_utf8_lossy(value.span.of(text)).to_ascii_uppercase();
    let word = word.trim_matches(|c| matches!(c, '\'' | '"'));
    let statement = match name {
        "transaction_isolation" => match word {
            "READ-UNCOMMITTED" | "0" => Some(Isolation::ReadUncommitted),
            "READ-COMMITTED" | "1" => Some(Isolation::ReadCommitted),
            "REPEATABLE-READ" | "2" => Some(Isolation::RepeatableRead),
            "SERIALIZABLE" | "3" => Some(Isolation::Serializable),
            _ => None,
        }
        .map(isolation_statement),
        "transaction_read_only" => match word {
            "ON" | "TRUE" | "1" => Some(access_statement(true)),
            "OFF" | "FALSE" | "0" => Some(access_statement(false)),
            _ => None,
        },
        _ => return Ok(None),
    };
    match statement {
        Some(statement) => Ok(Some(statement)),
        None => Err(error::unsupported(format_args!("SET @@{name} = {word}"))),
    }
}

fn isolation_statement(isolation: Isolation) -> Vec<u8> {
    let level = match isolation {
        Isolation::ReadUncommitted => "READ UNCOMMITTED",
        Isolation::ReadCommitted => "READ COMMITTED",
        Isolation::RepeatableRead => "REPEATABLE READ",
        Isolation::Serializable => "SERIALIZABLE",
    };
    format!("SET TRANSACTION ISOLATION LEVEL {level}").into_bytes()
}

fn access_statement(read_only: bool) -> Vec<u8> {
    let mode = if read_only { "READ ONLY" } else { "READ WRITE" };
    format!("SET TRANSACTION {mode}").into_bytes()
}

fn read_back_charset(plan: &mut SetPlan) {
    for name in CHARSET_VARIABLES {
        push_new(&mut plan.read_back, name);
    }
}

fn push_new(names: &mut Vec<Box<str>>, name: &str) {
    if !names.iter().any(|known| **known == *name) {
        names.push(name.into());
    }
}

#[cfg(test)]
mod tests {
    use sql::ast::StatementKind;

    use super::*;

    fn planned(text: &str) -> SqlResult<SetPlan> {
        let statement = sql::parser::parse(text.as_bytes(), sql::lexer::LexOptions::default()).unwrap();
        let StatementKind::Set(set) = &statement.kind else {
            panic!("not a SET: {text}")
        };
        plan(text.as_bytes(), set)
    }

    fn executed(plan: &SetPlan) -> Option<&str> {
        plan.execute
            .as_deref()
            .map(|text| std::str::from_utf8(text).unwrap())
    }

    #[test]
    fn carried_variables_are_read_back_and_defaults_forgotten() {
        let plan = planned("SET sql_mode='', SESSION time_zone = DEFAULT, @X := 1").unwrap();
        assert_eq!(
            executed(&plan),
            Some("SET sql_mode='', SESSION time_zone = DEFAULT, @X := 1")
        );
        assert_eq!(plan.read_back, ["sql_mode".into()]);
        assert_eq!(plan.reset, ["time_zone".into()]);
        assert_eq!(plan.user_variables, ["x".into()]);
    }

    #[test]
    fn what_a_dump_says_of_binary_logs_is_ignored() {
        let plan = planned("SET @@SESSION.SQL_LOG_BIN= 0").unwrap();
        assert_eq!((executed(&plan), plan.warnings.len()), (None, 1));
        let plan = planned("SET @@GLOBAL.GTID_PURGED=''").unwrap();
        assert_eq!((executed(&plan), plan.warnings.len()), (None, 1));
    }

    #[test]
    fn global_variables_need_an_administrator() {
        assert_eq!(planned("SET GLOBAL sql_mode=''").unwrap_err().code, 1227);
        assert_eq!(planned("SET @@persist.max_connections=1").unwrap_err().code, 1227);
        assert_eq!(planned("SET pseudo_thread_id=1").unwrap_err().code, 1227);
    }

    #[test]
    fn names_read_back_all_of_the_character_set() {
        let plan = planned("SET NAMES latin1").unwrap();
        assert_eq!(plan.read_back.len(), 3);
    }

    #[test]
    fn a_transaction_of_no_scope_is_for_the_next_one() {
        let plan = planned("SET TRANSACTION ISOLATION LEVEL READ COMMITTED").unwrap();
        assert_eq!(executed(&plan), None);
        assert_eq!(
            plan.next_transaction,
            [b"SET TRANSACTION ISOLATION LEVEL READ COMMITTED".to_vec()]
        );
        let plan = planned("SET @@transaction_read_only = ON").unwrap();
        assert_eq!(executed(&plan), None);
        assert_eq!(plan.next_transaction, [b"SET TRANSACTION READ ONLY".to_vec()]);
        let plan = planned("SET transaction_isolation = 'SERIALIZABLE'").unwrap();
        assert_eq!(plan.read_back, ["transaction_isolation".into()]);
        let plan = planned("SET SESSION TRANSACTION READ ONLY").unwrap();
        assert_eq!(plan.read_back, ["transaction_read_only".into()]);
    }
}
