//! DDL: on the primary of every shard of the keyspace, one after another.

use mysql_wire::client::OkStatus;
use planner::catalog::{KeyspaceIndex, ShardIndex};
use planner::plan::{Ddl, DdlAction, Plan};
use planner::resolve::resolve;
use sql::ast::{Ddl as AstDdl, StatementKind as AstKind};

use super::Session;
use super::answer::OkAnswer;
use super::diagnostics::warnings_of;
use super::diagnostics::{Condition, warning_count};
use super::execute::Input;
use super::hold::Waited;
use super::lease::{Lease, Needs};
use super::lost::Stage;
use super::planned::InsertId;
use super::query::Done;
use super::several::merge_info;
use crate::cluster::Cluster;
use crate::error::{self, SqlError, SqlResult};

/// Errors by which a shard says that a DDL statement was done on it before.
const DONE_BEFORE: [u16; 7] = [1050, 1051, 1060, 1061, 1091, 1146, 1304];

/// What DDL needs of a connection.
const ON_PRIMARY: Needs = Needs {
    writes: true,
    user_variables: false,
    insert_id: false,
    primary: true,
    anywhere: false,
    tables: false,
    programs: false,
    once: true,
};

impl Session {
    /// Runs DDL and waits until the gateway plans with the new definitions.
    pub(super) async fn run_ddl(
        &mut self,
        cluster: &Cluster,
        plan: &Plan,
        ddl: &Ddl,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let Some(keyspace) = cluster.catalog.keyspace(ddl.keyspace) else {
            return Ok(self.fail(error::internal("the plan's keyspace is gone")));
        };
        let shards = resolve(&ddl.routing, &self.bindings(input), keyspace);
        let done = match ddl.action {
            DdlAction::EmptyDatabase => self.empty_database(cluster, ddl.keyspace, &shards).await,
            DdlAction::CreateDatabase { if_not_exists } => {
                match self
                    .create_database(cluster, ddl.keyspace, &shards, if_not_exists, input)
                    .await
                {
                    Ok(()) => self.answer_ddl(1, ""),
                    Err(wrong) => self.fail(wrong),
                }
            }
            DdlAction::Temporary if shards.len() > 1 => {
                self.fail(error::unsupported("temporary tables on several shards"))
            }
            _ => match shards.as_slice() {
                [shard] => {
                    let place = (ddl.keyspace, *shard);
                    self.run_on_one(cluster, plan, place, &ddl.query, InsertId::None, input)
                        .await?
                }
                _ => match self.ddl_on_each(cluster, ddl, &shards, input).await {
                    Ok(done) => {
                        let done: Vec<&OkStatus> = done.iter().collect();
                        let affected_rows = done.iter().map(|ok| ok.affected_rows).sum();
                        self.answer_ddl(affected_rows, &merge_info(plan.kind, &done))
                    }
                    Err(wrong) => self.fail(wrong),
                },
            },
        };
        if ddl.action != DdlAction::Temporary && self.stall.is_none() {
            self.reload_definitions(cluster, ddl.keyspace).await;
        }
        Ok(done)
    }

    async fn ddl_on_each(
        &mut self,
        cluster: &Cluster,
        ddl: &Ddl,
        shards: &[ShardIndex],
        input: &Input<'_>,
    ) -> SqlResult<Vec<OkStatus>> {
        let text = self.render_with_values(&ddl.query, input)?;
        self.diagnostics.clear();
        let mut done: Vec<String> = Vec::new();
        let mut answers = Vec::new();
        let mut done_before: Vec<(String, SqlError)> = Vec::new();
        for shard in shards {
            let name = cluster
                .shard(ddl.keyspace, *shard)
                .map(|(_, shard)| shard.name.to_string())
                .unwrap_or_default();
            match self.ddl_on_shard(cluster, ddl.keyspace, *shard, &text).await {
                Ok(answer) => {
                    done.push(name);
                    answers.push(answer);
                }
                Err(wrong) if DONE_BEFORE.contains(&wrong.code) => done_before.push((name, wrong)),
                Err(wrong) => return Err(partial(wrong, &name, &done)),
            }
        }
        if done.is_empty() {
            if let Some((_, wrong)) = done_before.into_iter().next() {
                return Err(wrong);
            }
        } else {
            // The statement was repeated after a partial failure: what is left of it is done now.
            for (name, wrong) in done_before {
                let text = format!("shard {name}: {}", String::from_utf8_lossy(&wrong.message));
                self.diagnostics.push(Condition::warning(wrong.code, &text));
            }
        }
        Ok(answers)
    }

    /// Runs a statement on one of several shards. It waits for the shard's primary here: begun anew, the statement would be repeated on
    /// the shards that have done it.
    async fn ddl_on_shard(
        &mut self,
        cluster: &Cluster,
        keyspace: KeyspaceIndex,
        shard: ShardIndex,
        text: &[u8],
    ) -> SqlResult<OkStatus> {
        let revision = cluster.catalog_revision;
        let mut waited = Waited::default();
        loop {
            let cluster = self.worker.cluster();
            if cluster.catalog_revision != revision {
                return Err(error::shard_gone());
            }
            let outcome = match self.lease(&cluster, keyspace, shard, ON_PRIMARY).await {
                Ok(lease) => self.ddl_on(lease, text).await,
                Err(wrong) => Err(wrong),
            };
            match self.stall.take() {
                Some(stall) if outcome.is_err() => self.hold(&stall, &mut waited).await?,
                _ => return outcome,
            }
        }
    }

    async fn ddl_on(&mut self, lease: Lease, text: &[u8]) -> SqlResult<OkStatus> {
        let mut lease = self.settled(lease).await?;
        let conn = &mut lease.branch.conn;
        match conn.query(text).await {
            Ok(result) => {
                if result.ok.warnings > 0 {
                    // Every shard says the same: each of it counts once.
                    for warning in warnings_of(conn).await? {
                        if !self.diagnostics.contains(&warning) {
                            self.diagnostics.push(warning);
                        }
                    }
                }
                self.branches.put(lease.branch, result.ok.status);
                Ok(result.ok)
            }
            Err(error) => {
                let refused = matches!(error, mysql_wire::Error::Sql(_));
                let wrong = conn.lost(error);
                if !refused {
                    lease.stage = Stage::Sent;
                }
                Err(self.fallen(lease, wrong))
            }
        }
    }

    fn answer_ddl(&mut self, affected_rows: u64, info: &str) -> Done {
        self.row_count = i64::try_from(affected_rows).unwrap_or(i64::MAX);
        let answer = OkAnswer {
            affected_rows,
            status: self.status(),
            warnings: warning_count(&self.diagnostics),
            info: info.as_bytes(),
            ..OkAnswer::default()
        };
        self.out.ok(&answer);
        Done::Answered
    }

    /// CREATE DATABASE of a keyspace: one that holds nothing is as good as new, but for its options.
    async fn create_database(
        &mut self,
        cluster: &Cluster,
        keyspace: KeyspaceIndex,
        shards: &[ShardIndex],
        if_not_exists: bool,
        input: &Input<'_>,
    ) -> SqlResult<()> {
        self.diagnostics.clear();
        let name = cluster.catalog.keyspace(keyspace).map_or("", |found| &found.name);
        let statement = sql::parser::parse(input.text, self.lex_options()).map_err(error::syntax)?;
        let options = match &statement.kind {
            AstKind::Ddl(created) => match &**created {
                AstDdl::CreateDatabase(create) => create.options.of(input.text),
                _ => &[],
            },
            _ => &[],
        };
        for shard in shards {
            if self.has_tables(cluster, keyspace, *shard).await? {
                let text = format!("Can't create database '{name}'; database exists");
                if !if_not_exists {
                    return Err(SqlError::with_code(1007, text));
                }
                self.diagnostics.push(Condition {
                    level: "Note".into(),
                    code: 1007,
                    message: text.into_bytes().into(),
                });
                return Ok(());
            }
        }
        if options.is_empty() {
            return Ok(());
        }
        let text = [b"ALTER DATABASE ", &uncommented(options)[..]].concat();
        for shard in shards {
            self.ddl_on_shard(cluster, keyspace, *shard, &text).await?;
        }
        Ok(())
    }

    async fn has_tables(
        &mut self,
        cluster: &Cluster,
        keyspace: KeyspaceIndex,
        shard: ShardIndex,
    ) -> SqlResult<bool> {
        const FIRST: &[u8] =
            b"SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() LIMIT 1";
        let lease = self.lease(cluster, keyspace, shard, ON_PRIMARY).await?;
        let mut lease = self.settled(lease).await?;
        let conn = &mut lease.branch.conn;
        match conn.query(FIRST).await.map_err(|error| conn.lost(error)) {
            Ok(found) => {
                self.branches.put(lease.branch, found.ok.status);
                Ok(!found.rows.is_empty())
            }
            Err(wrong) => Err(self.fallen(lease, wrong)),
        }
    }

    /// DROP DATABASE of a keyspace: its tables, views and stored programs go, the keyspace stays.
    async fn empty_database(
        &mut self,
        cluster: &Cluster,
        keyspace: KeyspaceIndex,
        shards: &[ShardIndex],
    ) -> Done {
        let mut dropped = 0;
        let mut done: Vec<String> = Vec::new();
        for shard in shards {
            let outcome = match self.lease(cluster, keyspace, *shard, ON_PRIMARY).await {
                Ok(lease) => self.empty_shard(lease).await,
                Err(wrong) => Err(wrong),
            };
            let name = cluster
                .shard(keyspace, *shard)
                .map(|(_, shard)| shard.name.to_string())
                .unwrap_or_default();
            match outcome {
                Ok(count) => {
                    dropped = dropped.max(count);
                    done.push(name);
                }
                Err(wrong) => return self.fail(partial(wrong, &name, &done)),
            }
        }
        self.diagnostics.clear();
        self.answer_ddl(dropped, "")
    }

    async fn empty_shard(&mut self, lease: Lease) -> SqlResult<u64> {
        let mut lease = self.settled(lease).await?;
        let emptied = empty_on(&mut lease.branch.conn).await;
        // Dropping is repeatable: what is gone already is not in the way.
        emptied.map_err(|wrong| self.fallen(lease, wrong))
    }

    async fn reload_definitions(&self, cluster: &Cluster, keyspace: KeyspaceIndex) {
        let Some(state) = cluster.keyspaces.get(usize::from(keyspace)) else {
            return;
        };
        let primaries = state.shards.iter().filter_map(|shard| shard.primary.as_ref());
        self.worker
            .shared
            .reload
            .reload(primaries.map(|target| target.alias.clone()).collect())
            .await;
    }
}

/// A DDL error that says on which shards the statement is done.
fn partial(wrong: SqlError, shard: &str, done: &[String]) -> SqlError {
    if done.is_empty() {
        return wrong;
    }
    let text = format!(
        "{} (on shard {shard}; done on shards {}; repeating the statement is safe)",
        String::from_utf8_lossy(&wrong.message),
        done.join(", "),
    );
    SqlError {
        message: text.into_bytes().into(),
        ..wrong
    }
}

/// Options without the marks of the conditional comments that dumps put around each.
fn uncommented(options: &[u8]) -> Vec<u8> {
    let mut words = Vec::with_capacity(options.len());
    let mut at = 0;
    while let Some(byte) = options.get(at) {
        let rest = options.get(at..).unwrap_or_default();
        if let Some(version) = rest.strip_prefix(b"/*!") {
            at += 3 + version.iter().take_while(|byte| byte.is_ascii_digit()).count();
        } else if rest.starts_with(b"*/") {
            at += 2;
        } else {
            words.push(*byte);
            at += 1;
        }
    }
    words
}

/// Drops everything in the connection's database; returns the number of tables and views.
async fn empty_on(conn: &mut crate::backend::Backend) -> SqlResult<u64> {
    const OBJECTS: &[u8] = b"SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() \
        UNION ALL SELECT ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() \
        UNION ALL SELECT EVENT_NAME, 'EVENT' FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()";
    let objects = conn.query(OBJECTS).await.map_err(|error| conn.lost(error))?;
    conn.query(b"SET foreign_key_checks = 0")
        .await
        .map_err(|error| conn.lost(error))?;
    // What CREATE DATABASE gave it goes with the tables.
    let server = conn
        .query(b"SELECT @@global.collation_server AS c")
        .await
        .map_err(|error| conn.lost(error))?;
    let collation = server.text(0, "c").unwrap_or("utf8mb4_0900_ai_ci");
    conn.query(format!("ALTER DATABASE COLLATE {collation}").as_bytes())
        .await
        .map_err(|error| conn.lost(error))?;
    let mut dropped = 0;
    let mut outcome = Ok(());
    for row in objects.rows {
        let mut cells = row
            .into_iter()
            .map(|cell| String::from_utf8_lossy(&cell.unwrap_or_default()).into_owned());
        let (Some(name), Some(kind)) = (cells.next(), cells.next()) else {
            continue;
        };
        let kind = match kind.as_str() {
            "BASE TABLE" => "TABLE",
            other => other,
        };
        let text = format!("DROP {kind} IF EXISTS `{}`", name.replace('`', "``"));
        outcome = conn
            .query(text.as_bytes())
            .await
            .map(|_| ())
            .map_err(|error| conn.lost(error));
        if outcome.is_err() {
            break;
        }
        dropped += u64::from(matches!(kind, "TABLE" | "VIEW"));
    }
    // Closed afterwards: what it was told here is not what its settings say.
    conn.begin_exchange();
    outcome.map(|()| dropped)
}

#[cfg(test)]
mod tests {
    use super::uncommented;

    #[test]
    fn options_of_a_dump_lose_their_comments() {
        let dumped = b"DEFAULT CHARACTER SET utf8mb4 */ /*!80016 DEFAULT ENCRYPTION='N'";
        assert_eq!(
            uncommented(dumped),
            b"DEFAULT CHARACTER SET utf8mb4   DEFAULT ENCRYPTION='N'"
        );
        assert_eq!(uncommented(b"COLLATE latin1_bin"), b"COLLATE latin1_bin");
    }
}
