//! What the session contributes to planning.

use sql::mode::LexMode;

use crate::catalog::{Catalog, KeyspaceIndex, ShardIndex};
use crate::value::Charset;

/// The session's part of a plan's key, and the catalog.
///
/// Plans depend on nothing else of the session: these fields, the catalog's version and the fingerprint key make up the
/// plan cache's key.
#[derive(Debug, Clone, Copy)]
pub struct PlanContext<'c> {
    /// The snapshot to plan against.
    pub catalog: &'c Catalog,
    /// The selected keyspace.
    pub keyspace: Option<KeyspaceIndex>,
    /// The shard that the session targets by `USE customer:-80`: statements on the keyspace go there as they are.
    pub shard: Option<ShardIndex>,
    /// Bits of sql_mode that change the meaning of text.
    pub lex_mode: LexMode,
    /// Character set of the client's text.
    pub charset: Charset,
}
