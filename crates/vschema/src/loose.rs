//! Primary collation weights of Unicode text, as the loose vindexes hash them.
//!
//! Vitess takes them from the Go module golang.org/x/text, package `collate` (root collation of CLDR 23 on Unicode
//! 6.2.0, combining classes of Unicode 15), so rows stay on their shards only when every weight is the same, with
//! all that is particular to that implementation: where marks out of order are sorted, after how many marks that
//! ends, and which contractions match over a gap. `tools/weights` reads the weights out of the module.

pub(crate) mod coverage;
mod elements;
mod table;

use std::sync::LazyLock;

use smallvec::SmallVec;

use elements::Elements;

/// The bytes that a text hashes by: each primary weight that is not zero, in two bytes up to 7FFF, else in three with
/// the top bit set. No text gives other bytes than its upper-case or accented forms.
pub(crate) fn key(text: &str) -> SmallVec<[u8; 64]> {
    let mut key = SmallVec::new();
    if text.is_ascii() {
        let weights = &*ASCII;
        for primary in text.bytes().filter_map(|byte| weights.get(usize::from(byte))) {
            push(&mut key, *primary);
        }
    } else {
        for element in Elements::of(text).iter() {
            push(&mut key, element.primary());
        }
    }
    key
}

/// The weights of ASCII characters, of which none combines with another.
static ASCII: LazyLock<[u32; 128]> = LazyLock::new(|| {
    let mut code = 0;
    [(); 128].map(|()| {
        let c = char::from(code);
        code += 1;
        Elements::of(c.encode_utf8(&mut [0; 4]))
            .iter()
            .map(|element| element.primary())
            .sum()
    })
});

#[inline]
fn push(key: &mut SmallVec<[u8; 64]>, primary: u32) {
    match primary.to_be_bytes() {
        [_, 0, 0, 0] => {}
        [_, 0, high @ ..=0x7f, low] => key.extend_from_slice(&[high, low]),
        [_, top, middle, low] => key.extend_from_slice(&[top | 0x80, middle, low]),
    }
}

#[cfg(test)]
mod tests;
