//! The machine's messages on the wire.

use std::time::Duration;

use leadership::{Member, Message, Record};
use proto::v1::leadership_message::Message as Wire;
use proto::v1::{
    Grant, GrantRequest, LeadershipMessage, LeadershipRecord, PreVote, PreVoteRequest, Promise,
    PromiseRequest, Refused, Release, TakeOver,
};

use super::Data;

/// Why a message is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadMessage {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error(transparent)]
    Gtids(#[from] binlog::gtid::GtidError),
}

/// The message as it is sent.
pub(super) fn encode(message: Message<Data>) -> Wire {
    match message {
        Message::GrantRequest {
            record,
            sent,
            base,
            lease,
        } => Wire::GrantRequest(GrantRequest {
            record: Some(encode_record(&record)),
            sent_ns: nanos(sent),
            base: base.map(|data| data.gtids.to_string()),
            lease,
        }),
        Message::Grant { term, sent } => Wire::Grant(Grant {
            term,
            sent_ns: nanos(sent),
        }),
        Message::Release { term } => Wire::Release(Release { term }),
        Message::PreVoteRequest { round, record } => Wire::PreVoteRequest(PreVoteRequest {
            round,
            record: Some(encode_record(&record)),
        }),
        Message::PreVote { round, yes, record } => Wire::PreVote(PreVote {
            round,
            yes,
            record: record.as_ref().map(encode_record),
        }),
        Message::PromiseRequest { record, urgent } => Wire::PromiseRequest(PromiseRequest {
            record: Some(encode_record(&record)),
            urgent,
        }),
        Message::Promise { term, position } => Wire::Promise(Promise {
            term,
            gtids: position.gtids.to_string(),
        }),
        Message::Refused { term, higher } => Wire::Refused(Refused { term, higher }),
        Message::TakeOver { record } => Wire::TakeOver(TakeOver {
            record: Some(encode_record(&record)),
        }),
    }
}

/// The message that came in, and who sent it.
pub(super) fn decode(
    message: LeadershipMessage,
    term_uuid: &str,
) -> Result<(Member, Message<Data>), BadMessage> {
    let data = |gtids: &str| Ok::<_, BadMessage>(Data::new(gtids.parse()?, term_uuid));
    let from = message.from.as_str().into();
    let decoded = match message.message.ok_or(BadMessage::Missing("the message"))? {
        Wire::GrantRequest(m) => Message::GrantRequest {
            record: decode_record(m.record)?,
            sent: Duration::from_nanos(m.sent_ns),
            base: m.base.as_deref().map(data).transpose()?,
            lease: m.lease,
        },
        Wire::Grant(m) => Message::Grant {
            term: m.term,
            sent: Duration::from_nanos(m.sent_ns),
        },
        Wire::Release(m) => Message::Release { term: m.term },
        Wire::PreVoteRequest(m) => Message::PreVoteRequest {
            round: m.round,
            record: decode_record(m.record)?,
        },
        Wire::PreVote(m) => Message::PreVote {
            round: m.round,
            yes: m.yes,
            record: m.record.map(|record| decode_record(Some(record))).transpose()?,
        },
        Wire::PromiseRequest(m) => Message::PromiseRequest {
            record: decode_record(m.record)?,
            urgent: m.urgent,
        },
        Wire::Promise(m) => Message::Promise {
            term: m.term,
            position: data(&m.gtids)?,
        },
        Wire::Refused(m) => Message::Refused {
            term: m.term,
            higher: m.higher,
        },
        Wire::TakeOver(m) => Message::TakeOver {
            record: decode_record(m.record)?,
        },
    };
    Ok((from, decoded))
}

fn encode_record(record: &Record) -> LeadershipRecord {
    LeadershipRecord {
        term: record.term,
        holder: record.holder.as_deref().map(str::to_owned),
        voters: record.voters.iter().map(|v| v.to_string()).collect(),
        acks: u32::try_from(record.acks).unwrap_or(u32::MAX),
        version: record.version,
    }
}

fn decode_record(record: Option<LeadershipRecord>) -> Result<Record, BadMessage> {
    let record = record.ok_or(BadMessage::Missing("the record"))?;
    Ok(Record {
        term: record.term,
        holder: record.holder.as_deref().map(Into::into),
        voters: record.voters.iter().map(|v| v.as_str().into()).collect(),
        acks: usize::try_from(record.acks).unwrap_or(usize::MAX),
        version: record.version,
    })
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const UUID: &str = "01234567-89ab-cdef-0123-456789abcdef";

    #[test]
    fn messages_survive_the_wire() {
        let record = Record {
            term: 4,
            holder: Some("c-1".into()),
            voters: vec!["c-1".into(), "c-2".into()],
            acks: 1,
            version: 2,
        };
        let data = Data::new(format!("{UUID}:1-4").parse().unwrap(), UUID);
        let sent = Duration::from_nanos(12_345_678_901);
        let all = [
            Message::GrantRequest {
                record: record.clone(),
                sent,
                base: Some(data.clone()),
                lease: true,
            },
            Message::Grant { term: 4, sent },
            Message::Release { term: 4 },
            Message::PreVoteRequest {
                round: 1,
                record: record.clone(),
            },
            Message::PreVote {
                round: 1,
                yes: true,
                record: None,
            },
            Message::PromiseRequest {
                record: record.clone(),
                urgent: true,
            },
            Message::Promise {
                term: 4,
                position: data,
            },
            Message::Refused { term: 3, higher: 4 },
            Message::TakeOver { record },
        ];
        for message in all {
            let wire = LeadershipMessage {
                from: "c-1".into(),
                to: "c-2".into(),
                shard_id: String::new(),
                message: Some(encode(message.clone())),
            };
            let (from, back) = decode(wire, UUID).unwrap();
            assert_eq!((&*from, back), ("c-1", message));
        }
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        let wire = |message| LeadershipMessage {
            message,
            ..LeadershipMessage::default()
        };
        assert!(decode(wire(None), UUID).is_err());
        assert!(decode(wire(Some(Wire::TakeOver(TakeOver { record: None }))), UUID).is_err());
        let promise = Promise {
            term: 1,
            gtids: "rubbish".into(),
        };
        assert!(decode(wire(Some(Wire::Promise(promise))), UUID).is_err());
    }
}
