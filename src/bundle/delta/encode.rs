//! From a file and its dictionary to `dcz`.

use std::io::{self, Write as _};
use vitrine_core::id::Digest;
use vitrine_core::limits::DELTA_SLOW_BYTES_MAX;
use zstd::stream::write::Encoder;
use zstd::zstd_safe::CParameter;

/// What each begins with (RFC 9842, 5): a frame that decoders skip, which holds the dictionary's digest.
const MAGIC: [u8; 8] = [0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0];
const SLOW: i32 = 19;
const FAST: i32 = 9;

/// Compresses a file against a dictionary with this digest.
pub(super) fn encode(plain: &[u8], dictionary: &[u8], digest: Digest) -> io::Result<Vec<u8>> {
    let both = (plain.len() + dictionary.len()) as u64;
    let level = if both <= DELTA_SLOW_BYTES_MAX { SLOW } else { FAST };
    let mut begun = Vec::with_capacity(plain.len() / 20);
    begun.extend(MAGIC);
    begun.extend(digest.0);
    let mut encoder = Encoder::with_ref_prefix(begun, level, dictionary)?;
    // Both have to lie in the window; decoders are told the file's length alone.
    let window = both.next_power_of_two().ilog2().clamp(10, 24);
    encoder.set_parameter(CParameter::WindowLog(window))?;
    encoder.set_parameter(CParameter::EnableLongDistanceMatching(true))?;
    encoder.set_pledged_src_size(Some(plain.len() as u64))?;
    encoder.include_contentsize(true)?;
    encoder.write_all(plain)?;
    encoder.finish()
}
