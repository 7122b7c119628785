//! Reads one table of a document: each value typed, each fault reported at its place.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use jiff::civil::Date;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{
    document::{Document, Site},
    finding::{Problem, Report},
    schema::Keys,
    value,
};

/// One table, with the keys that it may have.
pub(crate) struct Section<'a> {
    pub(crate) site: Site,
    pub(crate) report: &'a Report,
    table: &'a DeTable<'a>,
    keys: Keys,
}

/// What was found under a key. A fault has been reported already when a field is `Faulty`.
#[derive(Debug)]
pub(crate) enum Field<T> {
    Absent,
    Faulty,
    Given(T),
}

impl<T> Field<T> {
    /// The value, or `default` where the key is absent; `None` where it is faulty.
    pub(crate) fn or(self, default: T) -> Option<T> {
        self.optional().map(|given| given.unwrap_or(default))
    }

    /// The value if the key is there; the outer `None` where it is faulty.
    pub(crate) fn optional(self) -> Option<Option<T>> {
        match self {
            Field::Absent => Some(None),
            Field::Faulty => None,
            Field::Given(value) => Some(Some(value)),
        }
    }

    /// The value; an absent key is reported, with `remedy`.
    pub(crate) fn required(self, section: &Section<'_>, key: &str, remedy: &str) -> Option<T> {
        if matches!(self, Field::Absent) {
            section.fault(key, Problem::new("is missing", remedy));
        }
        self.optional().flatten()
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }

    fn map<U>(self, f: impl FnOnce(T) -> Option<U>) -> Field<U> {
        match self {
            Field::Absent => Field::Absent,
            Field::Faulty => Field::Faulty,
            Field::Given(value) => f(value).map_or(Field::Faulty, Field::Given),
        }
    }
}

impl<'a> Section<'a> {
    /// The top of a document.
    pub(crate) fn document(
        document: &Arc<Document>,
        table: &'a DeTable<'a>,
        keys: Keys,
        report: &'a Report,
    ) -> Section<'a> {
        Section::new(document, String::new(), 0, table, keys, report)
    }

    fn new(
        document: &Arc<Document>,
        path: String,
        start: usize,
        table: &'a DeTable<'a>,
        keys: Keys,
        report: &'a Report,
    ) -> Section<'a> {
        let mut values = Vec::new();
        for (key, value) in table {
            values.push((key.get_ref().to_string(), value.span().start));
            for (i, element) in value.get_ref().as_array().into_iter().flatten().enumerate() {
                values.push((format!("{}[{i}]", key.get_ref()), element.span().start));
            }
            for (name, value) in value.get_ref().as_table().into_iter().flatten() {
                values.push((format!("{}.{}", key.get_ref(), name.get_ref()), value.span().start));
            }
        }
        let site = Site { document: document.clone(), path, start, values };
        for (key, _) in table {
            let name: &str = key.get_ref();
            if !keys.contains(&name) {
                let problem = Problem::new("there is no such key here", value::suggestion(name, keys));
                report.fault(document.finding(key.span().start, &site.key(name), problem));
            }
        }
        Section { site, report, table, keys }
    }

    pub(crate) fn fault(&self, key: &str, problem: Problem) {
        self.report.fault(self.site.finding(key, problem));
    }

    pub(crate) fn warn(&self, key: &str, problem: Problem) {
        self.report.warn(self.site.finding(key, problem));
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A string, as it stands.
    pub(crate) fn text(&self, key: &str) -> Field<&'a str> {
        self.typed(key, "a string", "Write it in double quotes.", DeValue::as_str)
    }

    /// A string that `parse` accepts.
    pub(crate) fn parsed<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, Problem>) -> Field<T> {
        self.text(key).map(|text| self.accept(key, parse(text)))
    }

    /// A string that is one of a few words.
    pub(crate) fn choice<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Field<T> {
        self.parsed(key, |text| value::choice(text, words))
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self, key: &str) -> Field<bool> {
        self.typed(key, "true or false", "Write true or false, without quotes.", DeValue::as_bool)
    }

    /// A whole number within bounds.
    pub(crate) fn integer<T>(&self, key: &str, bounds: RangeInclusive<T>) -> Field<T>
    where
        T: Copy + TryFrom<i64> + PartialOrd + std::fmt::Display,
    {
        let text = self.typed(key, "a whole number", "Write it in digits, without quotes.", |value| {
            value.as_integer().map(|integer| (integer.as_str(), integer.radix()))
        });
        text.map(|(digits, radix)| {
            let number = i64::from_str_radix(digits, radix).ok().and_then(|number| T::try_from(number).ok());
            let number = number.filter(|number| bounds.contains(number));
            if number.is_none() {
                let remedy = format!("Give a number from {} to {}.", bounds.start(), bounds.end());
                self.fault(key, Problem::new(format!("{digits} is out of bounds"), remedy));
            }
            number
        })
    }

    /// A UDP port.
    pub(crate) fn port(&self, key: &str) -> Field<u16> {
        self.integer(key, 1..=u16::MAX)
    }

    /// A span of time within bounds: `"250ms"`, `"3s"`, `"1m"`.
    pub(crate) fn duration(&self, key: &str, bounds: RangeInclusive<Duration>) -> Field<Duration> {
        self.parsed(key, |text| value::duration(text, &bounds))
    }

    /// A day: `2027-01-31`, with quotes or without.
    pub(crate) fn date(&self, key: &str) -> Field<Date> {
        let remedy = "Write it as 2027-01-31.";
        let text = self.typed(key, "a day", remedy, |value| match value {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Datetime(time) => Some(time.to_string()),
            _ => None,
        });
        text.map(|text| self.accept(key, value::date(&text)))
    }

    /// A list of strings, each accepted by `parse`; `None` for one faulty element.
    pub(crate) fn list<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, Problem>) -> Field<Vec<T>> {
        let remedy = "Write strings in square brackets: [\"a\", \"b\"].";
        let array = self.typed(key, "a list of strings", remedy, DeValue::as_array);
        array.map(|array| {
            let mut good = Vec::new();
            for (i, element) in array.iter().enumerate() {
                let at = format!("{key}[{i}]");
                match element.get_ref().as_str() {
                    Some(text) => good.extend(self.accept(&at, parse(text))),
                    None => self.fault(&at, mismatch("a string", element.get_ref(), "Write it in double quotes.")),
                }
            }
            (good.len() == array.len()).then_some(good)
        })
    }

    /// A table within this one: `[node]`.
    pub(crate) fn table(&self, key: &str, keys: Keys) -> Option<Section<'a>> {
        let remedy = format!("Begin it with [{}].", self.written(key));
        let table = self.typed(key, "a table", &remedy, |value| value.as_table().map(|_| ()));
        table.optional().flatten()?;
        let value = self.get(key)?;
        self.below(self.site.key(key), value, keys)
    }

    /// The tables of a list of tables: `[[client]]`. None where the key is absent.
    pub(crate) fn tables(&self, key: &str, keys: Keys) -> Vec<Section<'a>> {
        let remedy = format!("Begin each one with [[{}]].", self.written(key));
        let array = self.typed(key, "a list of tables", &remedy, DeValue::as_array);
        let Some(Some(array)) = array.optional() else { return Vec::new() };
        let mut sections = Vec::new();
        for (i, element) in array.iter().enumerate() {
            match self.below(self.site.key(&format!("{key}[{i}]")), element, keys) {
                Some(section) => sections.push(section),
                None => self.fault(&format!("{key}[{i}]"), mismatch("a table", element.get_ref(), &remedy)),
            }
        }
        sections
    }

    /// The entries of a table whose keys are names of the operator's choice; a finding about one is at `key.name`. None where
    /// the key is absent.
    pub(crate) fn pairs(&self, key: &str) -> Vec<(&'a str, &'a DeValue<'a>)> {
        let remedy = format!("Begin it with [{}].", self.written(key));
        let table = self.typed(key, "a table", &remedy, DeValue::as_table).optional().flatten();
        table.into_iter().flatten().map(|(name, value)| (name.get_ref().as_ref(), value.get_ref())).collect()
    }

    /// A key's way from the top as a heading writes it: without the numbers of `client[0]`.
    fn written(&self, key: &str) -> String {
        let whole = self.site.key(key);
        whole.split('[').map(|part| part.split_once(']').map_or(part, |(_, behind)| behind)).collect()
    }

    fn below(&self, path: String, value: &'a Spanned<DeValue<'a>>, keys: Keys) -> Option<Section<'a>> {
        let table = value.get_ref().as_table()?;
        Some(Section::new(&self.site.document, path, value.span().start, table, keys, self.report))
    }

    fn typed<T>(
        &self,
        key: &str,
        expected: &str,
        remedy: &str,
        take: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Field<T> {
        let Some(value) = self.get(key) else { return Field::Absent };
        match take(value.get_ref()) {
            Some(taken) => Field::Given(taken),
            None => {
                self.fault(key, mismatch(expected, value.get_ref(), remedy));
                Field::Faulty
            }
        }
    }

    fn accept<T>(&self, key: &str, outcome: Result<T, Problem>) -> Option<T> {
        outcome.map_err(|problem| self.fault(key, problem)).ok()
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        debug_assert!(self.keys.contains(&key), "{key} is not in the schema");
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }
}

/// A value of the wrong type. Its text is not shown: it may be a secret.
fn mismatch(expected: &str, found: &DeValue<'_>, remedy: &str) -> Problem {
    let found = match found {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    Problem::new(format!("should be {expected}, but is {found}"), remedy)
}
