//! What the plan cache holds.

use planner::PlanError;
use planner::plan::{Plan, PlanNode};
use sql::ast::Completion;

use crate::error::SqlError;

/// A planned statement: the planner's plan, or transaction control, which is as frequent and needs no planner.
#[derive(Debug, Clone, PartialEq)]
pub enum Planned {
    /// A statement for shards.
    Plan(Box<Plan>, InsertId),
    /// BEGIN, START TRANSACTION.
    Begin {
        /// WITH CONSISTENT SNAPSHOT: opened on the shard at once where there is only one.
        consistent_snapshot: bool,
        /// READ ONLY or READ WRITE.
        read_only: Option<bool>,
    },
    /// COMMIT.
    Commit(Completion),
    /// ROLLBACK.
    Rollback(Completion),
}

/// What the OK packet of an INSERT says about LAST_INSERT_ID().
///
/// MySQL's OK packet carries an explicit AUTO_INCREMENT value too, which LAST_INSERT_ID() does not return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsertId {
    /// Nothing: no AUTO_INCREMENT column, or not an INSERT.
    None,
    /// MySQL chooses every value: the packet's is the session's.
    Generated,
    /// It cannot be told from the statement: LAST_INSERT_ID() is set before it and read after it.
    Ambiguous,
}

impl Planned {
    /// Whether the plan is right for the literals of this statement.
    pub fn accepts(&self, text: &[u8], fingerprint: &sql::fingerprint::Fingerprint) -> bool {
        match self {
            Self::Plan(plan, _) => plan.accepts(text, fingerprint),
            Self::Begin { .. } | Self::Commit(_) | Self::Rollback(_) => true,
        }
    }

    /// Rough size in bytes, for the cache's bound.
    pub fn bytes(&self) -> usize {
        match self {
            // The parts of a plan are small boxed slices; counting them exactly would cost more than it tells.
            Self::Plan(plan, _) => std::mem::size_of::<Plan>() * 3 + plan.tables.len() * 64,
            _ => std::mem::size_of::<Self>(),
        }
    }

    /// One line for `SHOW VITRAIL PLANS`.
    pub fn describe(&self) -> String {
        match self {
            Self::Plan(plan, _) => match &plan.node {
                PlanNode::Route(route) => format!("{:?} {:?}", plan.kind, route.routing),
                PlanNode::Insert(_) => format!("{:?} by row", plan.kind),
                PlanNode::Ddl(ddl) => format!("{:?} {:?}", plan.kind, ddl.action),
            },
            Self::Begin { .. } => "begin".to_owned(),
            Self::Commit(_) => "commit".to_owned(),
            Self::Rollback(_) => "rollback".to_owned(),
        }
    }
}

/// The planner's error as the client's.
pub fn plan_error(error: PlanError) -> SqlError {
    let mut state = *b"HY000";
    if let Ok(known) = error.sqlstate.as_bytes().try_into() {
        state = known;
    }
    SqlError {
        code: error.errno,
        state,
        message: error.message.into_bytes().into(),
    }
}
