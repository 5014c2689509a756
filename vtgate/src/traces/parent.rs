//! Who asked for a statement: W3C's `traceparent`, which clients send as a query attribute or in a comment.

use mysql_wire::value::ValueRef;
use mysql_wire::value::params::Attribute;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// Name of the attribute, and of the key in a comment.
const NAME: &[u8] = b"traceparent";

/// The parent that query attributes name.
pub fn in_attributes(attributes: &[Attribute<'_>]) -> Option<SpanContext> {
    attributes.iter().find_map(|attribute| match attribute.value {
        ValueRef::Bytes(value) if attribute.name.eq_ignore_ascii_case(NAME) => parse(value),
        _ => None,
    })
}

/// The parent in a comment such as `/*traceparent='00-..-01'*/`, as sqlcommenter writes it: the last one of the text counts.
pub fn in_comment(text: &[u8]) -> Option<SpanContext> {
    let end = memchr::memmem::rfind(text, b"*/")?;
    let comment = text.get(memchr::memmem::rfind(text.get(..end)?, b"/*")? + 2..end)?;
    comment.split(|byte| *byte == b',').find_map(|pair| {
        let value = pair.trim_ascii().strip_prefix(NAME)?.strip_prefix(b"='")?;
        parse(value.strip_suffix(b"'")?)
    })
}

/// Reads `00-TRACE-SPAN-FLAGS`. Later versions may append fields.
fn parse(text: &[u8]) -> Option<SpanContext> {
    let text = std::str::from_utf8(text).ok()?;
    let mut fields = text.split('-');
    let (version, trace) = (hex(fields.next()?, 2)?, hex(fields.next()?, 32)?);
    let (span, flags) = (hex(fields.next()?, 16)?, hex(fields.next()?, 2)?);
    if version == "ff" || (version == "00" && fields.next().is_some()) {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(flags) & TraceFlags::SAMPLED,
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

/// A field of so many digits, in lower case as the format demands.
fn hex(field: &str, length: usize) -> Option<&str> {
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (field.len() == length && field.as_bytes().iter().all(digit)).then_some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn reads_what_the_format_allows() {
        let context = parse(PARENT.as_bytes()).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled() && context.is_remote());
        assert!(
            !parse(PARENT.replace("-01", "-00").as_bytes())
                .unwrap()
                .is_sampled()
        );
        assert!(parse(PARENT.replace("00-4", "01-4").as_bytes()).is_some());
        assert!(parse(format!("{}-later", PARENT.replace("00-4", "01-4")).as_bytes()).is_some());
        for wrong in [
            String::new(),
            PARENT.to_uppercase(),
            format!("{PARENT}-more"),
            PARENT.replace("00-4", "ff-4"),
            PARENT.replace("00f067aa0ba902b7", "0000000000000000"),
            PARENT.replace(
                "4bf92f3577b34da6a3ce929d0e0e4736",
                "00000000000000000000000000000000",
            ),
            PARENT.replace("00f067aa0ba902b7", "+0f067aa0ba902b7"),
            PARENT.replace("-01", "-1"),
        ] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn comments_may_have_other_keys() {
        for text in [
            format!("SELECT 1 /*traceparent='{PARENT}'*/"),
            format!("/* x */ SELECT 1 /*action='a%2Fb',traceparent='{PARENT}',x='y'*/;"),
            format!("/* traceparent='{PARENT}' */ SELECT 1"),
        ] {
            assert!(in_comment(text.as_bytes()).is_some(), "{text}");
        }
        for text in [
            format!("SELECT 'traceparent={PARENT}'"),
            format!("SELECT 1 /* traceparent={PARENT} */"),
            "SELECT 1 */ /*".to_owned(),
            "SELECT 1 /*/".to_owned(),
        ] {
            assert_eq!(in_comment(text.as_bytes()), None, "{text}");
        }
    }
}
