//! A statement as CSV (RFC 4180): a row for each line, and one for the tax, so that the amounts add up to the total.

use csv::{Terminator, WriterBuilder};

use super::{
    cell::cell,
    error::MoneyError,
    line::{Line, month_name, part_name},
    statement::Statement,
};

/// The columns, in their order. Further ones go behind the last; none is moved or taken out.
const COLUMNS: [&str; 18] = [
    "customer",
    "month",
    "regulation",
    "contract",
    "kind",
    "part",
    "what",
    "article",
    "from",
    "to",
    "quantity",
    "of",
    "unit",
    "amount",
    "incident",
    "corrects_month",
    "corrects_what",
    "note",
];

impl Statement {
    /// As CSV with a header, rows ending in CRLF. Amounts are numbers, negative ones too; no other cell begins a formula.
    ///
    /// # Errors
    ///
    /// [`MoneyError::Table`], where there is no memory for it.
    pub fn to_csv(&self) -> Result<String, MoneyError> {
        let failed = |reason: String| MoneyError::Table { customer: self.customer.clone(), reason };
        let mut table = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
        let tax = self.tax_row();
        let rows = std::iter::once(COLUMNS.map(str::to_owned)).chain(self.lines.iter().map(|line| self.row(line)));
        for row in rows.chain(std::iter::once(tax)) {
            table.write_record(row).map_err(|error| failed(error.to_string()))?;
        }
        let octets = table.into_inner().map_err(|error| failed(error.to_string()))?;
        String::from_utf8(octets).map_err(|error| failed(error.to_string()))
    }

    fn row(&self, line: &Line) -> [String; COLUMNS.len()] {
        let text = |text: &str| cell(text).into_owned();
        let [customer, month, regulation] = self.heading();
        [
            customer,
            month,
            regulation,
            text(&line.contract),
            text(&line.kind),
            part_name(line.part).to_owned(),
            line.what.name().to_owned(),
            text(&line.article),
            line.days.map_or_else(String::new, |days| days.from.to_string()),
            line.days.map_or_else(String::new, |days| days.to.to_string()),
            line.quantity.to_string(),
            line.days.map_or_else(String::new, |days| days.of.to_string()),
            line.unit.to_string(),
            line.amount.to_string(),
            text(line.incident.as_deref().unwrap_or_default()),
            line.corrects.map_or_else(String::new, |it| month_name(it.month)),
            line.corrects.map_or_else(String::new, |it| it.what.name().to_owned()),
            text(&line.note),
        ]
    }

    fn tax_row(&self) -> [String; COLUMNS.len()] {
        let mut row = [const { String::new() }; COLUMNS.len()];
        let cells = [("what", "tax".to_owned()), ("amount", self.tax.amount.to_string())];
        let heading = ["customer", "month", "regulation"].into_iter().zip(self.heading());
        let note = ("note", format!("{} % of {}", self.tax.percent, self.subtotal));
        for (name, cell) in heading.chain(cells).chain([note]) {
            if let Some(at) = COLUMNS.iter().position(|column| *column == name) {
                row[at] = cell;
            }
        }
        row
    }

    fn heading(&self) -> [String; 3] {
        [cell(&self.customer).into_owned(), month_name(self.month), cell(&self.regulation).into_owned()]
    }
}
