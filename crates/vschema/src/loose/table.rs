//! The table of weights: `weights.bin`, whose layout `tools/weights/table.go` describes.

use std::sync::LazyLock;

static FILE: &[u8] = include_bytes!("weights.bin");

/// The parts' places, in words. Reading a word beyond the file gives 0, so a damaged file cannot panic.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut place = 6;
    let mut part = |i| {
        let start = place;
        place += word(i) as usize;
        start
    };
    Table {
        index: part(0),
        blocks: part(1),
        expansions: part(2),
        starters: part(3),
        contractions: part(4),
        combining: part(5),
        end: place,
    }
});

struct Table {
    index: usize,
    blocks: usize,
    expansions: usize,
    starters: usize,
    contractions: usize,
    combining: usize,
    end: usize,
}

/// A collation element: its primary weight (21 bits) and its combining class above them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element(u32);

/// What the table has for a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Nothing: the weight follows from the code point.
    Missing,
    /// One element.
    Element(Element),
    /// The elements of [`expansion`].
    Expansion(usize),
    /// It begins contractions.
    Starter(Starter),
}

/// A character that begins contractions: what it gives when none matches, and where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Starter {
    pub(super) bare: usize,
    first: usize,
    end: usize,
}

/// How a character with a combining class takes part in gaps of contractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    /// The combining class that its decomposition begins with; never 0.
    pub(super) leading: u8,
    /// The combining class that it ends with.
    pub(super) trailing: u8,
    /// How many marks it decomposes into.
    pub(super) count: usize,
}

/// A contraction without its starter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contraction {
    first: u32,
    second: u32,
    pub(super) expansion: usize,
}

const KIND_ELEMENT: u32 = 1;
const KIND_EXPANSION: u32 = 2;
const KIND_STARTER: u32 = 3;

fn word(i: usize) -> u32 {
    let bytes = FILE.get(i * 4..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

impl Element {
    /// An element with a weight only.
    pub(super) fn with_primary(primary: u32) -> Self {
        Self(primary)
    }

    /// The primary weight; 0 when it has none.
    pub(super) fn primary(self) -> u32 {
        self.0 & 0x1f_ffff
    }

    /// The canonical combining class; 0 for a character that others combine with.
    pub(super) fn class(self) -> u8 {
        (self.0 >> 21) as u8
    }
}

/// The table's entry of a character.
pub(super) fn entry(c: char) -> Entry {
    let table = &*TABLE;
    let code = c as usize;
    let pair = table.index + code / 128;
    if pair >= table.blocks {
        return Entry::Missing;
    }
    let block = word(pair) >> (16 * (code / 64 % 2)) & 0xffff;
    let value = word(table.blocks + block as usize * 64 + code % 64);
    let rest = value & 0x3fff_ffff;
    match value >> 30 {
        KIND_ELEMENT => Entry::Element(Element(rest)),
        KIND_EXPANSION => Entry::Expansion(rest as usize),
        KIND_STARTER => {
            let place = table.starters + rest as usize * 4;
            let [bare, first, end] = [1, 2, 3].map(|i| word(place + i) as usize);
            Entry::Starter(Starter { bare, first, end })
        }
        _ => Entry::Missing,
    }
}

/// The elements of an expansion.
pub(super) fn expansion(place: usize) -> impl Iterator<Item = Element> {
    let place = TABLE.expansions + place;
    (1..=word(place) as usize).map(move |i| Element(word(place + i)))
}

impl Starter {
    /// Its contractions.
    pub(super) fn contractions(self) -> impl Iterator<Item = Contraction> {
        (self.first..self.end).map(|number| {
            let place = TABLE.contractions + number * 3;
            Contraction {
                first: word(place),
                second: word(place + 1),
                expansion: word(place + 2) as usize,
            }
        })
    }
}

impl Contraction {
    /// The characters after the starter.
    pub(super) fn suffix(&self) -> impl Iterator<Item = char> + use<> {
        [self.first, self.second]
            .into_iter()
            .filter(|code| *code != 0)
            .filter_map(char::from_u32)
    }
}

/// The marks that a character decomposes into; None when its decomposition begins with a starter.
pub(super) fn marks(c: char) -> Option<Marks> {
    let (start, end) = (TABLE.combining, TABLE.end);
    let (mut low, mut high) = (0, (end - start) / 3);
    while low < high {
        let middle = (low + high) / 2;
        let place = start + middle * 3;
        if (c as u32) < word(place) {
            high = middle;
        } else if c as u32 > word(place + 1) {
            low = middle + 1;
        } else {
            let [leading, trailing, count, _] = word(place + 2).to_le_bytes();
            return Some(Marks {
                leading,
                trailing,
                count: count.into(),
            });
        }
    }
    None
}
