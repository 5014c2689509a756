//! A slice that is read from its front; reading beyond its end is `None`, never a panic.

pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(front)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// An integer of MySQL's serialisation: as many ones at the low end of the first byte as bytes follow it, then a zero, then
    /// the value; eight ones leave the value eight bytes of its own.
    pub(crate) fn varlen(&mut self) -> Option<u64> {
        let first = self.u8()?;
        let more = first.trailing_ones() as usize;
        let mut wide = [0u8; 8];
        if more == 8 {
            return self.u64();
        }
        let bytes = self.take(more)?;
        wide.iter_mut()
            .skip(1)
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        wide[0] = first;
        Some(u64::from_le_bytes(wide) >> (more + 1))
    }

    /// A text after its length.
    pub(crate) fn string(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.varlen()?).ok()?;
        std::str::from_utf8(self.take(length)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_length() {
        for (bytes, value) in [
            (&[0x02][..], 1),
            (&[0xfe], 127),
            (&[0x01, 0x02], 128),
            (&[0x03, 0x00, 0x02], 1 << 14),
            (&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], (1 << 56) - 1),
            (&[0xff, 1, 0, 0, 0, 0, 0, 0, 0x80], (1 << 63) + 1),
        ] {
            let mut b = Bytes(bytes);
            assert_eq!((b.varlen(), b.0.len()), (Some(value), 0), "{bytes:x?}");
            for cut in 0..bytes.len() {
                assert_eq!(Bytes(bytes.get(..cut).unwrap_or_default()).varlen(), None);
            }
        }
    }
}
