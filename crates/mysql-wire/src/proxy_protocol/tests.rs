use proptest::prelude::*;

use super::*;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn v2(version_command: u8, family: u8, content: &[u8]) -> Vec<u8> {
    let mut header = SIGNATURE.to_vec();
    header.extend([version_command, family]);
    header.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
    header.extend(content);
    header
}

fn tcp(source: &str, destination: &str) -> Claim {
    Claim::Tcp {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    }
}

fn whole(header: &[u8]) -> Claim {
    let mut input = header.to_vec();
    input.extend(b"\x4a\x00\x00\x00\x0a8.4");
    match decode(&input).unwrap() {
        Decoded::Header { consumed, claim } => {
            assert_eq!(consumed, header.len());
            claim
        }
        Decoded::NeedMore(n) => panic!("asks for {n}"),
    }
}

#[test]
fn reads_v1_lines() {
    assert_eq!(
        whole(b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"),
        tcp("192.168.0.1:56324", "192.168.0.11:443")
    );
    assert_eq!(
        whole(b"PROXY TCP6 fe80::1 ::1 65535 0\r\n"),
        tcp("[fe80::1]:65535", "[::1]:0")
    );
    assert_eq!(whole(b"PROXY UNKNOWN\r\n"), Claim::Local);
    assert_eq!(
        whole(b"PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n"),
        Claim::Local
    );
}

#[test]
fn names_what_is_wrong_in_v1() {
    let reason = |line: &[u8]| match decode(line).unwrap_err() {
        ProxyError::Line { reason } => reason,
        other => panic!("{other}"),
    };
    assert_eq!(reason(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"), "it ends without CR");
    assert_eq!(
        reason(b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"),
        "the protocol is none of TCP4, TCP6, UNKNOWN"
    );
    assert_eq!(
        reason(b"PROXY TCP4 ::1 1.2.3.4 1 2\r\n"),
        "an address does not fit the protocol"
    );
    assert_eq!(reason(b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), "a port is missing");
    assert_eq!(
        reason(b"PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n"),
        "a port is not a number"
    );
    assert_eq!(
        reason(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"),
        "a port is not a number up to 65535"
    );
    assert_eq!(
        reason(b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"),
        "words follow the ports"
    );
    let endless = [&b"PROXY TCP6 "[..], &[b'f'; 200]].concat();
    assert_eq!(decode(&endless), Err(ProxyError::LineTooLong));
}

#[test]
fn reads_v2_headers() {
    let ipv4 = v2(0x21, 0x11, b"\x0a\x01\x02\x03\x0a\x01\x02\x04\x30\x39\x0c\xea");
    assert_eq!(whole(&ipv4), tcp("10.1.2.3:12345", "10.1.2.4:3306"));
    let mut content = [0_u8; 36];
    (content[15], content[31], content[33], content[35]) = (1, 2, 7, 9);
    assert_eq!(whole(&v2(0x21, 0x21, &content)), tcp("[::1]:7", "[::2]:9"));
    let mut unix = [0_u8; 216];
    unix[108..118].copy_from_slice(b"/run/mysql");
    let claim = Claim::Unix {
        source: Vec::new(),
        destination: b"/run/mysql".to_vec(),
    };
    assert_eq!(whole(&v2(0x21, 0x31, &unix)), claim);
    assert_eq!(whole(&v2(0x20, 0x11, b"anything")), Claim::Local);
    assert_eq!(whole(&v2(0x21, 0x00, b"")), Claim::Local);
}

#[test]
fn skips_v2_extensions_but_checks_their_bounds() {
    let addresses = b"\x0a\x01\x02\x03\x0a\x01\x02\x04\x30\x39\x0c\xea";
    let with = |extension: &[u8]| v2(0x21, 0x11, &[addresses, extension].concat());
    assert_eq!(
        whole(&with(b"\x03\x00\x04crc!\x02\x00\x00")),
        tcp("10.1.2.3:12345", "10.1.2.4:3306")
    );
    assert_eq!(decode(&with(b"\x03\x00\x05crc!")), Err(ProxyError::Extension));
    assert_eq!(decode(&with(b"\x03\x00")), Err(ProxyError::Extension));
}

#[test]
fn refuses_wrong_v2_headers() {
    assert_eq!(decode(&v2(0x11, 0x11, b"")), Err(ProxyError::Version(1)));
    assert_eq!(decode(&v2(0x22, 0x11, b"")), Err(ProxyError::Command(2)));
    assert_eq!(decode(&v2(0x21, 0x12, &[0; 12])), Err(ProxyError::Family(0x12)));
    assert_eq!(decode(&v2(0x21, 0x11, &[0; 11])), Err(ProxyError::ShortAddresses));
    let long = ProxyError::TooLong {
        bytes: 5000,
        limit: 4096,
    };
    assert_eq!(decode(&v2(0x21, 0x11, &[0; 5000])[..16]), Err(long));
}

#[test]
fn other_protocols_are_refused_at_the_first_byte_that_differs() {
    assert_eq!(decode(b"\x20\x00\x00\x01\x85"), Err(ProxyError::Missing));
    assert_eq!(decode(b"PROXz"), Err(ProxyError::Missing));
    assert_eq!(decode(b""), Ok(Decoded::NeedMore(15)));
    assert_eq!(decode(b"\r"), Ok(Decoded::NeedMore(15)));
}

#[tokio::test]
async fn reading_stops_at_the_end_of_the_header() {
    let ipv4 = v2(0x21, 0x11, b"\x0a\x01\x02\x03\x0a\x01\x02\x04\x30\x39\x0c\xea");
    for header in [&ipv4[..], b"PROXY TCP4 10.1.2.3 10.1.2.4 12345 3306\r\n"] {
        let input = [header, b"rest"].concat();
        let mut stream = &input[..];
        assert_eq!(
            read(&mut stream).await.unwrap(),
            tcp("10.1.2.3:12345", "10.1.2.4:3306")
        );
        assert_eq!(stream, b"rest");
        let cut = read(&mut &header[..header.len() - 1]).await.unwrap_err();
        assert_eq!(cut.kind(), std::io::ErrorKind::UnexpectedEof);
    }
    let other = read(&mut &b"SSH-2.0 something else"[..]).await.unwrap_err();
    assert_eq!(other.kind(), std::io::ErrorKind::InvalidData);
}

#[test]
fn allowed_peers_by_network() {
    let allowed = AllowedPeers::parse("10.0.0.0/8, 192.168.7.1,fd00::/8").unwrap();
    for (address, expected) in [
        ("10.255.1.2", true),
        ("11.0.0.1", false),
        ("192.168.7.1", true),
        ("192.168.7.2", false),
        ("::ffff:10.1.1.1", true),
        ("fd12::1", true),
        ("fe80::1", false),
    ] {
        assert_eq!(allowed.contains(address.parse().unwrap()), expected, "{address}");
    }
    let everybody = AllowedPeers::parse("0.0.0.0/0,::/0").unwrap();
    assert!(everybody.contains("8.8.8.8".parse().unwrap()) && everybody.contains("::1".parse().unwrap()));
    let nobody = AllowedPeers::parse(" ").unwrap();
    assert!(nobody.is_empty() && !nobody.contains("127.0.0.1".parse().unwrap()));
}

#[test]
fn wrong_networks_are_named() {
    let error = |list| AllowedPeers::parse(list).unwrap_err().to_string();
    assert_eq!(
        error("::1, nohost"),
        "'nohost' is not an IP address or network such as 10.0.0.0/8 or fd00::/8"
    );
    assert_eq!(
        error("10.0.0.0/33"),
        "'10.0.0.0/33': the prefix length must be a number up to 32"
    );
    assert_eq!(
        error("10.0.0.1/8"),
        "'10.0.0.1/8': the address has bits set beyond its prefix"
    );
}

proptest! {
    #[test]
    fn no_input_panics(kind in 0..3, tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let head: &[u8] = match kind { 0 => b"", 1 => b"PROXY ", _ => SIGNATURE };
        let _ = decode(&[head, &tail].concat());
    }

    /// A header that arrives byte by byte is never over-read, never refused, and the same at the end.
    #[test]
    fn incremental(extension in prop::collection::vec(any::<u8>(), 0..50), kind in 0..2) {
        let mut content = b"\x0a\x01\x02\x03\x0a\x01\x02\x04\x30\x39\x0c\xea\x04".to_vec();
        content.extend(u16::try_from(extension.len()).unwrap().to_be_bytes());
        content.extend(&extension);
        let header = if kind == 0 { v2(0x21, 0x11, &content) } else { b"PROXY TCP4 10.1.2.3 10.1.2.4 12345 3306\r\n".to_vec() };
        for have in 0..header.len() {
            match decode(&header[..have]) {
                Ok(Decoded::NeedMore(n)) => prop_assert!(n >= 1 && have + n <= header.len()),
                other => prop_assert!(false, "{} bytes: {:?}", have, other),
            }
        }
        let want = tcp("10.1.2.3:12345", "10.1.2.4:3306");
        prop_assert_eq!(decode(&header), Ok(Decoded::Header { consumed: header.len(), claim: want }));
    }
}
