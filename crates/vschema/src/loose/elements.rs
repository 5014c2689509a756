//! From text to collation elements: contractions, expansions, implicit weights, and the order of marks.

use smallvec::SmallVec;

use super::table::{Contraction, Element, Entry, Starter, entry, expansion, marks};

/// After so many elements of marks in a row the collator no longer sorts them.
const MAX_MARKS: usize = 30;

/// The elements of a text.
pub(super) struct Elements {
    elements: SmallVec<[Element; 64]>,
    /// Where the marks begin that may still have to be sorted.
    segment: usize,
    /// The elements are those of each character or contraction in the order of the text.
    regular: bool,
}

impl Elements {
    pub(super) fn of(text: &str) -> Self {
        let mut elements = Self {
            elements: SmallVec::new(),
            segment: 0,
            regular: true,
        };
        elements.read(text);
        elements
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Element> {
        self.elements.iter().copied()
    }

    /// True unless sorting changed the order of weights, or a contraction matched over a gap.
    pub(super) fn are_regular(&self) -> bool {
        self.regular
    }

    /// Takes the text character by character. Marks that follow each other are sorted by their combining class as
    /// they come; a character that is no mark, or too many marks, ends such a run.
    fn read(&mut self, text: &str) {
        let mut rest = text;
        while self.segment < self.elements.len() || !rest.is_empty() {
            if self.segment == self.elements.len() {
                self.append(&mut rest);
            }
            let mut highest = self.elements.last().map_or(0, |last| last.class());
            if highest == 0 {
                self.segment = self.elements.len();
                continue;
            }
            let run = self.elements.get(self.segment..).unwrap_or_default();
            let starters = run.iter().take_while(|element| element.class() == 0).count();
            if starters > 0 {
                self.segment += starters;
                continue;
            }
            loop {
                let place = self.elements.len();
                if !self.append(&mut rest) {
                    self.segment = self.elements.len();
                    break;
                }
                let class = self.elements.get(place).map_or(0, |element| element.class());
                if class == 0 || self.elements.len() - self.segment > MAX_MARKS {
                    self.segment = place;
                    break;
                }
                match class < highest {
                    true => self.sort_in(place, class),
                    false => highest = class,
                }
            }
        }
    }

    /// Moves the elements from `place` on before those of the run that have a higher class.
    fn sort_in(&mut self, place: usize, class: u8) {
        let mut to = place - 1;
        let class_before = |to: usize| self.elements.get(to - 1).map_or(0, |element| element.class());
        while to > self.segment && class < class_before(to) {
            to -= 1;
        }
        if let Some(tail) = self.elements.get_mut(to..) {
            let weighs = |elements: &[Element]| elements.iter().any(|element| element.primary() != 0);
            self.regular &= !tail
                .split_at_checked(place - to)
                .is_some_and(|(run, new)| weighs(run) && weighs(new));
            tail.rotate_left(place - to);
        }
    }

    /// Adds the elements of the next character, or of the next contraction. False at the end of the text.
    fn append(&mut self, rest: &mut &str) -> bool {
        let mut chars = rest.chars();
        let Some(c) = chars.next() else {
            return false;
        };
        *rest = chars.as_str();
        match entry(c) {
            Entry::Element(element) => self.elements.push(element),
            Entry::Expansion(place) => self.elements.extend(expansion(place)),
            Entry::Missing => self.append_missing(c),
            Entry::Starter(starter) => *rest = self.append_contraction(starter, rest),
        }
        true
    }

    /// A character without entry: a Hangul syllable is its Jamo, all others have a weight made from the code point.
    fn append_missing(&mut self, c: char) {
        let code = c as u32;
        let Some(syllable) = code
            .checked_sub(HANGUL)
            .filter(|syllable| *syllable < HANGUL_COUNT)
        else {
            return self.elements.push(Element::with_primary(implicit_primary(code)));
        };
        let lead = 0x1100 + syllable / (21 * 28);
        let vowel = 0x1161 + syllable / 28 % 21;
        let tail = match syllable % 28 {
            0 => None,
            tail => Some(0x11a7 + tail),
        };
        for jamo in [Some(lead), Some(vowel), tail]
            .into_iter()
            .flatten()
            .filter_map(char::from_u32)
        {
            if let Entry::Element(element) = entry(jamo) {
                self.elements.push(element);
            }
        }
    }

    /// Adds what the longest contraction gives, then what stands in its gaps; returns the text that remains.
    fn append_contraction<'t>(&mut self, starter: Starter, rest: &'t str) -> &'t str {
        let mut scan = Scan::new(starter, rest);
        let at = scan.scan(0);
        let gaps = scan.scan_over_gaps(at);
        self.elements.extend(expansion(scan.matched));
        self.regular &= gaps.is_empty();
        let mut gap_rest = gaps.as_str();
        while self.append(&mut gap_rest) {}
        rest.get(scan.matched_end..).unwrap_or_default()
    }
}

const HANGUL: u32 = 0xac00;
const HANGUL_COUNT: u32 = 19 * 21 * 28;

/// The weight of a character that the table leaves out: ideographs first, in two groups, then all others.
fn implicit_primary(code: u32) -> u32 {
    match code {
        0x4e00..=0x9fff | 0xf900..=0xfaff if is_ideographic(code) => code + 0x1_0000,
        _ if is_ideographic(code) => code + 0x2_0000,
        _ => code + 0x5_0000,
    }
}

/// The property Ideographic of Unicode 15.
fn is_ideographic(code: u32) -> bool {
    matches!(code,
        0x3006..=0x3007 | 0x3021..=0x3029 | 0x3038..=0x303a | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xf900..=0xfa6d
        | 0xfa70..=0xfad9 | 0x16fe4 | 0x17000..=0x187f7 | 0x18800..=0x18cd5 | 0x18d00..=0x18d08 | 0x1b170..=0x1b2fb
        | 0x20000..=0x2a6df | 0x2a700..=0x2b739 | 0x2b740..=0x2b81d | 0x2b820..=0x2cea1 | 0x2ceb0..=0x2ebe0
        | 0x2f800..=0x2fa1d | 0x30000..=0x3134a | 0x31350..=0x323af)
}

/// The search for a contraction in the text after its starter. It only ever goes on from characters that matched.
struct Scan<'t> {
    starter: Starter,
    text: &'t str,
    /// The characters that matched so far, whether or not they are a contraction already.
    path: SmallVec<[char; 2]>,
    /// No contraction is longer.
    done: bool,
    /// The expansion of the longest contraction so far.
    matched: usize,
    /// Where it ends in the text; 0 when none matched.
    matched_end: usize,
}

impl<'t> Scan<'t> {
    fn new(starter: Starter, text: &'t str) -> Self {
        Self {
            starter,
            text,
            path: SmallVec::new(),
            done: false,
            matched: starter.bare,
            matched_end: 0,
        }
    }

    /// Follows the text from `at` as far as it matches; returns where it stops.
    fn scan(&mut self, mut at: usize) -> usize {
        while let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) {
            self.path.push(c);
            let starts = |contraction: &Contraction| {
                let mut suffix = contraction.suffix();
                self.path
                    .iter()
                    .all(|c| suffix.next() == Some(*c))
                    .then(|| suffix.next().is_some())
            };
            let (mut exact, mut longer, mut any) = (None, false, false);
            for contraction in self.starter.contractions() {
                match starts(&contraction) {
                    Some(true) => longer = true,
                    Some(false) => exact = Some(contraction.expansion),
                    None => continue,
                }
                any = true;
            }
            if !any {
                self.path.pop();
                return at;
            }
            at += c.len_utf8();
            if let Some(expansion) = exact {
                (self.matched, self.matched_end) = (expansion, at);
            }
            if !longer {
                self.done = true;
                return at;
            }
        }
        at
    }

    /// Goes on over marks that block nothing, that is whose classes grow; returns those that a match skipped.
    fn scan_over_gaps(&mut self, mut at: usize) -> String {
        let mut skipped = String::new();
        let mut skipped_by_match = 0;
        let text = self.text;
        let next = |at: usize| {
            let c = text.get(at..)?.chars().next()?;
            marks(c).map(|marks| (c.len_utf8(), marks))
        };
        let mut gap = at;
        let Some((size, first)) = next(at).filter(|_| !self.done) else {
            return skipped;
        };
        at += size;
        let mut trailing = first.trailing;
        self.text = text
            .get(..at + marks_end(text.get(at..).unwrap_or_default()))
            .unwrap_or(text);
        while let Some((size, marks)) = next(at).filter(|(_, marks)| !self.done && trailing < marks.leading) {
            trailing = marks.trailing;
            let end = self.scan(at);
            if end == at {
                at += size;
                continue;
            }
            skipped.push_str(text.get(gap..at).unwrap_or_default());
            if self.matched_end == end {
                skipped_by_match = skipped.len();
            }
            (at, gap) = (end, end);
        }
        skipped.truncate(skipped_by_match);
        skipped
    }
}

/// Where the marks that a text begins with end: at the first character that is none, or before one too many.
fn marks_end(text: &str) -> usize {
    let mut count = 0;
    for (at, c) in text.char_indices() {
        match marks(c) {
            Some(marks) if count + marks.count <= MAX_MARKS => count += marks.count,
            _ => return at,
        }
    }
    text.len()
}
