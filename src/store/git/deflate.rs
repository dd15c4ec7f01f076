//! Compression as git wants it, one allocation for many objects.

use gix::zlib::stream::deflate::{Compress, FlushCompress};
use gix::zlib::{Compression, Status};

use crate::domain::fault::{Code, Fault, Result};

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
