//! One block of single DES (FIPS 46-3) under the all-zero key: the scrambler of the `hash` vindex. It hides nothing.
//!
//! With that key every round key is zero, so a round is nothing but a function of the 32-bit half. Its S-boxes work
//! in pairs on ten neighbouring bits, which makes four table look-ups per round.

/// The S-boxes, each as its four rows of sixteen.
const S_BOXES: [[u8; 64]; 8] = [
    [
        14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, 0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5,
        3, 8, 4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, 15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14,
        10, 0, 6, 13,
    ],
    [
        15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, 3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9,
        11, 5, 0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, 13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12,
        0, 5, 14, 9,
    ],
    [
        10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, 13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11,
        15, 1, 13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, 1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3,
        11, 5, 2, 12,
    ],
    [
        7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, 13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10,
        14, 9, 10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, 3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11,
        12, 7, 2, 14,
    ],
    [
        2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, 14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9,
        8, 6, 4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, 11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9,
        10, 4, 5, 3,
    ],
    [
        12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, 10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11,
        3, 8, 9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, 4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7,
        6, 0, 8, 13,
    ],
    [
        4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, 13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15,
        8, 6, 1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, 6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15,
        14, 2, 3, 12,
    ],
    [
        13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, 1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14,
        9, 2, 7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, 2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0,
        3, 5, 6, 11,
    ],
];

/// The permutation P: for each bit of the output, from the most significant, the input bit that it takes, from 1.
const P: [u32; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6,
    22, 11, 4, 25,
];

/// For each pair of S-boxes and its ten bits of input, the output after P. Halves, and so the outputs, are kept
/// rotated right by one, which puts the first pair's ten bits on top.
static PAIRS: [[u32; 1024]; 4] = pairs();

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses an index out of bounds"
)]
const fn pairs() -> [[u32; 1024]; 4] {
    let mut boxes = [[0; 64]; 8];
    let mut i = 0;
    while i < 8 * 64 {
        let (number, input) = (i / 64, i % 64);
        let (row, column) = (input >> 5 << 1 | input & 1, input >> 1 & 15);
        let output = (S_BOXES[number][row * 16 + column] as u32) << (28 - 4 * number);
        let mut bit = 0;
        while bit < 32 {
            boxes[number][input] |= (output >> (32 - P[bit]) & 1) << (31 - bit);
            bit += 1;
        }
        i += 1;
    }
    let mut pairs = [[0; 1024]; 4];
    let mut i = 0;
    while i < 4 * 1024 {
        let (pair, input) = (i / 1024, i % 1024);
        pairs[pair][input] = (boxes[2 * pair][input >> 4] ^ boxes[2 * pair + 1][input & 63]).rotate_right(1);
        i += 1;
    }
    pairs
}

/// The big-endian bytes of the number, encrypted.
pub(crate) fn encrypt_with_null_key(number: u64) -> [u8; 8] {
    let (mut left, mut right) = initial_permutation((number >> 32) as u32, number as u32);
    (left, right) = (left.rotate_right(1), right.rotate_right(1));
    for _ in 0..8 {
        left ^= round(right);
        right ^= round(left);
    }
    // The last round does not swap the halves.
    let (high, low) = final_permutation(right.rotate_left(1), left.rotate_left(1));
    (u64::from(high) << 32 | u64::from(low)).to_be_bytes()
}

/// What a round adds to one half, given the other (both rotated).
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a shift by 22 leaves ten bits")]
fn round(half: u32) -> u32 {
    let [first, second, third, fourth] = &PAIRS;
    first[(half >> 22) as usize]
        ^ second[(half.rotate_left(8) >> 22) as usize]
        ^ third[(half.rotate_left(16) >> 22) as usize]
        ^ fourth[(half.rotate_left(24) >> 22) as usize]
}

/// Swaps the bits of `left` under `mask << shift` with those of `right` under `mask`.
#[inline(always)]
fn swap(left: &mut u32, right: &mut u32, shift: u32, mask: u32) {
    let difference = (*left >> shift ^ *right) & mask;
    *right ^= difference;
    *left ^= difference << shift;
}

fn initial_permutation(mut left: u32, mut right: u32) -> (u32, u32) {
    swap(&mut left, &mut right, 4, 0x0f0f_0f0f);
    swap(&mut left, &mut right, 16, 0x0000_ffff);
    swap(&mut right, &mut left, 2, 0x3333_3333);
    swap(&mut right, &mut left, 8, 0x00ff_00ff);
    swap(&mut left, &mut right, 1, 0x5555_5555);
    (left, right)
}

fn final_permutation(mut left: u32, mut right: u32) -> (u32, u32) {
    swap(&mut left, &mut right, 1, 0x5555_5555);
    swap(&mut right, &mut left, 8, 0x00ff_00ff);
    swap(&mut right, &mut left, 2, 0x3333_3333);
    swap(&mut left, &mut right, 16, 0x0000_ffff);
    swap(&mut left, &mut right, 4, 0x0f0f_0f0f);
    (left, right)
}

#[cfg(test)]
mod tests {
    use des::Des;
    use des::cipher::{BlockCipherEncrypt, KeyInit};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equals_a_general_des(number in any::<u64>()) {
            let mut block = number.to_be_bytes().into();
            Des::new(&[0; 8].into()).encrypt_block(&mut block);
            prop_assert_eq!(encrypt_with_null_key(number), <[u8; 8]>::from(block));
        }
    }
}
