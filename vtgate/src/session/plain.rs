//! Statements that are sent as they are: LOCK TABLES, what any shard answers, and what was not understood.

use mysql_wire::SqlError;
use mysql_wire::relay::Expect;

use super::Session;
use super::answer::OkAnswer;
use super::branches::Branch;
use super::execute::{Input, Protocol};
use super::hold::Waited;
use super::lease::{Lease, Needs};
use super::planned::InsertId;
use super::query::Done;
use super::relay::Answer;
use crate::error::{self, SqlResult};

impl Session {
    /// LOCK TABLES: on the selected keyspace's only shard; on several shards it is accepted without effect, as a dump needs it.
    pub(super) async fn lock_tables(&mut self, text: &[u8]) -> Result<Done, mysql_wire::Error> {
        let cluster = self.worker.cluster();
        let selected = self.selected_keyspace(&cluster);
        let Some(keyspace) = selected else {
            return Ok(self.fail(error::no_database()));
        };
        if let Err(wrong) = self.commit_implicitly().await {
            return Ok(self.fail(wrong));
        }
        if cluster
            .catalog
            .keyspace(keyspace)
            .is_none_or(|keyspace| keyspace.sharded)
        {
            self.diagnostics.clear();
            self.warn(&[(1235, "LOCK TABLES has no effect on a sharded keyspace".to_owned())]);
            let answer = OkAnswer {
                status: self.status(),
                warnings: 1,
                ..OkAnswer::default()
            };
            self.out.ok(&answer);
            return Ok(Done::Answered);
        }
        let needs = Needs {
            primary: true,
            ..Needs::default()
        };
        let mut lease = match self.lease(&cluster, keyspace, 0, needs).await {
            Ok(lease) => lease,
            Err(wrong) => return Ok(self.fail(wrong)),
        };
        lease.branch.conn.push_query(text);
        self.branches.pinned = true;
        let done = self.pass_on(lease).await?;
        self.branches.tables_locked = matches!(done, Done::Answered);
        Ok(done)
    }

    /// UNLOCK TABLES, which commits if there was something to unlock; the caller answers.
    pub(super) async fn unlock_tables(&mut self) -> SqlResult<()> {
        if !std::mem::take(&mut self.branches.tables_locked) {
            return Ok(());
        }
        self.commit_implicitly().await?;
        let mut outcome = Ok(());
        let mut lost = false;
        for mut branch in self.branches.take_all() {
            if let Err(wrong) = branch.conn.query(b"UNLOCK TABLES").await {
                outcome = Err(match branch.conn.lost(wrong) {
                    wrong if error::is_gone(&wrong) => error::state_lost(&branch.conn.target),
                    wrong => wrong,
                });
            }
            lost |= !branch.conn.is_clean();
            self.branches.give_back(branch);
        }
        if lost {
            self.branches.abandon();
        }
        outcome
    }

    /// Takes a connection to any shard: of a keyspace by name, of the session's own, or of any.
    pub(super) async fn lease_any(&mut self, keyspace: Option<&str>, needs: Needs) -> SqlResult<Lease> {
        let cluster = self.worker.cluster();
        let named = match keyspace {
            Some(name) if super::target::is_system_schema(name) => None,
            Some(name) => Some(
                cluster
                    .catalog
                    .find_keyspace(name)
                    .ok_or_else(|| error::unknown_database(name))?,
            ),
            None => self.selected_keyspace(&cluster),
        };
        if named.is_none()
            && let Some(kept) = self.branches.take_any()
        {
            return self.lease_kept(kept, needs).await;
        }
        let keyspace = named.unwrap_or_else(|| cluster.served_keyspace());
        if cluster.keyspaces.is_empty() {
            return Err(SqlError::with_code(1105, "there is no keyspace yet"));
        }
        let shard = self.selected_shard(&cluster, keyspace).unwrap_or(0);
        self.lease(&cluster, keyspace, shard, needs).await
    }

    /// A connection of the session's own as a lease, which joins no transaction.
    pub(super) async fn lease_kept(&mut self, branch: Branch, needs: Needs) -> SqlResult<Lease> {
        self.stall = None;
        let database = branch.conn.target.database.clone();
        let (system, user_variables) = (self.system.clone(), self.user_variables.clone());
        let span = self.shard_span(&branch.conn.target);
        let mut lease = Lease::new(branch, needs, span);
        let conn = &mut lease.branch.conn;
        let mut adjusted = conn.adjust(&system, &database).await;
        if adjusted.is_ok() {
            adjusted = conn.adjust_user_variables(&user_variables).await;
        }
        match adjusted {
            Ok(()) => Ok(lease),
            Err(wrong) => Err(self.fallen(lease, wrong)),
        }
    }

    /// A statement that any shard of a keyspace answers, such as SHOW TABLES.
    pub(super) async fn ask_any(
        &mut self,
        keyspace: Option<&str>,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let needs = Needs {
            user_variables: !self.user_variables.variables().is_empty(),
            ..Needs::default()
        };
        let lease = match self.lease_any(keyspace, needs).await {
            Ok(lease) => lease,
            Err(wrong) => return Ok(self.fail(wrong)),
        };
        self.run_plainly(lease, input).await
    }

    /// Passes the answer of a statement without effects of its own, which was pushed already, through to the client.
    async fn pass_on(&mut self, mut lease: Lease) -> Result<Done, mysql_wire::Error> {
        match self.exchange(&mut lease, Expect::Result).await {
            Ok(answer) => {
                let effects = planner::plan::Effects::default();
                self.finish(lease, answer, &effects, InsertId::None).await
            }
            Err(failure) => self.lose(lease, failure),
        }
    }

    /// Sends a statement as it is, and passes its answer through.
    async fn run_plainly(&mut self, mut lease: Lease, input: &Input<'_>) -> Result<Done, mysql_wire::Error> {
        let sent = match input.protocol {
            Protocol::Text => {
                lease.branch.conn.push_query(input.text);
                Ok(())
            }
            Protocol::Binary(execution) => self.push_execute(&mut lease, input.text, None, execution).await,
        };
        if let Err(wrong) = sent {
            let told = self.fallen(lease, wrong);
            return Ok(self.fail(told));
        }
        self.pass_on(lease).await
    }

    /// A statement that was not understood, on an unsharded keyspace: MySQL decides, on a connection that nobody else gets afterwards.
    pub(super) async fn run_unparsed(
        &mut self,
        keyspace: planner::catalog::KeyspaceIndex,
        input: &Input<'_>,
    ) -> Result<Done, mysql_wire::Error> {
        let cluster = self.worker.cluster();
        self.branches.pinned = true;
        let needs = Needs {
            writes: true,
            user_variables: true,
            primary: true,
            tables: true,
            insert_id: true,
            programs: true,
            once: true,
            ..Needs::default()
        };
        match self.lease(&cluster, keyspace, 0, needs).await {
            Ok(lease) => self.run_plainly(lease, input).await,
            Err(wrong) => Ok(self.fail(wrong)),
        }
    }

    /// COM_FIELD_LIST: the columns of a table, from any shard of the selected keyspace.
    pub(super) async fn field_list(
        &mut self,
        payload: &[u8],
        _list: &mysql_wire::message::FieldList<'_>,
    ) -> Result<(), mysql_wire::Error> {
        let database = self.target.database.as_deref().map(str::to_owned);
        if database.is_none() {
            self.answer_error(error::no_database());
            return Ok(());
        }
        let mut waited = Waited::default();
        loop {
            let done = self.columns_of(payload, database.as_deref()).await?;
            if !self.runs_again(&done, &mut waited).await {
                return Ok(());
            }
        }
    }

    async fn columns_of(
        &mut self,
        command: &[u8],
        database: Option<&str>,
    ) -> Result<Done, mysql_wire::Error> {
        let mut lease = match self.lease_any(database, Needs::default()).await {
            Ok(lease) => lease,
            Err(wrong) => return Ok(self.fail(wrong)),
        };
        lease.branch.conn.push_command(command);
        let answer = match self.exchange(&mut lease, Expect::Rows).await {
            Ok(answer) => answer,
            Err(failure) => return self.lose(lease, failure),
        };
        Ok(match answer {
            Answer::Err(wrong) if lease.was_turned_away(&wrong, self.autocommit()) => {
                self.turned_away(lease, wrong)
            }
            Answer::Err(wrong) => {
                self.out.error(&wrong);
                self.branches.give_back(lease.branch);
                Done::Failed
            }
            _ => {
                self.branches.give_back(lease.branch);
                Done::Answered
            }
        })
    }
}
