//! One entry of a `users` file: its name, its first line, and the lines below it.

use crate::formats::{
    Place,
    faults::Problem,
    importer::Importer,
    items,
    meaning::{Draft, Whose},
};

/// An entry that is being read.
pub(super) struct Entry {
    line: u64,
    name: String,
    draft: Draft,
    /// The last line of what is replied.
    last: Option<u64>,
    /// Whether that line ends with a comma.
    goes_on: bool,
    /// Whether something is the matter, so that it becomes no account.
    pub(super) faulty: bool,
}

impl Entry {
    /// Begins an entry with its name and the check items behind it.
    pub(super) fn begin(importer: &mut Importer<'_>, line: u64, name: String, checks: &str) -> Entry {
        let mut entry = Entry { line, name, draft: Draft::default(), last: None, goes_on: false, faulty: false };
        let place = Place::Line(line);
        let list = match items::list(checks) {
            Ok(list) => list,
            Err(problem) => {
                entry.fault(importer, line, None, problem);
                return entry;
            }
        };
        if list.comma {
            let remedy = "take it out: all check items stand on one line";
            entry.fault(importer, line, None, Problem::new("the first line of an entry ends with a comma", remedy));
        }
        let zone = importer.defaults.time_zone.clone();
        for item in &list.items {
            match entry.draft.check(item, Whose::Own, &zone) {
                Ok(Some(warning)) => importer.warn(place, warning),
                Ok(None) => {}
                Err(problem) => entry.fault(importer, line, Some(&item.attribute), problem),
            }
        }
        entry
    }

    /// Takes a line below the first.
    pub(super) fn replies(&mut self, importer: &mut Importer<'_>, line: u64, text: &str) {
        if let (Some(last), false) = (self.last, self.goes_on) {
            let message =
                format!("the line goes on with an entry that was at its end: line {last} ends without a comma");
            self.fault(importer, line, None, Problem::new(message, format!("put a comma at the end of line {last}")));
        }
        self.last = Some(line);
        let list = match items::list(text) {
            Ok(list) => list,
            Err(problem) => {
                self.fault(importer, line, None, problem);
                // What the line ends with is not known; one fault is enough.
                self.goes_on = true;
                return;
            }
        };
        self.goes_on = list.comma;
        for item in &list.items {
            if let Err(problem) = self.draft.reply(item, Whose::Own) {
                self.fault(importer, line, Some(&item.attribute), problem);
            }
        }
    }

    /// Makes an account of it.
    pub(super) fn finish(mut self, importer: &mut Importer<'_>) {
        if let (Some(last), true, false) = (self.last, self.goes_on, self.faulty) {
            let remedy = "take the comma out, or write what is to follow";
            self.fault(importer, last, None, Problem::new("the line ends with a comma and nothing follows", remedy));
        }
        let place = Place::Line(self.line);
        if self.draft.falls_through == Some(true) {
            importer
                .warn(place, "Fall-Through was left out: what DEFAULT entries give belongs in the contract's `reply`");
        }
        if self.faulty {
            return;
        }
        if self.draft.secret.is_none() && self.draft.rejected {
            importer.warn(
                place,
                "the entry has no password and is always rejected, and was left out: so is a user who is not known",
            );
            return;
        }
        let (user, realm) = match importer.split(&self.name) {
            Ok(found) => found,
            Err(problem) => return importer.fault(place, None, problem),
        };
        match self.draft.account(&importer.defaults.contract, realm, user) {
            Some(account) => importer.push(place, account),
            None => importer.fault(
                place,
                None,
                Problem::new("the entry has no password", "write Cleartext-Password := \"...\" behind the user's name"),
            ),
        }
    }

    fn fault(&mut self, importer: &mut Importer<'_>, line: u64, field: Option<&str>, problem: Problem) {
        self.faulty = true;
        importer.fault(Place::Line(line), field, problem);
    }
}

/// The name that an entry begins with, and what follows it. FreeRADIUS takes no escape out of a name but that of its quotation mark.
pub(super) fn name(line: &str) -> Result<(String, &str), Problem> {
    let Some(quote) = line.chars().next().filter(|it| matches!(it, '"' | '\'' | '`')) else {
        let end = line.find(|it: char| it == ',' || it.is_ascii_whitespace()).unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        if name.is_empty() || rest.starts_with(',') {
            let remedy = "put a name with a comma into double quotes, and a space behind it";
            return Err(Problem::new("a comma follows the user's name", remedy));
        }
        return Ok((name.to_owned(), rest));
    };
    let mut name = String::new();
    let mut rest = line.chars();
    rest.next();
    while let Some(it) = rest.next() {
        if it == quote {
            return Ok((name, rest.as_str()));
        }
        if it != '\\' {
            name.push(it);
            continue;
        }
        // The backslash before a quotation mark is taken out; any other stays, with what it stands before.
        match rest.next() {
            Some(after) if after == quote => name.push(quote),
            after => name.extend([Some('\\'), after].into_iter().flatten()),
        }
    }
    Err(Problem::new("the quotation mark before the user's name has no counterpart on its line", "close it"))
}

/// A name as [`name`] reads it; `None` where it cannot be said.
pub(super) fn written(text: &str) -> Option<String> {
    let whole = |written: &str| name(written).is_ok_and(|(name, rest)| name == text && rest.is_empty());
    let special = text == "DEFAULT" || text.starts_with('#') || text.starts_with("$INCLUDE");
    if !special && whole(text) {
        return Some(text.to_owned());
    }
    // A quotation mark does not keep FreeRADIUS from taking it for the entry of everybody.
    let quoted = ['"', '\''].map(|quote| format!("{quote}{}{quote}", text.replace(quote, &format!("\\{quote}"))));
    quoted.into_iter().find(|written| text != "DEFAULT" && whole(written))
}
