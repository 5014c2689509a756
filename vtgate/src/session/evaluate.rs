//! Expressions in statements that the gateway answers: MySQL works them out, so that they mean what they mean to it.

use mysql_wire::client::QueryResult;
use planner::plan::PlanNode;
use sql::fingerprint::Fingerprint;

use super::Session;
use super::diagnostics::warnings_of;
use super::execute::Input;
use super::lease::Needs;
use crate::error::{self, SqlResult};

impl Session {
    /// The rows of a SELECT that the gateway wrote around an expression of the client's statement, which `input` is.
    ///
    /// Its warnings are in the diagnostics area afterwards.
    ///
    /// # Errors
    /// MySQL's, and 1235 for an expression that reads tables.
    pub(super) async fn evaluate(&mut self, text: &[u8], input: &Input<'_>) -> SqlResult<QueryResult> {
        let mut fingerprint = Fingerprint::new();
        fingerprint
            .read(text, self.lex_options())
            .map_err(error::syntax)?;
        let statement = sql::parser::parse(text, self.lex_options()).map_err(error::syntax)?;
        let plan = self.plan(text, &statement, &fingerprint)?;
        let own = Input {
            text,
            fingerprint: &fingerprint,
            ..*input
        };
        let text = match &plan.node {
            PlanNode::Route(route) if plan.tables.is_empty() && plan.effects.pins.is_empty() => {
                self.render_with_values(&route.query, &own)?
            }
            _ => {
                return Err(error::unsupported(
                    "Usage of subqueries or stored function calls as part of this statement",
                ));
            }
        };
        let needs = Needs {
            user_variables: !plan.effects.user_vars_read.is_empty(),
            anywhere: true,
            ..Needs::default()
        };
        let lease = self.lease_any(None, needs).await?;
        let mut lease = self.settled(lease).await?;
        let conn = &mut lease.branch.conn;
        let answer = match conn.query(&text).await {
            Ok(result) if result.ok.warnings > 0 => {
                warnings_of(conn).await.map(|warnings| (result, warnings))
            }
            Ok(result) => Ok((result, Vec::new())),
            Err(error) => Err(conn.lost(error)),
        };
        match answer {
            Ok((result, warnings)) => {
                self.branches.give_back(lease.branch);
                self.diagnostics = warnings;
                Ok(result)
            }
            // It reads no tables: nothing is lost but the answer.
            Err(wrong) => {
                self.diagnostics.clear();
                Err(self.fallen(lease, wrong))
            }
        }
    }
}
