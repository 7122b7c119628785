//! Names and words that others have chosen, so that they can be shown: they drive neither a terminal nor a spreadsheet.

use std::borrow::Cow;

/// Text on one line, in which every character is seen: others are written as `\u{..}`.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    match text.contains(is_unseen) {
        false => Cow::Borrowed(text),
        true => Cow::Owned(text.chars().fold(String::with_capacity(text.len() + 12), |mut shown, character| {
            match is_unseen(character) {
                true => shown.extend(character.escape_unicode()),
                false => shown.push(character),
            }
            shown
        })),
    }
}

/// The same as a cell of a table: with a `'` before it where a spreadsheet would take it for a formula, blanks before it or not.
pub(super) fn cell(text: &str) -> Cow<'_, str> {
    match text.trim_start().starts_with(is_formula) || text.starts_with(['\t', '\r', '\n']) {
        true => Cow::Owned(format!("'{}", shown(text))),
        false => shown(text),
    }
}

/// Whether a cell that begins so is a formula to some spreadsheet; in full width, too, where one is set to Japanese.
fn is_formula(first: char) -> bool {
    matches!(first, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠')
}

/// Control characters, and those that turn, join or hide what stands around them.
fn is_unseen(character: char) -> bool {
    let hides = ['\u{ad}', '\u{61c}', '\u{180e}', '\u{feff}'];
    let ranges = ['\u{200b}'..='\u{200f}', '\u{2028}'..='\u{202e}', '\u{2060}'..='\u{206f}', '\u{e0000}'..='\u{e007f}'];
    character.is_control() || hides.contains(&character) || ranges.iter().any(|range| range.contains(&character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_begins_no_formula() {
        for text in ["=1+1", "+81", "-1", "@SUM(A1)", "＝1", "＋1", "－1", "＠x", " =1", "\u{3000}=1"] {
            assert_eq!(cell(text), format!("'{text}"));
        }
        assert_eq!(cell("\t=1"), "'\\u{9}=1");
        assert_eq!(cell("\rx"), "'\\u{d}x");
        for text in ["", "acme-vpdn-1", "a=b", "'=1", "太郎 K.K."] {
            assert_eq!(cell(text), text);
        }
    }

    #[test]
    fn text_is_one_line_that_drives_no_terminal() {
        assert_eq!(shown("a\r\nb"), "a\\u{d}\\u{a}b");
        assert_eq!(shown("\u{1b}[2J\u{9b}"), "\\u{1b}[2J\\u{9b}");
        assert_eq!(shown("a\u{202e}b\u{2028}"), "a\\u{202e}b\\u{2028}");
        assert_eq!(shown("アクメ 株式会社"), "アクメ 株式会社");
    }
}
