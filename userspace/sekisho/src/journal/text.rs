//! Text that others have written, so that it can be shown: names and attributes come from whoever sends accounting, and must
//! neither drive a terminal nor a spreadsheet.

use std::{borrow::Cow, fmt::Write as _};

/// Octets as text. What is no UTF-8 in them is written `\xNN`.
pub fn readable(octets: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(octets) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(octets.len() + 12);
    for chunk in octets.utf8_chunks() {
        text.push_str(chunk.valid());
        escape(&mut text, chunk.invalid());
    }
    Cow::Owned(text)
}

/// Whether a character does something instead of being seen: control characters, and those that turn or hide what stands
/// around them.
pub fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Text as a cell of a table: on one line, hostile characters written as their octets, `\xNN`; and where a spreadsheet would take
/// it for a formula, with a `'` before it.
pub fn cell(text: &str) -> Cow<'_, str> {
    let formula = text.starts_with(is_formula);
    if !formula && !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut cell = String::with_capacity(text.len() + 12);
    if formula {
        cell.push('\'');
    }
    for character in text.chars() {
        match is_hostile(character) {
            true => escape(&mut cell, character.encode_utf8(&mut [0; 4]).as_bytes()),
            false => cell.push(character),
        }
    }
    Cow::Owned(cell)
}

/// Octets in hexadecimal digits behind `0x`, as dictionaries' values are written.
pub fn hexadecimal(octets: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * octets.len());
    text.push_str("0x");
    for octet in octets {
        // Writing to a String does not fail.
        let _ = write!(text, "{octet:02x}");
    }
    text
}

fn escape(text: &mut String, octets: &[u8]) {
    for octet in octets {
        let _ = write!(text, "\\x{octet:02x}");
    }
}

/// Whether a cell that begins so is a formula to some spreadsheet; in full width, too, where one is set to Japanese.
fn is_formula(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf_8_is_written_as_its_octets() {
        assert_eq!(readable("太郎@acme.example".as_bytes()), "太郎@acme.example");
        assert_eq!(readable(b"caf\xe9 \xff\xfe!"), "caf\\xe9 \\xff\\xfe!");
        assert_eq!(readable(b"cut \xe5\xa4"), "cut \\xe5\\xa4");
    }

    #[test]
    fn a_cell_begins_no_formula() {
        for text in ["=1+1", "+81312345678", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠x"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("\t=1"), "'\\x09=1");
        assert_eq!(cell("\r=1"), "'\\x0d=1");
        for text in ["", "alice@acme.example", "81-3-1234", " =1", "'=1", "太郎"] {
            assert_eq!(cell(text), text);
        }
    }

    #[test]
    fn a_cell_is_one_line_that_drives_no_terminal() {
        assert_eq!(cell("a\r\nb"), "a\\x0d\\x0ab");
        assert_eq!(cell("\x1b[2J\x7f\0"), "\\x1b[2J\\x7f\\x00");
        assert_eq!(cell("\u{9b}31m"), "\\xc2\\x9b31m", "the CSI of one character");
        assert_eq!(cell("a\u{202e}b\u{2028}"), "a\\xe2\\x80\\xaeb\\xe2\\x80\\xa8");
    }
}
