//! Compression as git wants it, one allocation for many objects, or none at all.

use gix::zlib::stream::deflate::{Compress, FlushCompress};
use gix::zlib::{Compression, Decompress, FlushDecompress, Status};

use crate::domain::fault::{Code, Fault, Result};

/// What a zlib stream begins with.
const HEADER: [u8; 2] = [0x78, 0x01];

/// What the only block of a stream without compression begins with.
const LAST_STORED: u8 = 1;

/// Add a zlib stream without compression (RFC 1950, and 1951 part 3.2.4); `content` is less than 64 KiB.
pub(super) fn store(content: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(content.len()).expect("less than 64 KiB");
    out.extend_from_slice(&HEADER);
    out.push(LAST_STORED);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&(!length).to_le_bytes());
    out.extend_from_slice(content);
    out.extend_from_slice(&zlib_rs::adler32::adler32(1, content).to_be_bytes());
}

/// The content of a stream that [`store`] has made; `None` of any other.
pub(super) fn stored(stream: &[u8]) -> Option<&[u8]> {
    let block = stream.strip_prefix(&HEADER)?.strip_prefix(&[LAST_STORED])?;
    let (length, rest) = block.split_first_chunk::<2>()?;
    let content = rest.get(2..2 + usize::from(u16::from_le_bytes(*length)))?;
    (rest.len() == 2 + content.len() + 4).then_some(content)
}

/// How much of a stream is looked at in one go.
const SLICE: usize = 64 << 10;

/// Whether a zlib stream has its end, checksum and all, and nothing stands behind it.
pub(in crate::store::git) fn is_whole(stream: &[u8]) -> bool {
    let (mut state, mut room) = (Decompress::new(), vec![0; SLICE]);
    loop {
        let before = (state.total_in(), state.total_out());
        match state.decompress(&stream[before.0 as usize..], &mut room, FlushDecompress::None) {
            Ok(Status::StreamEnd) => return state.total_in() == stream.len() as u64,
            Ok(_) if (state.total_in(), state.total_out()) != before => {}
            _ => return false,
        }
    }
}

/// Compresses one buffer after the other, fast rather than tight: `git gc` compresses again when it repacks.
pub(super) struct Deflater {
    state: Compress,
    output: Vec<u8>,
}

impl Deflater {
    pub(super) fn new() -> Self {
        Deflater { state: Compress::new(Compression::BEST_SPEED), output: Vec::new() }
    }

    /// The zlib stream of `input`, until the next call.
    pub(super) fn run(&mut self, input: &[u8]) -> Result<&[u8]> {
        let failed = || Fault::new(Code::Internal, "an object cannot be compressed");
        self.state.reset();
        // What zlib needs at most for input that does not compress.
        self.output.resize(input.len() + input.len() / 1000 + 128, 0);
        loop {
            let consumed = self.state.total_in() as usize;
            let written = self.state.total_out() as usize;
            let room = &mut self.output[written..];
            match self.state.compress(&input[consumed..], room, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => return Ok(&self.output[..self.state.total_out() as usize]),
                Ok(_) => self.output.resize(self.output.len() * 2, 0),
                Err(_) => return Err(failed()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_a_zlib_stream_and_comes_back() {
        for content in [&b""[..], b"a", &[7; 70 << 8]] {
            let mut stream = Vec::new();
            store(content, &mut stream);
            assert_eq!(stored(&stream), Some(content));
            let mut plain = vec![0; content.len() + 1];
            let mut inflate = gix::zlib::Decompress::new();
            inflate.decompress(&stream, &mut plain, gix::zlib::FlushDecompress::Finish).unwrap();
            assert_eq!(&plain[..inflate.total_out() as usize], content);
            let mut deflater = Deflater::new();
            assert_eq!(stored(deflater.run(content).unwrap()), None);
            for whole in [&stream[..], deflater.run(content).unwrap()] {
                assert!(is_whole(whole) && !is_whole(&[whole, b"x"].concat()));
                assert!((0..whole.len()).rev().take(40).all(|length| !is_whole(&whole[..length])));
            }
        }
    }
}
