//! What a session has selected and set, and what follows from it for planning.

use mysql_wire::collation::{self, Collation};
use mysql_wire::server::Connection;
use planner::catalog::{KeyspaceIndex, ShardIndex};
use planner::value::Charset;
use sql::charset::ClientCharset;
use sql::mode::LexMode;

use super::Session;
use super::context::Context;
use super::target::{Target, TargetError, is_system_schema};
use crate::cluster::Cluster;
use crate::error::{self, SqlError, SqlResult};
use crate::settings::Variables;
use crate::worker::Worker;

/// An SQL literal of a string: quoted when it is plain text, else by its hex digits.
pub(super) fn string_literal(bytes: &[u8]) -> Vec<u8> {
    let plain = bytes
        .iter()
        .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\'' | b'\\') || *byte == b' ');
    if plain {
        [b"'", bytes, b"'"].concat()
    } else {
        let mut literal = b"_utf8mb4 x'".to_vec();
        literal.extend_from_slice(hex::encode(bytes).as_bytes());
        literal.push(b'\'');
        literal
    }
}

/// The text of a literal that [`string_literal`] wrote in its plain form.
fn plain_text(literal: &[u8]) -> Option<&str> {
    std::str::from_utf8(literal.strip_prefix(b"'")?.strip_suffix(b"'")?).ok()
}

impl Session {
    /// Takes over the collation of a handshake, as `SET NAMES` would.
    pub(super) fn set_client_collation(&mut self, id: u16) -> SqlResult<()> {
        let default = collation::UTF8MB4_0900_AI_CI;
        let found = Collation::by_id(id).unwrap_or_else(|| {
            // MySQL falls back to its default for an id that it does not know.
            Collation::by_id(default).unwrap_or(&FALLBACK)
        });
        if matches!(found.charset, "ucs2" | "utf16" | "utf16le" | "utf32") {
            return Err(SqlError::with_code(
                1231,
                format!(
                    "Variable 'character_set_client' can't be set to the value of '{}'",
                    found.charset
                ),
            ));
        }
        let mut variables: Variables = self.system.variables().clone();
        for name in super::variables::CHARSET_VARIABLES {
            variables.remove(name);
        }
        if found.id != default {
            let charset = string_literal(found.charset.as_bytes());
            variables.insert("character_set_client".into(), charset.clone().into());
            variables.insert("character_set_results".into(), charset.into());
            variables.insert(
                "collation_connection".into(),
                string_literal(found.name.as_bytes()).into(),
            );
        }
        self.system = self.worker.system_settings.intern(variables);
        self.refresh_context();
        Ok(())
    }

    /// Whether the database of a handshake can be selected, before the client is let in.
    ///
    /// # Errors
    /// 1049 when it cannot.
    pub fn check(worker: &Worker, client: &Connection) -> SqlResult<()> {
        match &client.database {
            Some(database) => find_target(
                &worker.cluster(),
                &Target::default(),
                &String::from_utf8_lossy(database),
            )
            .map(|_| ()),
            None => Ok(()),
        }
    }

    /// `USE`, COM_INIT_DB and the database of the handshake.
    pub(super) fn select(&mut self, text: &str) -> SqlResult<()> {
        let target = find_target(&self.worker.cluster(), &self.target, text)?;
        if target.tablet_type != self.target.tablet_type && self.branches.in_transaction() {
            return Err(SqlError::with_code(
                1568,
                "Transaction characteristics can't be changed while a transaction is in progress",
            ));
        }
        self.target = target;
        let shown = self.target.to_string();
        self.control.database((!shown.is_empty()).then(|| shown.into()));
        self.refresh_context();
        Ok(())
    }

    /// The keyspace that is selected, if it is one of the cluster's.
    pub(super) fn selected_keyspace(&self, cluster: &Cluster) -> Option<KeyspaceIndex> {
        cluster.catalog.find_keyspace(self.target.database.as_deref()?)
    }

    /// The shard of `keyspace` that is selected by name.
    pub(super) fn selected_shard(&self, cluster: &Cluster, keyspace: KeyspaceIndex) -> Option<ShardIndex> {
        let name = self.target.shard.as_deref()?;
        let state = cluster.keyspaces.get(usize::from(keyspace))?;
        u16::try_from(state.shards.iter().position(|shard| *shard.name == *name)?).ok()
    }

    /// Brings the planning context in line with settings and selection.
    pub(super) fn refresh_context(&mut self) {
        let text = |name: &str, default: &str| -> Box<str> {
            self.system
                .get(name)
                .and_then(plain_text)
                .unwrap_or(default)
                .into()
        };
        let sql_mode = text("sql_mode", "");
        let character_set = text("character_set_client", "utf8mb4");
        let context = Context {
            lex: LexMode::from_sql_mode(&sql_mode),
            charset: ClientCharset::from_name(&character_set),
            values: Charset::from_name(&character_set),
            sql_mode,
            character_set,
            collation: text("collation_connection", "utf8mb4_0900_ai_ci"),
            target: self.target.clone(),
        };
        self.out.collation =
            Collation::by_name(&context.collation).map_or(collation::UTF8MB4_0900_AI_CI, |found| found.id);
        if context != *self.context {
            (self.context, self.context_id) = self.worker.contexts.borrow_mut().intern(context);
        }
    }
}

/// The target that a text names, checked against the cluster. Parts that it leaves out stay as they are in `current`.
fn find_target(cluster: &Cluster, current: &Target, text: &str) -> SqlResult<Target> {
    let mut target = Target::parse(text).map_err(|wrong| match wrong {
        TargetError::KeyRange => error::unsupported("targets by key range"),
        TargetError::TabletType(_) => error::unknown_database(text),
    })?;
    let Some(database) = &target.database else {
        if target.shard.is_none() {
            // `USE @replica` keeps what is selected.
            target.database.clone_from(&current.database);
            target.shard.clone_from(&current.shard);
        }
        return Ok(target);
    };
    let Some(keyspace) = cluster.catalog.find_keyspace(database) else {
        let known = is_system_schema(database) && target.shard.is_none();
        return if known {
            Ok(target)
        } else {
            Err(error::unknown_database(database))
        };
    };
    if let Some(shard) = &target.shard {
        let name: Box<str> = if **shard == *"0" {
            "-".into()
        } else {
            shard.clone()
        };
        let state = cluster.keyspaces.get(usize::from(keyspace));
        if !state.is_some_and(|state| state.shards.iter().any(|shard| *shard.name == *name)) {
            return Err(error::unknown_database(text));
        }
        target.shard = Some(name);
    }
    Ok(target)
}

static FALLBACK: Collation = Collation {
    id: collation::UTF8MB4_0900_AI_CI,
    name: "utf8mb4_0900_ai_ci",
    charset: "utf8mb4",
    is_default: true,
    max_len: 4,
    no_pad: true,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_cannot_be_broken_out_of() {
        assert_eq!(string_literal(b"ANSI_QUOTES,X"), b"'ANSI_QUOTES,X'");
        assert_eq!(string_literal(b"a'b"), b"_utf8mb4 x'612762'");
        assert_eq!(string_literal(b"a\\"), b"_utf8mb4 x'615c'");
        assert_eq!(string_literal("é".as_bytes()), b"_utf8mb4 x'c3a9'");
        assert_eq!(plain_text(b"'latin1'"), Some("latin1"));
        assert_eq!(plain_text(b"NULL"), None);
    }
}
