//! PREPARE, EXECUTE and DEALLOCATE PREPARE in SQL, on keyspaces of several shards.
//!
//! The gateway keeps the texts. EXECUTE puts the user variables into the text as literals, so that routing sees their values and no
//! connection has to be kept.

use mysql_wire::SqlError;
use sql::ast::{ExprKind, Prepared};
use sql::fingerprint::{Fingerprint, Verb};

use super::Session;
use super::query::Done;
use crate::error::{self, SqlResult};

impl Session {
    /// Runs one of the three statements and answers it.
    pub(super) async fn sql_prepared(&mut self, prepared: &Prepared<'_>) -> Result<Done, mysql_wire::Error> {
        let outcome = match prepared {
            Prepared::Prepare { name, source } => self.keep_text(&key(name), source),
            Prepared::Deallocate { name } => {
                let known = self.named_statements.remove(&key(name)).is_some();
                if known {
                    Ok(())
                } else {
                    Err(unknown(&key(name), "DEALLOCATE PREPARE"))
                }
            }
            Prepared::Execute { name, using } => match self.substituted(&key(name), using) {
                Ok(text) => {
                    let mut fingerprint = Fingerprint::new();
                    if let Err(wrong) = fingerprint.read(&text, self.lex_options()) {
                        return Ok(self.fail(error::syntax(wrong)));
                    }
                    return Box::pin(self.statement(&text, &fingerprint, self.out.more_results)).await;
                }
                Err(wrong) => Err(wrong),
            },
        };
        match outcome {
            Ok(()) => {
                self.diagnostics.clear();
                self.row_count = 0;
                self.ok();
                Ok(Done::Answered)
            }
            Err(wrong) => Ok(self.fail(wrong)),
        }
    }

    /// Whether a PREPARE that MySQL is to run is of an XA statement, as far as the session knows its text.
    pub(super) fn prepares_xa(&self, prepared: &Prepared<'_>) -> bool {
        let Prepared::Prepare { source, .. } = prepared else {
            return false;
        };
        let mut fingerprint = Fingerprint::new();
        self.source_text(source)
            .is_ok_and(|text| fingerprint.read(&text, self.lex_options()).is_ok())
            && fingerprint.verb() == Verb::Xa
    }

    /// The text that a PREPARE names.
    fn source_text(&self, source: &sql::ast::Expr<'_>) -> SqlResult<Vec<u8>> {
        match &source.kind {
            ExprKind::Literal(literal) => {
                let bytes = literal.bytes(self.lex_options());
                let bytes = bytes.ok_or_else(|| error::unsupported("this source of PREPARE"))?;
                Ok(bytes.into_owned())
            }
            ExprKind::UserVar(variable) => self.text_of_variable(&variable.value),
            _ => Err(error::unsupported("this source of PREPARE")),
        }
    }

    fn keep_text(&mut self, name: &str, source: &sql::ast::Expr<'_>) -> SqlResult<()> {
        let text = self.source_text(source)?;
        let mut fingerprint = Fingerprint::new();
        fingerprint
            .read(&text, self.lex_options())
            .map_err(error::syntax)?;
        let statements = super::query::split(&text, self.lex_options(), &mut fingerprint);
        if let [_, second, ..] = statements.as_slice() {
            return Err(error::syntax(sql::error::ParseError::syntax(
                &text,
                second.start as usize,
            )));
        }
        let text = statements.first().map(|span| span.of(&text)).unwrap_or_default();
        sql::parser::parse(text, self.lex_options()).map_err(error::syntax)?;
        self.named_statements.insert(name.to_owned(), text.into());
        Ok(())
    }

    /// The bytes of a user variable that holds a string.
    fn text_of_variable(&self, name: &[u8]) -> SqlResult<Vec<u8>> {
        let name = String::from_utf8_lossy(name).to_lowercase();
        let literal = self.user_variables.get(&name).unwrap_or(b"NULL");
        let literal = String::from_utf8_lossy(literal);
        let digits = literal
            .split_once("x'")
            .and_then(|(_, rest)| rest.split_once('\''))
            .map(|(digits, _)| digits);
        digits
            .and_then(|digits| hex::decode(digits).ok())
            .ok_or_else(|| error::syntax(sql::error::ParseError::syntax(literal.as_bytes(), 0)))
    }

    /// The statement's text with the variables' values in place of its parameters.
    fn substituted(&self, name: &str, using: &[sql::ast::Expr<'_>]) -> SqlResult<Vec<u8>> {
        let text = self
            .named_statements
            .get(name)
            .ok_or_else(|| unknown(name, "EXECUTE"))?;
        let mut fingerprint = Fingerprint::new();
        fingerprint
            .read(text, self.lex_options())
            .map_err(error::syntax)?;
        if fingerprint.params() as usize != using.len() {
            return Err(SqlError::with_code(1210, "Incorrect arguments to EXECUTE"));
        }
        super::inline::with_values(text, self.lex_options(), |place, out| {
            let Some(ExprKind::UserVar(variable)) = using.get(place).map(|expr| &expr.kind) else {
                return Err(error::unsupported("EXECUTE USING anything but user variables"));
            };
            let name = String::from_utf8_lossy(&variable.value).to_lowercase();
            out.extend_from_slice(self.user_variables.get(&name).unwrap_or(b"NULL"));
            Ok(())
        })
    }
}

fn key(name: &sql::ast::Ident<'_>) -> String {
    String::from_utf8_lossy(&name.value).to_lowercase()
}

fn unknown(name: &str, verb: &str) -> SqlError {
    SqlError::with_code(
        1243,
        format!("Unknown prepared statement handler ({name}) given to {verb}"),
    )
}
