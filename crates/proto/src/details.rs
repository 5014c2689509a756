//! Details of a failed call: a message beside the status code, so that callers need not parse text.

use prost::Message;
use tonic::{Code, Status};

use crate::v1::{Conflict, StatementError};

/// The status for a write whose expected version did not match; `actual` is 0 when the key does not exist.
#[must_use]
pub fn conflict(key: &str, actual: u64) -> Status {
    let details = Conflict {
        key: key.to_owned(),
        actual_version: actual,
    };
    let text = format!("version conflict on {key}: the store has version {actual}");
    Status::with_details(Code::Aborted, text, details.encode_to_vec().into())
}

/// The conflict that a status describes, if it is one.
#[must_use]
pub fn as_conflict(status: &Status) -> Option<Conflict> {
    decode(status, Code::Aborted)
}

/// The status for a DDL statement that mysqld refused.
#[must_use]
pub fn statement_error(error: &StatementError) -> Status {
    let text = format!(
        "statement {}: {} ({})",
        error.index.saturating_add(1),
        error.message,
        error.mysql_errno
    );
    Status::with_details(Code::InvalidArgument, text, error.encode_to_vec().into())
}

/// mysqld's error that a status describes, if it is one.
#[must_use]
pub fn as_statement_error(status: &Status) -> Option<StatementError> {
    decode(status, Code::InvalidArgument)
}

fn decode<M: Message + Default>(status: &Status, code: Code) -> Option<M> {
    if status.code() != code || status.details().is_empty() {
        return None;
    }
    M::decode(status.details()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_survive_the_way_through_a_status() {
        let status = conflict("shards/customer/-80", 7);
        let conflict = as_conflict(&status).unwrap_or_default();
        assert_eq!(
            (conflict.key.as_str(), conflict.actual_version),
            ("shards/customer/-80", 7)
        );
        assert_eq!(as_statement_error(&status), None);
    }

    #[test]
    fn a_status_without_details_or_with_garbage_is_none() {
        assert_eq!(as_conflict(&Status::aborted("by hand")), None);
        let garbage = Status::with_details(Code::Aborted, "", vec![0xff, 0xff].into());
        assert_eq!(as_conflict(&garbage), None);
    }
}
