//! Messages against bytes worked out from MySQL's protocol documentation and seen from MySQL 9.7.4.

use bytes::BytesMut;

use crate::{
    Capabilities, SqlError, StatusFlags, Writer,
    column::{ColumnFlags, ColumnType},
    error::{DecodeError, ErrorCode},
    message::*,
};

fn encoded(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = BytesMut::new();
    write(&mut Writer::new(&mut out));
    out.to_vec()
}

#[test]
fn ok_without_and_with_session_tracking() {
    let plain = [0, 1, 0xfc, 0x39, 0x30, 0x02, 0x00, 0x01, 0x00];
    let ok = OkPacket::decode(&plain, Capabilities::SESSION_TRACK).unwrap();
    assert_eq!((ok.affected_rows, ok.last_insert_id, ok.warnings), (1, 12345, 1));
    assert_eq!(ok.status, StatusFlags::AUTOCOMMIT);
    assert_eq!(
        encoded(|w| ok.encode(OkHeader::Ok, Capabilities::SESSION_TRACK, w)),
        plain
    );

    // "use test": schema tracker.
    let tracked = b"\x00\x00\x00\x02\x40\x00\x00\x00\x07\x01\x05\x04test";
    let ok = OkPacket::decode(tracked, Capabilities::SESSION_TRACK).unwrap();
    assert_eq!(
        ok.session_state.iter().collect::<Vec<_>>(),
        [StateChange::Schema(b"test")]
    );
    assert_eq!(
        encoded(|w| ok.encode(OkHeader::Ok, Capabilities::SESSION_TRACK, w)),
        tracked
    );
    let untracked = encoded(|w| ok.encode(OkHeader::Eof, Capabilities::empty(), w));
    assert_eq!(
        untracked,
        [0xfe, 0, 0, 2, 0, 0, 0],
        "the flag goes with the changes"
    );
}

#[test]
fn ok_info_comes_with_or_without_length() {
    for payload in [
        &b"\x00\x03\x00\x02\x00\x00\x00\x04abcd"[..],
        b"\x00\x03\x00\x02\x00\x00\x00abcd",
    ] {
        assert_eq!(
            OkPacket::decode(payload, Capabilities::empty()).unwrap().info,
            b"abcd"
        );
    }
}

#[test]
fn err_has_a_state_after_the_handshake_only() {
    let error = SqlError::new(ErrorCode::NoDb, "No database selected");
    let packet = encoded(|w| ErrPacket::from(&error).encode(Capabilities::PROTOCOL_41, w));
    assert_eq!(packet, b"\xff\x16\x04#3D000No database selected");
    assert_eq!(ErrPacket::decode(&packet).unwrap().to_sql_error(), error);
    let early = encoded(|w| ErrPacket::from(&error).encode(Capabilities::empty(), w));
    assert_eq!(early, b"\xff\x16\x04No database selected");
    assert_eq!(ErrPacket::decode(&early).unwrap().to_sql_error(), error);
}

#[test]
fn eof_is_five_bytes() {
    let eof = EofPacket {
        warnings: 2,
        status: StatusFlags::AUTOCOMMIT | StatusFlags::IN_TRANS,
    };
    let packet = encoded(|w| eof.encode(w));
    assert_eq!(packet, [0xfe, 2, 0, 3, 0]);
    assert_eq!(EofPacket::decode(&packet), Ok(eof));
}

#[test]
fn column_definition_of_select_1() {
    let packet = b"\x03def\x00\x00\x00\x011\x00\x0c\x3f\x00\x02\x00\x00\x00\x08\x81\x00\x00\x00\x00";
    let column = ColumnDefinition::decode(packet).unwrap();
    assert_eq!(column.name, b"1");
    assert_eq!(column.column_type, ColumnType::LongLong.byte());
    assert_eq!(column.flags, ColumnFlags::NOT_NULL | ColumnFlags::BINARY);
    assert_eq!((column.collation, column.length, column.default), (63, 2, None));
    assert_eq!(encoded(|w| column.encode(w)), packet);
}

#[test]
fn first_packets() {
    let caps = Capabilities::DEPRECATE_EOF;
    assert_eq!(FirstPacket::decode(&[3], caps), Ok(FirstPacket::Columns(3)));
    let infile = FirstPacket::decode(b"\xfb/tmp/x", caps).unwrap();
    assert_eq!(
        infile,
        FirstPacket::LocalInfile(LocalInfile { file_name: b"/tmp/x" })
    );
    assert!(matches!(
        FirstPacket::decode(&[0xfe, 0, 0, 2, 0], Capabilities::empty()),
        Ok(FirstPacket::Ok(_))
    ));
    assert!(FirstPacket::decode(&[], caps).is_err());
    assert!(FirstPacket::decode(&[3, 3], caps).is_err());
}

#[test]
fn greeting_holds_its_nonce_in_two_parts() {
    let greeting = Handshake {
        server_version: b"9.7.4-Vitrail",
        connection_id: 7,
        nonce: *b"abcdefghijklmnopqrst",
        capabilities: Capabilities::PROTOCOL_41 | Capabilities::PLUGIN_AUTH | Capabilities::SECURE_CONNECTION,
        collation: 255,
        status: StatusFlags::AUTOCOMMIT,
        auth_plugin: b"caching_sha2_password",
    };
    let packet = encoded(|w| greeting.encode(w));
    let expected = b"\x0a9.7.4-Vitrail\0\x07\0\0\0abcdefgh\0\x00\x82\xff\x02\0\x08\0\x15\
        \0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0caching_sha2_password\0";
    assert_eq!(packet, expected);
    assert_eq!(Handshake::decode(&packet), Ok(greeting));
    assert_eq!(
        Handshake::decode(b"\x09x"),
        Err(DecodeError::Invalid {
            what: "protocol version",
            value: 9
        })
    );
}

#[test]
fn ssl_request_is_told_from_a_response_by_its_length() {
    let capabilities = Capabilities::PROTOCOL_41 | Capabilities::SSL;
    let request = SslRequest {
        capabilities,
        max_packet_size: 1 << 24,
        collation: 45,
    };
    let mut packet = encoded(|w| request.encode(w));
    assert_eq!(packet.len(), SslRequest::LEN);
    assert_eq!(SslRequest::decode(&packet), Ok(Some(request)));
    packet.extend(b"root\0\0");
    assert_eq!(SslRequest::decode(&packet), Ok(None));
    assert_eq!(HandshakeResponse::decode(&packet).unwrap().user, b"root");
    assert!(
        SslRequest::decode(&[0; 32]).is_err(),
        "a client of the protocol before 4.1"
    );
}

#[test]
fn query_attributes_stand_before_the_text() {
    let caps = Capabilities::QUERY_ATTRIBUTES;
    let none = Command::decode(b"\x03\x00\x01select 1", caps).unwrap();
    assert_eq!(none, Command::Query(Query::new(b"select 1")));
    // One attribute n = 'v', one NULL one.
    let packet = b"\x03\x02\x01\x02\x01\xfe\x00\x01n\x06\x00\x01m\x01vselect 1";
    let Command::Query(query) = Command::decode(packet, caps).unwrap() else {
        panic!("not a query")
    };
    assert_eq!(query.text, b"select 1");
    assert_eq!(query.attributes.values, b"\x01v");
    assert!(query.attributes.is_null(1) && !query.attributes.is_null(0));
    assert_eq!(encoded(|w| Command::Query(query).encode(caps, w)), packet);
    let as_text = Command::decode(packet, Capabilities::empty()).unwrap();
    assert_eq!(as_text, Command::Query(Query::new(&packet[1..])));
}

#[test]
fn execute_is_split_by_the_statements_parameters() {
    let packet = b"\x17\x01\0\0\0\x00\x01\0\0\0\x00\x01\x03\x00\x07\0\0\0";
    let Command::StmtExecute(execute) = Command::decode(packet, Capabilities::empty()).unwrap() else {
        panic!("not an execute")
    };
    let params = execute.params(1, Capabilities::empty()).unwrap();
    assert_eq!(
        params.types.as_deref().unwrap()[0].column_type,
        ColumnType::Long.byte()
    );
    assert_eq!(params.values, [7, 0, 0, 0]);

    // The same by a client with query attributes: count and names.
    let packet = b"\x17\x01\0\0\0\x08\x01\0\0\0\x01\x00\x01\x03\x00\x00\x07\0\0\0";
    let Command::StmtExecute(execute) = Command::decode(packet, Capabilities::empty()).unwrap() else {
        panic!("not an execute")
    };
    assert_eq!(execute.params(1, Capabilities::QUERY_ATTRIBUTES).unwrap(), params);
    assert!(execute.params(2, Capabilities::QUERY_ATTRIBUTES).is_err());
}

#[test]
fn unknown_commands_are_no_errors_of_decoding() {
    let caps = Capabilities::empty();
    assert_eq!(Command::decode(&[], caps), Ok(Command::Unknown(0)));
    assert_eq!(Command::decode(&[0x0a], caps), Ok(Command::Unknown(0x0a)));
    assert_eq!(
        Command::decode(&[0x0c, 1, 0, 0, 0], caps),
        Ok(Command::Unknown(0x0c))
    );
    assert!(matches!(
        Command::decode(&[0x12], caps),
        Ok(Command::NotServed(_))
    ));
    assert!(Command::decode(&[0x19, 1], caps).is_err());
}

#[test]
fn binary_rows_mark_null_two_bits_later() {
    let row = encoded(|w| {
        let mut row = BinaryRowWriter::new(w, 7);
        row.null(0);
        row.null(6);
        row.value().int4(5);
    });
    assert_eq!(row, [0, 0b100, 0b1, 5, 0, 0, 0]);
}

#[test]
fn text_rows_tell_null_from_empty() {
    let row = encoded(|w| encode_text_row(w, [Some(&b"a"[..]), None, Some(b"")]));
    assert_eq!(row, [1, b'a', 0xfb, 0]);
    let values: Result<Vec<_>, _> = TextRow::new(&row).collect();
    assert_eq!(values.unwrap(), [Some(&b"a"[..]), None, Some(b"")]);
    assert_eq!(TextRow::new(&[9]).map(|v| v.is_err()).collect::<Vec<_>>(), [true]);
}
