//! Every message survives encode and decode, and no bytes make a decoder panic.

use bytes::BytesMut;
use proptest::prelude::*;

use crate::{Capabilities, StatusFlags, Writer, column::ColumnFlags, message::*};

fn encoded(write: impl FnOnce(&mut Writer<'_>)) -> BytesMut {
    let mut out = BytesMut::new();
    write(&mut Writer::new(&mut out));
    out
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..300)
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(1..=255u8, 0..40)
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    any::<u32>().prop_map(|bits| Capabilities::from_bits(bits) | Capabilities::PROTOCOL_41)
}

fn attributes(pairs: &[(Vec<u8>, Vec<u8>)]) -> BytesMut {
    encoded(|w| encode_attributes(w, pairs.iter().map(|(k, v)| (k.as_slice(), v.as_slice()))))
}

proptest! {
    #[test]
    fn decoders_take_any_bytes(payload in bytes(), caps in any::<u32>().prop_map(Capabilities::from_bits), params in 0..70usize) {
        let _ = Handshake::decode(&payload);
        let _ = HandshakeResponse::decode(&payload);
        let _ = SslRequest::decode(&payload);
        let _ = AuthSwitchRequest::decode(&payload);
        let _ = AuthMoreData::decode(&payload);
        let _ = FirstPacket::decode(&payload, caps).map(|first| format!("{first:?}"));
        let _ = OkPacket::decode(&payload, caps).map(|ok| ok.session_state.iter().count());
        let _ = EofPacket::decode(&payload);
        let _ = ErrPacket::decode(&payload).map(|err| err.to_sql_error());
        let _ = ColumnDefinition::decode(&payload);
        let _ = PrepareOk::decode(&payload);
        let _ = TextRow::new(&payload).count();
        if let Ok(Command::StmtExecute(execute)) = Command::decode(&payload, caps) {
            let _ = execute.params(params, caps);
        }
    }

    #[test]
    fn commands_take_any_bodies(code in 0..0x22u8, mut payload in bytes(), caps in capabilities(), params in 0..70usize) {
        payload.insert(0, code);
        if let Ok(command) = Command::decode(&payload, caps) {
            if let Command::StmtExecute(execute) = &command {
                let _ = execute.params(params, caps);
            }
            let again = encoded(|w| command.encode(caps, w));
            let decoded = Command::decode(&again, caps).unwrap();
            prop_assert_eq!(&decoded, &command);
        }
    }

    #[test]
    fn session_states_keep_their_changes(a in bytes(), b in bytes(), on: bool, other in 6..=255u8) {
        let changes = [
            StateChange::SystemVariable { name: &a, value: &b },
            StateChange::Schema(&a),
            StateChange::Context(on),
            StateChange::Gtids(&b),
            StateChange::TransactionCharacteristics(&a),
            StateChange::TransactionState(&b),
            StateChange::Other { kind: other, data: &a },
        ];
        let entries = encoded(|w| changes.iter().for_each(|c| c.encode(w)));
        let state = SessionState::decode(&entries).unwrap();
        prop_assert!(state.iter().eq(changes));
        let ok = OkPacket { affected_rows: 1 << 40, info: &b, session_state: state, ..OkPacket::default() };
        let ok = OkPacket { status: StatusFlags::SESSION_STATE_CHANGED, ..ok };
        let payload = encoded(|w| ok.encode(OkHeader::Eof, Capabilities::SESSION_TRACK, w));
        prop_assert_eq!(OkPacket::decode(&payload, Capabilities::SESSION_TRACK), Ok(ok));
    }

    #[test]
    fn handshake_responses_round_trip(
        caps in capabilities(), user in name(), auth in proptest::collection::vec(1..=255u8, 0..255),
        db in name(), plugin in name(), pairs in proptest::collection::vec((bytes(), bytes()), 0..4), level: u8,
    ) {
        let pairs = attributes(&pairs);
        let attributes = Attributes::decode(&mut crate::Reader::new(&pairs)).unwrap();
        let has = |flag| caps.contains(flag);
        let message = HandshakeResponse {
            capabilities: caps, max_packet_size: 1 << 30, collation: 45, user: &user, auth_response: &auth,
            database: has(Capabilities::CONNECT_WITH_DB).then_some(&db),
            auth_plugin: has(Capabilities::PLUGIN_AUTH).then_some(&plugin),
            attributes: if has(Capabilities::CONNECT_ATTRS) { attributes } else { Attributes::default() },
            zstd_level: has(Capabilities::ZSTD_COMPRESSION).then_some(level),
        };
        let payload = encoded(|w| message.encode(w));
        prop_assert_eq!(HandshakeResponse::decode(&payload), Ok(message));
    }

    #[test]
    fn change_user_round_trips(
        caps in capabilities(), user in name(), auth in proptest::collection::vec(1..=255u8, 0..255),
        db in name(), plugin in name(), collation: u16,
    ) {
        let message = ChangeUser {
            user: &user, auth_response: &auth, database: &db, collation: Some(collation),
            auth_plugin: (caps.contains(Capabilities::PLUGIN_AUTH) && !plugin.is_empty()).then_some(&plugin),
            attributes: Attributes::default(),
        };
        let payload = encoded(|w| message.encode(caps, w));
        prop_assert_eq!(ChangeUser::decode(&payload, caps), Ok(message));
    }

    #[test]
    fn column_definitions_round_trip(
        names in proptest::array::uniform5(bytes()), collation: u16, length: u32, column_type: u8, flags: u16,
        decimals: u8, default: Option<Option<Vec<u8>>>,
    ) {
        let [schema, table, org_table, name, org_name] = names.each_ref().map(Vec::as_slice);
        let default = default.as_ref().map(|d| d.as_deref());
        let flags = ColumnFlags::from_bits(flags);
        let column = ColumnDefinition {
            schema, table, org_table, name, org_name, collation, length, column_type, flags, decimals, default,
        };
        let payload = encoded(|w| column.encode(w));
        prop_assert_eq!(ColumnDefinition::decode(&payload), Ok(column));
    }

    #[test]
    fn greetings_round_trip(version in name(), id: u32, nonce in proptest::array::uniform20(1..=255u8), caps: u32, plugin in name()) {
        let caps = Capabilities::from_bits(caps);
        let native = &b"mysql_native_password"[..];
        let greeting = Handshake {
            server_version: &version, connection_id: id, nonce, capabilities: caps, collation: 8,
            status: StatusFlags::AUTOCOMMIT,
            auth_plugin: if caps.contains(Capabilities::PLUGIN_AUTH) { &plugin } else { native },
        };
        let payload = encoded(|w| greeting.encode(w));
        prop_assert_eq!(Handshake::decode(&payload), Ok(greeting));
    }

    #[test]
    fn small_messages_round_trip(id: u32, columns: u16, params: u16, warnings: u16, plugin in name(), data in name()) {
        let prepared = PrepareOk { statement_id: id, columns, params, warnings };
        prop_assert_eq!(PrepareOk::decode(&encoded(|w| prepared.encode(w))), Ok(prepared));
        let switch = AuthSwitchRequest { plugin: &plugin, data: &data };
        let payload = encoded(|w| switch.encode(w));
        prop_assert_eq!(AuthSwitchRequest::decode(&payload), Ok(switch));
        let more = AuthMoreData { data: &data };
        let payload = encoded(|w| more.encode(w));
        prop_assert_eq!(AuthMoreData::decode(&payload), Ok(more));
        let infile = LocalInfile { file_name: &data };
        let payload = encoded(|w| infile.encode(w));
        prop_assert_eq!(LocalInfile::decode(&payload), Ok(infile));
    }
}
