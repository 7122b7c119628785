//! Lines of a file, one at a time and each of bounded length.

use std::io::{self, BufRead, BufReader, Read};

use zeroize::Zeroizing;

use super::faults::Problem;

/// The most octets of a line, far more than any account takes.
const MAX_LINE: usize = 64 * 1024;

/// Reads lines, counted from 1. What was read is wiped in the end: it has passwords in it.
pub(super) struct Lines<R> {
    input: BufReader<R>,
    number: u64,
    buffer: Zeroizing<Vec<u8>>,
}

/// A line's number and its octets, or what is the matter with it.
pub(super) type Found<'a> = (u64, Result<&'a [u8], Problem>);

/// What a line begins with where the file is UTF-16, as spreadsheets call "Unicode text".
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
/// The mark that some programs put before UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

impl<R: Read> Lines<R> {
    pub(super) fn new(input: R) -> Lines<R> {
        Lines {
            input: BufReader::with_capacity(128 * 1024, input),
            number: 0,
            buffer: Zeroizing::new(Vec::with_capacity(MAX_LINE)),
        }
    }

    /// The next line with its number and with its end, LF or CRLF; `None` after the last.
    pub(super) fn read(&mut self) -> io::Result<Option<Found<'_>>> {
        self.buffer.clear();
        let mut limited = (&mut self.input).take(u64::try_from(MAX_LINE).unwrap_or(u64::MAX));
        if limited.read_until(b'\n', &mut self.buffer)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.buffer.len() == MAX_LINE && !self.buffer.ends_with(b"\n") {
            self.input.skip_until(b'\n')?;
            let message = format!("the line has more than {MAX_LINE} octets");
            return Ok(Some((
                self.number,
                Err(Problem::new(message, "see that it is a text file, with one account a line")),
            )));
        }
        let mut line = self.buffer.as_slice();
        if self.number == 1 {
            if UTF_16.iter().any(|mark| line.starts_with(mark)) {
                return Ok(Some((1, Err(Problem::new("the file is UTF-16", "save it as UTF-8")))));
            }
            line = line.strip_prefix(MARK).unwrap_or(line);
        }
        Ok(Some((self.number, Ok(line))))
    }
}

/// A line without its end.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Octets as text.
pub(super) fn text(octets: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(octets).map_err(|_| {
        Problem::new("it is not UTF-8", "save the file as UTF-8; spreadsheets may have saved it as Shift_JIS")
    })
}
