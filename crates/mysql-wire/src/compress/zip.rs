//! The two libraries behind compressed frames. Their states are large (hundreds of KB) and have no memory between
//! frames, so each thread keeps one of each and an idle connection holds none.

use std::cell::RefCell;

use bytes::BytesMut;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{Algorithm, CompressError};

const ZLIB: &str = "zlib";
const ZSTD: &str = "zstd";

struct ZstdCompressor {
    level: i32,
    state: zstd::bulk::Compressor<'static>,
}

thread_local! {
    static ZLIB_COMPRESS: RefCell<Option<Compress>> = const { RefCell::new(None) };
    static ZLIB_DECOMPRESS: RefCell<Option<Decompress>> = const { RefCell::new(None) };
    static ZSTD_COMPRESS: RefCell<Option<ZstdCompressor>> = const { RefCell::new(None) };
    static ZSTD_DECOMPRESS: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Appends the packed form of `plain` to `out` and returns its length, or leaves `out` alone and returns `None`
/// when packing saves nothing.
pub(super) fn compress(
    algorithm: Algorithm,
    plain: &[u8],
    out: &mut BytesMut,
) -> Result<Option<usize>, CompressError> {
    let start = out.len();
    out.resize(start + area_len(algorithm, plain.len()), 0);
    let area = out.get_mut(start..).unwrap_or_default();
    let packed = match algorithm {
        Algorithm::Zlib => zlib_compress(plain, area),
        Algorithm::Zstd { level } => zstd_compress(level, plain, area).map(Some),
    };
    let packed = packed.map(|len| len.filter(|&len| len < plain.len()));
    out.truncate(start + packed.as_ref().ok().copied().flatten().unwrap_or(0));
    packed
}

/// Bytes of output that a compressor gets.
fn area_len(algorithm: Algorithm, plain_len: usize) -> usize {
    match algorithm {
        // A result that does not fit saves nothing, and zlib just stops.
        Algorithm::Zlib => plain_len,
        // zstd's state stays in the middle of a frame when the area is too small.
        Algorithm::Zstd { .. } => zstd::zstd_safe::compress_bound(plain_len),
    }
}

/// Appends exactly `plain_len` bytes to `out`, or fails and leaves `out` alone.
pub(super) fn decompress(
    algorithm: Algorithm,
    content: &[u8],
    plain_len: usize,
    out: &mut BytesMut,
) -> Result<(), CompressError> {
    let start = out.len();
    out.resize(start + plain_len, 0);
    let area = out.get_mut(start..).unwrap_or_default();
    let (name, unpacked) = match algorithm {
        Algorithm::Zlib => (ZLIB, zlib_decompress(content, area)),
        Algorithm::Zstd { .. } => (ZSTD, zstd_decompress(content, area)),
    };
    let reason = match unpacked {
        Ok(produced) if produced == plain_len => return Ok(()),
        Ok(produced) => format!("it holds {produced} bytes, the header says {plain_len}"),
        Err(reason) => reason,
    };
    out.truncate(start);
    Err(CompressError::Damaged {
        algorithm: name,
        reason,
    })
}

fn zlib_compress(plain: &[u8], area: &mut [u8]) -> Result<Option<usize>, CompressError> {
    ZLIB_COMPRESS.with_borrow_mut(|slot| {
        let state = slot.get_or_insert_with(|| Compress::new(Compression::default(), true));
        state.reset();
        let status =
            state
                .compress(plain, area, FlushCompress::Finish)
                .map_err(|e| CompressError::Compressor {
                    algorithm: ZLIB,
                    reason: e.to_string(),
                })?;
        Ok(match status {
            Status::StreamEnd => usize::try_from(state.total_out()).ok(),
            Status::Ok | Status::BufError => None,
        })
    })
}

fn zlib_decompress(content: &[u8], area: &mut [u8]) -> Result<usize, String> {
    ZLIB_DECOMPRESS.with_borrow_mut(|slot| {
        let state = slot.get_or_insert_with(|| Decompress::new(true));
        state.reset(true);
        match state.decompress(content, area, FlushDecompress::Finish) {
            Ok(Status::StreamEnd) => usize::try_from(state.total_out()).map_err(|e| e.to_string()),
            Ok(Status::Ok | Status::BufError) => Err("its stream does not end where it should".to_owned()),
            Err(e) => Err(e.to_string()),
        }
    })
}

fn zstd_compress(level: i32, plain: &[u8], area: &mut [u8]) -> Result<usize, CompressError> {
    let level = level.clamp(1, 22);
    let failed = |e: std::io::Error| CompressError::Compressor {
        algorithm: ZSTD,
        reason: e.to_string(),
    };
    ZSTD_COMPRESS.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => {
                let state = zstd::bulk::Compressor::new(level).map_err(failed)?;
                slot.insert(ZstdCompressor { level, state })
            }
        };
        if compressor.level != level {
            compressor.state.set_compression_level(level).map_err(failed)?;
            compressor.level = level;
        }
        compressor.state.compress_to_buffer(plain, area).map_err(failed)
    })
}

fn zstd_decompress(content: &[u8], area: &mut [u8]) -> Result<usize, String> {
    ZSTD_DECOMPRESS.with_borrow_mut(|slot| {
        let state = match slot {
            Some(state) => state,
            None => slot.insert(zstd::bulk::Decompressor::new().map_err(|e| e.to_string())?),
        };
        state
            .decompress_to_buffer(content, area)
            .map_err(|e| e.to_string())
    })
}
