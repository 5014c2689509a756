//! Prepared statements of a connection.

use bytes::BytesMut;

use super::ClientConnection;
use super::result::{ExecuteResult, OkStatus};
use crate::message::{Command, EofPacket, ErrPacket, PrepareOk, StmtExecute, StmtSendLongData};
use crate::packet::Writer;
use crate::value::params::{ExecuteRef, Param, ParamError, encode_execute};
use crate::{Capabilities, Error};

/// A statement that a server has prepared on one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The statement's id on that connection.
    pub id: u32,
    /// Definitions of the parameters as they came, see [`ColumnDefinition`](crate::message::ColumnDefinition).
    pub params: Vec<Vec<u8>>,
    /// Definitions of the result's columns as they came; none for statements without a result set.
    pub columns: Vec<Vec<u8>>,
    /// Number of warnings.
    pub warnings: u16,
}

impl ClientConnection {
    /// Prepares a statement.
    ///
    /// # Errors
    /// [`Error::Sql`] when the server can't prepare it.
    pub async fn prepare(&mut self, sql: impl AsRef<[u8]>) -> Result<Prepared, Error> {
        self.queue(&Command::StmtPrepare(sql.as_ref()));
        self.limited(async |this| {
            this.stream().flush().await?;
            this.read_prepared().await
        })
        .await
    }

    /// Reads the next answer, that of a COM_STMT_PREPARE.
    ///
    /// # Errors
    /// [`Error::Sql`] when the server can't prepare the statement.
    pub async fn read_prepared(&mut self) -> Result<Prepared, Error> {
        self.begin_answer()?;
        let first = self.stream().read_packet().await?;
        if first.first() == Some(&ErrPacket::HEADER) {
            return Err(ErrPacket::decode(&first)?.to_sql_error().into());
        }
        let ok = PrepareOk::decode(&first)?;
        Ok(Prepared {
            id: ok.statement_id,
            params: self.read_definitions(ok.params).await?,
            columns: self.read_definitions(ok.columns).await?,
            warnings: ok.warnings,
        })
    }

    async fn read_definitions(&mut self, count: u16) -> Result<Vec<Vec<u8>>, Error> {
        let mut definitions = Vec::new();
        for _ in 0..count {
            definitions.push(self.stream().read_packet().await?.to_vec());
        }
        if count > 0 && !self.capabilities().contains(Capabilities::DEPRECATE_EOF) {
            EofPacket::decode(&self.stream().read_packet().await?)?;
        }
        Ok(definitions)
    }

    /// Executes a prepared statement, types always included, and returns its first result.
    ///
    /// # Errors
    /// [`Error::Sql`] when it failed.
    pub async fn execute(
        &mut self,
        statement: &Prepared,
        params: &[Param<'_>],
    ) -> Result<ExecuteResult, Error> {
        self.queue_execute(statement.id, params)?;
        self.limited(async |this| {
            this.stream().flush().await?;
            this.read_executed().await
        })
        .await
    }

    /// Adds a COM_STMT_EXECUTE with types and without a cursor to what the next flush sends.
    ///
    /// # Errors
    /// When a value does not fit its type; nothing is added then.
    pub fn queue_execute(&mut self, statement_id: u32, params: &[Param<'_>]) -> Result<(), Error> {
        let has_attributes = self.capabilities().contains(Capabilities::QUERY_ATTRIBUTES);
        let execute = ExecuteRef {
            statement_id,
            cursor: 0,
            send_types: true,
            params,
            attributes: &[],
        };
        let mut body = BytesMut::new();
        encode_execute(&execute, has_attributes, &mut Writer::new(&mut body)).map_err(
            |error| match error {
                ParamError::Decode(error) => Error::Decode(error),
                _ => Error::Unexpected("parameter value"),
            },
        )?;
        self.queue(&Command::StmtExecute(StmtExecute::decode(&body)?));
        Ok(())
    }

    /// Reads the next answer, that of a COM_STMT_EXECUTE; results after the first are read and dropped.
    ///
    /// # Errors
    /// [`Error::Sql`] when it failed.
    pub async fn read_executed(&mut self) -> Result<ExecuteResult, Error> {
        self.begin_answer()?;
        let first: ExecuteResult = self.read_result().await?;
        let mut status = first.ok.status;
        while status.contains(crate::StatusFlags::MORE_RESULTS_EXISTS) {
            status = self.read_result::<crate::value::Value>().await?.ok.status;
        }
        Ok(first)
    }

    /// Sends a part of a parameter's value, which the next execution appends to earlier parts. There is no answer:
    /// errors show in the execution.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn send_long_data(
        &mut self,
        statement: &Prepared,
        param: u16,
        data: &[u8],
    ) -> Result<(), Error> {
        let long_data = StmtSendLongData {
            statement_id: statement.id,
            param,
            data,
        };
        self.queue(&Command::StmtSendLongData(long_data));
        self.limited(async |this| this.stream().flush().await).await
    }

    /// Drops long data and the open cursor of a statement.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn reset_statement(&mut self, statement: &Prepared) -> Result<OkStatus, Error> {
        self.run(&Command::StmtReset(statement.id)).await
    }

    /// Closes a statement. There is no answer; the command travels with the next flush.
    pub fn close_statement(&mut self, statement: Prepared) {
        self.queue(&Command::StmtClose(statement.id));
    }
}
