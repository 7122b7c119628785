//! A statement for people to read.

use std::fmt;

use super::{
    cell::shown,
    choices::{Choice, NOTHING_OWED, TAX_ON_SUBTOTAL},
    line::{grouped, month_name, part_name},
    statement::Statement,
};

/// What stands between columns.
const GAP: &str = "  ";
/// The column that is aligned to the right.
const AMOUNT: usize = 4;

/// For people: a table of the lines with their articles, the sums, and the choices that acted on them. It promises nothing (Art. 13).
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.title {
            Some(title) => write!(f, "Statement for {} ({})", shown(title), shown(&self.customer))?,
            None => write!(f, "Statement for {}", shown(&self.customer))?,
        }
        writeln!(f, ", {}", month_name(self.month))?;
        writeln!(f, "Service regulation of {}. Amounts in yen.\n", shown(&self.regulation))?;
        let rows = self.rows();
        let widths = widths(&rows);
        for row in &rows {
            writeln!(f, "{}", aligned(row, widths))?;
        }
        writeln!(f, "\nWhere the regulation is silent [C]:")?;
        for choice in self.choices() {
            writeln!(f, "- {} ({}): {}", choice.name, choice.article, choice.what)?;
        }
        Ok(())
    }
}

type Row = [String; 6];

impl Statement {
    fn rows(&self) -> Vec<Row> {
        let header = ["contract", "part", "what", "article", "amount", "detail"].map(str::to_owned);
        let lines = self.lines.iter().map(|line| {
            [
                shown(&line.contract).into_owned(),
                part_name(line.part).to_owned(),
                line.what.name().to_owned(),
                shown(&line.article).into_owned(),
                grouped(line.amount.into()),
                shown(&line.note).into_owned(),
            ]
        });
        let tax = format!("tax {} %", self.tax.percent);
        let sums = [("subtotal", self.subtotal), (&tax, self.tax.amount), ("total", self.total)];
        let sums = sums.map(|(name, amount)| {
            let blank = String::new;
            [name.to_owned(), blank(), blank(), blank(), grouped(amount.into()), blank()]
        });
        std::iter::once(header).chain(lines).chain(sums).collect()
    }

    /// Those that acted on it: a month without lines has only been found empty.
    fn choices(&self) -> Vec<Choice> {
        let mut choices: Vec<Choice> = Vec::new();
        let of_lines =
            self.lines.iter().flat_map(|line| line.corrects.map_or(line.what, |corrects| corrects.what).choices());
        for choice in of_lines.chain(&[NOTHING_OWED, TAX_ON_SUBTOTAL]) {
            if !choices.contains(choice) {
                choices.push(*choice);
            }
        }
        choices
    }
}

fn widths(rows: &[Row]) -> [usize; 6] {
    let mut widths = [0; 6];
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    widths
}

fn aligned(row: &Row, widths: [usize; 6]) -> String {
    let mut line = String::new();
    for (at, (cell, widest)) in row.iter().zip(widths).enumerate() {
        let blanks = " ".repeat(widest.saturating_sub(width(cell)));
        let (left, right) = if at == AMOUNT { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
        line.extend([left, cell, right, GAP]);
    }
    line.truncate(line.trim_end().len());
    line
}

/// How many columns of a terminal a text takes: two for each character of the East Asian scripts and their full width forms (Unicode
/// UAX #11, the blocks that are wide as a whole).
fn width(text: &str) -> usize {
    let wide = |character: char| {
        let blocks = [
            '\u{1100}'..='\u{115f}',
            '\u{2e80}'..='\u{a4cf}',
            '\u{ac00}'..='\u{d7a3}',
            '\u{f900}'..='\u{faff}',
            '\u{fe30}'..='\u{fe6f}',
            '\u{ff00}'..='\u{ff60}',
            '\u{ffe0}'..='\u{ffe6}',
            '\u{20000}'..='\u{3fffd}',
        ];
        blocks.iter().any(|block| block.contains(&character))
    };
    text.chars().map(|character| 1 + usize::from(wide(character))).sum()
}
