#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

fn tokens_with(text: &[u8], options: LexOptions) -> Vec<(Tok, &[u8])> {
    let mut lexer = Lexer::new(text, options);
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next();
        match token.tok {
            Tok::Eof => return tokens,
            Tok::Bad => {
                tokens.push((Tok::Bad, b"".as_slice()));
                return tokens;
            }
            tok => tokens.push((tok, token.span.of(text))),
        }
    }
}

fn tokens(text: &str) -> Vec<(Tok, &str)> {
    tokens_with(text.as_bytes(), LexOptions::default())
        .into_iter()
        .map(|(tok, text)| (tok, std::str::from_utf8(text).unwrap()))
        .collect()
}

#[test]
fn numbers_and_names_that_start_with_digits() {
    use Tok::*;
    assert_eq!(
        tokens("1 1.5 .5 1. 1e5 1.5e-3 1.e5"),
        [
            (Integer, "1"),
            (Decimal, "1.5"),
            (Decimal, ".5"),
            (Decimal, "1."),
            (Float, "1e5"),
            (Float, "1.5e-3"),
            (Float, "1.e5")
        ]
    );
    assert_eq!(
        tokens("1a 1e 9e+a 0x 0X41 0x4g 0b12"),
        [
            (Word, "1a"),
            (Word, "1e"),
            (Word, "9e"),
            (Plus, "+"),
            (Word, "a"),
            (Word, "0x"),
            (Word, "0X41"),
            (Word, "0x4g"),
            (Word, "0b12")
        ]
    );
    assert_eq!(
        tokens("0x4D 0b01 x'4D' B'01'"),
        [(Hex, "0x4D"), (Bit, "0b01"), (Hex, "x'4D'"), (Bit, "B'01'")]
    );
    assert_eq!(tokens("x'4'"), [(Bad, "")]);
    assert_eq!(tokens("b'2'"), [(Bad, "")]);
    assert_eq!(tokens("1.5e"), [(Bad, "")]);
}

#[test]
fn points() {
    use Tok::*;
    assert_eq!(tokens("a.1b"), [(Word, "a"), (Dot, "."), (Word, "1b")]);
    assert_eq!(tokens("a.5"), [(Word, "a"), (Dot, "."), (Word, "5")]);
    assert_eq!(tokens("a .5"), [(Word, "a"), (Decimal, ".5")]);
    assert_eq!(tokens("`a`.5"), [(QuotedIdent, "`a`"), (Decimal, ".5")]);
    assert_eq!(tokens("`a`.b"), [(QuotedIdent, "`a`"), (Dot, "."), (Word, "b")]);
    assert_eq!(
        tokens("t.x'41'"),
        [(Word, "t"), (Dot, "."), (Word, "x"), (String, "'41'")]
    );
    assert_eq!(tokens("1.a"), [(Decimal, "1."), (Word, "a")]);
}

#[test]
fn words_beside_points_are_names() {
    let mut lexer = Lexer::new(b"select.from from", LexOptions::default());
    let kws: Vec<Kw> = (0..4).map(|_| lexer.next().kw).collect();
    assert_eq!(kws, [Kw::None, Kw::None, Kw::None, Kw::FROM]);
}

#[test]
fn signs() {
    use Tok::*;
    assert_eq!(tokens("-1"), [(Integer, "-1")]);
    assert_eq!(tokens("a -1"), [(Word, "a"), (Minus, "-"), (Integer, "1")]);
    assert_eq!(tokens("a - -1"), [(Word, "a"), (Minus, "-"), (Integer, "-1")]);
    assert_eq!(tokens("1--1"), [(Integer, "1"), (Minus, "-"), (Integer, "-1")]);
    assert_eq!(
        tokens("select -1.5, (-.5)"),
        [
            (Word, "select"),
            (Decimal, "-1.5"),
            (Comma, ","),
            (LParen, "("),
            (Decimal, "-.5"),
            (RParen, ")")
        ]
    );
    assert_eq!(tokens("t.select -1").last(), Some(&(Integer, "1")));
    assert_eq!(tokens("end -1").last(), Some(&(Integer, "1")));
    assert_eq!(tokens("=-0x41"), [(Eq, "="), (Minus, "-"), (Hex, "0x41")]);
    assert_eq!(tokens("=-1a"), [(Eq, "="), (Minus, "-"), (Word, "1a")]);
}

#[test]
fn comments() {
    use Tok::*;
    assert_eq!(tokens("1 -- x\n2 --\t3"), [(Integer, "1"), (Integer, "2")]);
    assert_eq!(
        tokens("1 # x\n2 /* 3 /* */ 4"),
        [(Integer, "1"), (Integer, "2"), (Integer, "4")]
    );
    assert_eq!(tokens("1 --"), [(Integer, "1")]);
    assert_eq!(tokens("/* x"), [(Bad, "")]);
    assert_eq!(tokens("/*!80000 1*/ 2"), [(Integer, "1"), (Integer, "2")]);
    assert_eq!(tokens("/*!99999 1 /* 2 */ 3*/ 4"), [(Integer, "4")]);
    assert_eq!(tokens("/*!8000012*/"), [(Integer, "12")]);
    assert_eq!(tokens("/*!099999 1*/"), []);
    assert_eq!(tokens("/*!080000 1*/"), [(Integer, "1")]);
    assert_eq!(tokens("/*!8000 1*/"), [(Integer, "8000"), (Integer, "1")]);
    assert_eq!(
        tokens("/*! 1 /* c */ 2*/ */"),
        [(Integer, "1"), (Integer, "2"), (Star, "*"), (Slash, "/")]
    );
    assert_eq!(tokens("/*! 1"), [(Integer, "1"), (Bad, "")]);
    assert_eq!(
        tokens("select /*+ a */ /*+ b */ -1"),
        [(Word, "select"), (Hint, "/*+ a */"), (Integer, "-1")]
    );
    assert_eq!(tokens("a /*+ x */ b"), [(Word, "a"), (Word, "b")]);
}

#[test]
fn strings_and_quotes() {
    use Tok::*;
    assert_eq!(
        tokens(r#"'a''b' "c\"d" 'e\\'"#),
        [(String, "'a''b'"), (String, r#""c\"d""#), (String, r"'e\\'")]
    );
    assert_eq!(tokens("'a"), [(Bad, "")]);
    assert_eq!(tokens("'a\\'"), [(Bad, "")]);
    assert_eq!(
        tokens("N'x' n\"y\""),
        [(National, "N"), (String, "'x'"), (Word, "n"), (String, "\"y\"")]
    );
    assert_eq!(
        tokens("`a``b` `c`"),
        [(QuotedIdent, "`a``b`"), (QuotedIdent, "`c`")]
    );
    assert_eq!(
        tokens("$$a;b$$ $x$ ; $x$ $y"),
        [
            (DollarString, "$$a;b$$"),
            (DollarString, "$x$ ; $x$"),
            (Word, "$y")
        ]
    );
    let ansi = LexOptions {
        mode: LexMode::ANSI_QUOTES,
        ..LexOptions::default()
    };
    assert_eq!(
        tokens_with(b"\"a\"\"b\"", ansi),
        [(QuotedIdent, b"\"a\"\"b\"".as_slice())]
    );
    let raw = LexOptions {
        mode: LexMode::NO_BACKSLASH_ESCAPES,
        ..LexOptions::default()
    };
    assert_eq!(
        tokens_with(b"'a\\' 1", raw),
        [(String, b"'a\\'".as_slice()), (Integer, b"1")]
    );
}

#[test]
fn character_sets_with_ascii_trail_bytes() {
    use Tok::*;
    let text = b"'\xBF\x5C' or 1 -- '";
    let gbk = LexOptions {
        charset: ClientCharset::Gbk,
        ..LexOptions::default()
    };
    assert_eq!(
        tokens_with(text, gbk).first(),
        Some(&(String, b"'\xBF\x5C'".as_slice()))
    );
    assert_eq!(
        tokens_with(text, LexOptions::default()),
        [(String, text.as_slice())]
    );
    assert_eq!(
        tokens_with(b"'\xBF\x5C'", LexOptions::default()),
        [(Bad, b"".as_slice())]
    );
    // A backslash skips one byte, even a lead byte.
    assert_eq!(
        tokens_with(b"'\\\xBF\x5C''", gbk),
        [(String, b"'\\\xBF\x5C''".as_slice())]
    );
    assert_eq!(
        tokens_with(b"`\x81\x60` \x81\x7C", gbk),
        [(QuotedIdent, b"`\x81\x60`".as_slice()), (Word, b"\x81\x7C")]
    );
}

#[test]
fn variables() {
    use Tok::*;
    assert_eq!(
        tokens("@a.b @'x y' @`z` @ @@global.x @@a"),
        [
            (UserVar, "@a.b"),
            (UserVar, "@'x y'"),
            (UserVar, "@`z`"),
            (UserVar, "@"),
            (AtAt, "@@"),
            (Word, "global"),
            (Dot, "."),
            (Word, "x"),
            (AtAt, "@@"),
            (Word, "a")
        ]
    );
}

#[test]
fn operators() {
    use Tok::*;
    let kinds: Vec<Tok> = tokens("<=> <= <> << >> >= != ! := : || | && & -> ->> ^ ~ % {}")
        .into_iter()
        .map(|(tok, _)| tok)
        .collect();
    assert_eq!(
        kinds,
        [
            NullSafeEq, Le, Ne, ShiftLeft, ShiftRight, Ge, Ne, Bang, Assign, Colon, PipePipe, Pipe, AmpAmp,
            Amp, Arrow, LongArrow, Caret, Tilde, Percent, LBrace, RBrace
        ]
    );
    assert_eq!(tokens("\0"), [(Bad, "")]);
    assert_eq!(tokens("[1]"), [(Bad, "")]);
}
