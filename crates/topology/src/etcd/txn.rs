//! The transactions that the store sends, and what their answers hold.

use proto::etcd::compare::{CompareTarget, TargetUnion};
use proto::etcd::request_op::Request;
use proto::etcd::response_op::Response;
use proto::etcd::{Compare, DeleteRangeRequest, KeyValue, PutRequest, RangeRequest, RequestOp, TxnResponse};

use crate::store::Expected;

/// That the key has this value.
pub(super) fn has_value(key: &str, value: &str) -> Compare {
    compare(
        key,
        CompareTarget::Value,
        TargetUnion::Value(value.as_bytes().to_vec()),
    )
}

/// That the key is what a writer expects; None when anything will do.
pub(super) fn is_expected(key: &str, expected: Expected) -> Option<Compare> {
    let revision = match expected {
        Expected::Any => return None,
        Expected::Absent => 0,
        // To etcd, 0 is a key that does not exist; no entry has it here, nor a number beyond etcd's.
        Expected::Version(version) => i64::try_from(version)
            .ok()
            .filter(|revision| *revision > 0)
            .unwrap_or(i64::MAX),
    };
    let union = TargetUnion::ModRevision(revision);
    Some(compare(key, CompareTarget::Mod, union))
}

fn compare(key: &str, target: CompareTarget, union: TargetUnion) -> Compare {
    Compare {
        result: proto::etcd::compare::CompareResult::Equal.into(),
        target: target.into(),
        key: key.into(),
        target_union: Some(union),
    }
}

pub(super) fn put(key: &str, value: Vec<u8>) -> RequestOp {
    op(Request::RequestPut(PutRequest {
        key: key.into(),
        value,
    }))
}

pub(super) fn delete(key: &str) -> RequestOp {
    op(Request::RequestDeleteRange(DeleteRangeRequest {
        key: key.into(),
    }))
}

pub(super) fn read(key: &str) -> RequestOp {
    op(Request::RequestRange(RangeRequest {
        key: key.into(),
        ..RangeRequest::default()
    }))
}

/// Reads the key's revision without its value.
pub(super) fn read_revision(key: &str) -> RequestOp {
    op(Request::RequestRange(RangeRequest {
        key: key.into(),
        keys_only: true,
        ..RangeRequest::default()
    }))
}

pub(super) fn read_below(prefix: &str) -> RequestOp {
    op(Request::RequestRange(RangeRequest {
        key: prefix.into(),
        range_end: end_of(prefix),
        keys_only: false,
    }))
}

fn op(request: Request) -> RequestOp {
    RequestOp {
        request: Some(request),
    }
}

/// The first key after all those that start with `prefix`.
pub(super) fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    // No byte of UTF-8 is 255.
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end
}

/// What a transaction's request with that number found.
pub(super) fn found(response: &mut TxnResponse, number: usize) -> Vec<KeyValue> {
    match response.responses.get_mut(number).map(|op| op.response.take()) {
        Some(Some(Response::ResponseRange(range))) => range.kvs,
        _ => Vec::new(),
    }
}

/// How many keys a transaction's first request deleted.
pub(super) fn deleted(response: &TxnResponse) -> i64 {
    match response.responses.first().map(|op| &op.response) {
        Some(Some(Response::ResponseDeleteRange(range))) => range.deleted,
        _ => 0,
    }
}

/// Revision of the etcd after a transaction.
pub(super) fn revision(response: &TxnResponse) -> u64 {
    response
        .header
        .as_ref()
        .map_or(0, |header| unsigned(header.revision))
}

/// etcd's revisions are never negative.
pub(super) fn unsigned(revision: i64) -> u64 {
    u64::try_from(revision).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_no_entry_has_is_not_taken_for_an_absent_one() {
        let revision = |expected| match is_expected("k", expected).and_then(|compare| compare.target_union) {
            Some(TargetUnion::ModRevision(revision)) => revision,
            other => panic!("{other:?}"),
        };
        assert_eq!(revision(Expected::Absent), 0);
        assert_eq!(revision(Expected::Version(7)), 7);
        assert_eq!(revision(Expected::Version(0)), i64::MAX);
        assert_eq!(revision(Expected::Version(u64::MAX)), i64::MAX);
    }

    #[test]
    fn the_end_of_a_prefix_comes_after_every_key_below_it() {
        for prefix in ["/vitrail/records/", "/v/records/a", "/v/records/é"] {
            assert!(end_of(prefix) > format!("{prefix}\u{10ffff}").into_bytes());
            assert!(end_of(prefix).as_slice() > prefix.as_bytes());
        }
        assert_eq!(end_of("a/"), b"a0");
    }
}
