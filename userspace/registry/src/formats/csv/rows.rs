//! Rows of a CSV file as RFC 4180 has them, with the line that each begins at.
//!
//! The `csv` crate writes our files and is what tests compare with, but it takes a quotation mark that is never closed for the file's last cell, and
//! an operator must be told the line where it was opened.

use std::io::{self, Read};

use zeroize::Zeroizing;

use crate::formats::{
    faults::Problem,
    lines::{Lines, text, without_end},
};

/// The most octets of a row over several lines.
const MAX_ROW: usize = 64 * 1024;
/// The most cells of a row.
const MAX_CELLS: usize = 256;

/// Reads rows.
pub(super) struct Rows<R> {
    lines: Lines<R>,
    /// The cells of the row, one after another.
    cells: Zeroizing<Vec<u8>>,
    /// Where in `cells` each of them ends.
    ends: Vec<usize>,
    /// Whether the rest cannot be told apart.
    lost: bool,
}

/// A row, or what is the matter with it, and the line that says so.
pub(super) type Found<'a> = (u64, Result<Row<'a>, Problem>);

/// The cells of a row.
pub(super) struct Row<'a> {
    cells: &'a str,
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn cell(&self, i: usize) -> &'a str {
        let start = i.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.ends.get(i).and_then(|&end| self.cells.get(start..end)).unwrap_or_default()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &'a str> + '_ {
        (0..self.len()).map(|i| self.cell(i))
    }
}

/// What is expected next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// A cell's first character.
    Start,
    /// More of a cell without quotes.
    Bare,
    /// More of a cell in quotes.
    Quoted,
    /// A comma or the row's end, or a second quotation mark.
    Closed,
}

impl<R: Read> Rows<R> {
    pub(super) fn new(input: R) -> Rows<R> {
        Rows {
            lines: Lines::new(input),
            cells: Zeroizing::new(Vec::with_capacity(MAX_ROW * 2)),
            ends: Vec::new(),
            lost: false,
        }
    }

    /// The next row that is not empty; `None` after the last.
    pub(super) fn read(&mut self) -> io::Result<Option<Found<'_>>> {
        self.cells.clear();
        self.ends.clear();
        if self.lost {
            return Ok(None);
        }
        let (mut first, mut at, mut opened) = (0, At::Start, 0);
        loop {
            let Some((number, line)) = self.lines.read()? else {
                if first == 0 {
                    return Ok(None);
                }
                return Ok(Some((opened, Err(unclosed()))));
            };
            let line = match line {
                Ok(line) => line,
                Err(problem) => {
                    // Where a row over several lines goes on after this one cannot be told; nor can anything be where the file is no text.
                    self.lost = first != 0 || number == 1;
                    return Ok(Some((number, Err(problem))));
                }
            };
            if first == 0 {
                if without_end(line).is_empty() {
                    continue;
                }
                first = number;
            }
            match scan(line, at, &mut self.cells, &mut self.ends) {
                Ok((At::Quoted, opens)) => {
                    opened = if opens || at != At::Quoted { number } else { opened };
                    at = At::Quoted;
                    if self.cells.len() > MAX_ROW {
                        self.lost = true;
                        return Ok(Some((opened, Err(unclosed()))));
                    }
                }
                Ok(_) => break,
                Err(problem) => return Ok(Some((number, Err(problem)))),
            }
        }
        match text(&self.cells) {
            Ok(cells) => Ok(Some((first, Ok(Row { cells, ends: &self.ends })))),
            Err(problem) => Ok(Some((first, Err(problem)))),
        }
    }
}

fn unclosed() -> Problem {
    Problem::new(
        "a quotation mark opens a cell here and none closes it",
        "close it, or write one that belongs to the cell twice; what follows could not be read",
    )
}

/// Reads one line into the cells: what is expected at its end, and whether a cell that is open there was opened by it.
fn scan(line: &[u8], mut at: At, cells: &mut Vec<u8>, ends: &mut Vec<usize>) -> Result<(At, bool), Problem> {
    let length = without_end(line).len();
    let mut opens = false;
    for (i, &octet) in line.iter().enumerate() {
        // The line's end belongs to a cell that is in quotes, and to nothing else.
        if i >= length && at != At::Quoted {
            break;
        }
        at = match (at, octet) {
            (At::Start, b'"') => {
                opens = true;
                At::Quoted
            }
            (At::Quoted, b'"') => At::Closed,
            (At::Closed, b'"') => {
                cells.push(b'"');
                At::Quoted
            }
            (At::Start | At::Bare | At::Closed, b',') => {
                if ends.len() == MAX_CELLS {
                    return Err(Problem::new(
                        format!("the row has more than {MAX_CELLS} cells"),
                        "see that it is a CSV file of accounts",
                    ));
                }
                ends.push(cells.len());
                At::Start
            }
            (At::Closed, _) => {
                let remedy = "put a comma there; a quotation mark that belongs to a cell is written twice";
                return Err(Problem::new("something follows a cell's closing quotation mark", remedy));
            }
            (At::Bare, b'"') => {
                let remedy = "put the whole cell into quotation marks, and write that one twice";
                return Err(Problem::new("a quotation mark is within a cell without any around it", remedy));
            }
            (At::Start | At::Bare, octet) => {
                cells.push(octet);
                At::Bare
            }
            (At::Quoted, octet) => {
                cells.push(octet);
                At::Quoted
            }
        };
    }
    if at != At::Quoted {
        ends.push(cells.len());
    }
    Ok((at, opens))
}
