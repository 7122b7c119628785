//! Tables of words and numbers.

use super::style::Style;

/// A table, as wide as its cells.
pub(super) struct Table<const N: usize> {
    head: [&'static str; N],
    /// So many columns are numbers, from the given one on: they stand to the right.
    numbers: std::ops::Range<usize>,
    rows: Vec<[String; N]>,
    /// The last column ends here.
    width: Option<usize>,
}

impl<const N: usize> Table<N> {
    /// Without rows; the columns of `numbers` stand to the right.
    pub(super) fn new(head: [&'static str; N], numbers: std::ops::Range<usize>) -> Table<N> {
        Table { head, numbers, rows: Vec::new(), width: None }
    }

    /// No wider than this many columns, as far as the last column can see to that.
    pub(super) fn within(self, width: usize) -> Table<N> {
        Table { width: Some(width), ..self }
    }

    /// One more row.
    pub(super) fn add(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    /// The head in bold, and the rows, a line each.
    pub(super) fn lines(&self, style: Style) -> (String, Vec<String>) {
        let head = self.head.map(str::to_owned);
        let mut widths = [0; N];
        for row in [&head].into_iter().chain(&self.rows) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: &[String; N]| self.line(cells, &widths);
        (style.bold(&line(&head)), self.rows.iter().map(line).collect())
    }

    fn line(&self, cells: &[String; N], widths: &[usize; N]) -> String {
        let mut text = String::new();
        for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
            text.push_str(&match self.numbers.contains(&index) {
                true => format!("{cell:>width$}  "),
                false => format!("{cell:<width$}  "),
            });
        }
        text.truncate(text.trim_end().len());
        match self.width {
            Some(width) if text.chars().count() > width => {
                text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
            }
            _ => text,
        }
    }
}

/// Words, a line each of at most `width` columns.
pub(super) fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_the_last_column_ends_in_time() {
        let mut table = Table::new(["NAME", "COUNT", "WORDS"], 1..2).within(24);
        table.add(["a".into(), "7".into(), "short".into()]);
        table.add(["longer".into(), "1,234".into(), "rather more than fits".into()]);
        let (head, lines) = table.lines(Style::Plain);
        assert_eq!(head, "NAME    COUNT  WORDS");
        assert_eq!(lines, ["a           7  short", "longer  1,234  rather m…"]);
    }

    #[test]
    fn words_are_wrapped_between_them() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
    }
}
