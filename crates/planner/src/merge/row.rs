//! One row of the text protocol.

/// A row: the bytes of its packet, and where the cells are in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    bytes: Vec<u8>,
    /// Start and end of each cell; None is NULL.
    cells: Vec<Option<(u32, u32)>>,
}

impl Row {
    /// Reads the payload of a row packet; None when it is malformed or has another number of columns.
    pub fn from_packet(payload: &[u8], columns: usize) -> Option<Self> {
        u32::try_from(payload.len()).ok()?;
        let mut cells = Vec::with_capacity(columns);
        let mut at = 0;
        for _ in 0..columns {
            if payload.get(at) == Some(&0xfb) {
                cells.push(None);
                at += 1;
                continue;
            }
            let (length, start) = length(payload, at)?;
            let end = start.checked_add(length).filter(|end| *end <= payload.len())?;
            cells.push(Some((start as u32, end as u32)));
            at = end;
        }
        (at == payload.len()).then(|| Self {
            bytes: payload.to_vec(),
            cells,
        })
    }

    /// A row of these cells.
    pub fn from_cells<'c>(cells: impl IntoIterator<Item = Option<&'c [u8]>>) -> Self {
        let mut row = Self::default();
        for cell in cells {
            row.push(cell);
        }
        row
    }

    fn push(&mut self, cell: Option<&[u8]>) {
        let cell = cell.map(|cell| {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(cell);
            (start as u32, self.bytes.len() as u32)
        });
        self.cells.push(cell);
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// A cell; None for NULL, and beyond the end.
    pub fn cell(&self, column: usize) -> Option<&[u8]> {
        let (start, end) = (*self.cells.get(column)?)?;
        self.bytes.get(start as usize..end as usize)
    }

    /// Bytes held, for memory limits.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity() + self.cells.capacity() * size_of::<Option<(u32, u32)>>()
    }

    /// The row with some cells replaced.
    #[must_use]
    pub fn with(&self, replaced: &[(usize, Option<Vec<u8>>)]) -> Self {
        let cell = |column: usize| match replaced.iter().find(|(other, _)| *other == column) {
            Some((_, cell)) => cell.as_deref(),
            None => self.cell(column),
        };
        Self::from_cells((0..self.len()).map(cell))
    }

    /// Appends the payload of a row packet with the first `columns` cells.
    pub fn write_packet(&self, columns: usize, out: &mut Vec<u8>) {
        for column in 0..columns.min(self.len()) {
            match self.cell(column) {
                None => out.push(0xfb),
                Some(cell) => {
                    write_length(cell.len(), out);
                    out.extend_from_slice(cell);
                }
            }
        }
    }
}

/// A length-encoded integer: its value, and where what follows starts.
fn length(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let first = *bytes.get(at)?;
    let width = match first {
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        0xfb | 0xff => return None,
        small => return Some((usize::from(small), at + 1)),
    };
    let digits = bytes.get(at + 1..at + 1 + width)?;
    let value = digits
        .iter()
        .rev()
        .fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    Some((usize::try_from(value).ok()?, at + 1 + width))
}

fn write_length(length: usize, out: &mut Vec<u8>) {
    let bytes = (length as u64).to_le_bytes();
    let (mark, width) = match length {
        0..0xfb => (None, 1),
        0xfb..0x1_0000 => (Some(0xfc), 2),
        0x1_0000..0x100_0000 => (Some(0xfd), 3),
        _ => (Some(0xfe), 8),
    };
    out.extend(mark);
    out.extend(bytes.iter().take(width));
}
