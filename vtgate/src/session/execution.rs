//! The values of one execution of a prepared statement, and how they go to a shard.

use std::rc::Rc;

use mysql_wire::SqlError;
use mysql_wire::column::ColumnType;
use mysql_wire::value::ValueRef;
use mysql_wire::value::literal::{self, LiteralStyle};
use mysql_wire::value::params::{ExecuteRef, Param, ParamValue, encode_execute};
use smallvec::SmallVec;

use super::lease::Lease;
use crate::error::{self, SqlResult};

/// One execution: the values that the client bound.
pub(super) struct Execution<'p> {
    /// The client's own text.
    pub text: Rc<[u8]>,
    /// The values, in the order of the client's `?`.
    pub params: Vec<Param<'p>>,
}

/// A text for a shard with the parameters in its order.
pub(super) struct Bound<'p> {
    /// The text.
    pub text: Rc<[u8]>,
    /// Type and sign of each parameter, as COM_STMT_EXECUTE sends them.
    pub types: Rc<[u8]>,
    params: SmallVec<[Param<'p>; 4]>,
}

/// A statement that is prepared on a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    /// Its id there.
    pub id: u32,
    /// The types have to be sent, since it was not executed with them yet.
    pub send_types: bool,
}

impl<'p> Execution<'p> {
    /// Appends a parameter as an SQL literal.
    ///
    /// # Errors
    /// 1235 for a value that has no literal.
    pub(super) fn write_literal(
        &self,
        ordinal: u32,
        style: &LiteralStyle<'_>,
        out: &mut Vec<u8>,
    ) -> SqlResult<()> {
        let written = self.params.get(ordinal as usize).map(|param| match param.value {
            ParamValue::Inline(value) => literal::write(param.ty, &value, style, out),
            ParamValue::LongData => literal::write(param.ty, &ValueRef::Bytes(&[]), style, out),
        });
        match written {
            Some(Ok(())) => Ok(()),
            Some(Err(wrong)) => Err(error::unsupported(format_args!(
                "this parameter outside of queries: {wrong}"
            ))),
            None => Err(error::internal("a parameter that was not bound")),
        }
    }

    /// The values for a text whose `?` stand for these parameters; without an order, for the client's own text.
    pub(super) fn bind(&self, text: &[u8], order: Option<&[u32]>) -> Bound<'p> {
        let params: SmallVec<[Param<'p>; 4]> = match order {
            Some(order) => order
                .iter()
                .filter_map(|ordinal| self.params.get(*ordinal as usize).copied())
                .collect(),
            None => self.params.as_slice().into(),
        };
        let types = params
            .iter()
            .flat_map(|param| [param.ty.ty.byte(), u8::from(param.ty.unsigned)]);
        Bound {
            text: if *text == *self.text {
                self.text.clone()
            } else {
                text.into()
            },
            types: types.collect(),
            params,
        }
    }
}

impl Bound<'_> {
    /// Adds the execution to what the connection sends.
    ///
    /// # Errors
    /// 1210 for a value that cannot be sent; the connection must then not be used.
    pub(super) fn push(&self, lease: &mut Lease, statement: Ready) -> SqlResult<()> {
        let execute = ExecuteRef {
            statement_id: statement.id,
            cursor: 0,
            send_types: statement.send_types,
            params: &self.params,
            attributes: &[],
        };
        let mut failed = None;
        let conn = &mut lease.branch.conn;
        conn.push_message(|w| {
            w.int1(mysql_wire::command::CommandCode::StmtExecute.byte());
            failed = encode_execute(&execute, false, w).err();
        });
        match failed {
            Some(wrong) => Err(SqlError::with_code(
                1210,
                format!("Incorrect arguments to mysqld_stmt_execute: {wrong}"),
            )),
            None => Ok(()),
        }
    }
}

/// The value as the planner takes it.
pub(super) fn planner_param<'p>(param: &Param<'p>) -> planner::value::Param<'p> {
    use planner::value::Param as P;
    match param.value {
        ParamValue::LongData => P::Other,
        ParamValue::Inline(value) => match value {
            ValueRef::Null => P::Null,
            ValueRef::Int(number) => P::Int(number),
            ValueRef::UInt(number) => P::UInt(number),
            ValueRef::Float(number) => P::Float(f64::from(number)),
            ValueRef::Double(number) => P::Float(number),
            ValueRef::Decimal(text) => P::Decimal(text),
            ValueRef::Bytes(bytes) => match param.ty.ty {
                ColumnType::TinyBlob | ColumnType::MediumBlob | ColumnType::LongBlob | ColumnType::Blob => {
                    P::Blob(bytes)
                }
                ColumnType::VarChar | ColumnType::VarString | ColumnType::String => P::Str(bytes),
                _ => P::Other,
            },
            ValueRef::Date(_) | ValueRef::DateTime(_) | ValueRef::Time(_) => P::Other,
        },
    }
}
