//! Attributes in FreeRADIUS's text form: `Framed-IP-Address = 192.0.2.1, Reply-Message := "welcome"`.
//!
//! FreeRADIUS 3.2 takes the same escapes out of all values, quoted or not, in files and in its database: `\n`, `\r`, `\t`, `\\`, `\"`, three octal
//! digits, and the quote that a value stands in. Any other backslash is one. In double quotes `%{` begins what is expanded when a packet comes.

use zeroize::Zeroizing;

use super::faults::Problem;

/// One attribute with its operator and its value.
pub(super) struct Item {
    pub(super) attribute: String,
    pub(super) op: Op,
    pub(super) value: Value,
}

/// Operators, those among them that mean something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// `:=`
    Set,
    /// `==`
    Equal,
    /// `=`
    Assign,
    /// `+=`
    Add,
    /// `=~`
    Matches,
    /// Any other, as it is written.
    Other(&'static str),
}

/// In the order in which they are looked for: the longer before what they begin with.
const OPERATORS: [(&str, Op); 14] = [
    (":=", Op::Set),
    ("==", Op::Equal),
    ("+=", Op::Add),
    ("=~", Op::Matches),
    ("!~", Op::Other("!~")),
    ("-=", Op::Other("-=")),
    ("=*", Op::Other("=*")),
    ("!*", Op::Other("!*")),
    ("!=", Op::Other("!=")),
    (">=", Op::Other(">=")),
    ("<=", Op::Other("<=")),
    ("=", Op::Assign),
    (">", Op::Other(">")),
    ("<", Op::Other("<")),
];

impl Op {
    /// An operator that stands alone, as in a database's column.
    pub(super) fn new(text: &str) -> Option<Op> {
        OPERATORS.into_iter().find(|(written, _)| *written == text.trim()).map(|(_, op)| op)
    }

    /// As it is written.
    pub(super) fn written(self) -> &'static str {
        OPERATORS.into_iter().find(|(_, op)| *op == self).map_or("=", |(written, _)| written)
    }
}

/// A value without its quotes and escapes.
pub(super) struct Value {
    octets: Zeroizing<Vec<u8>>,
    /// Whether FreeRADIUS would put something else in its place when a packet comes.
    expanded: bool,
}

impl Value {
    /// A value that stands alone, as in a database's column: quotes count where they stand around the whole of it, and nothing is expanded but
    /// in back quotes.
    pub(super) fn alone(text: &str) -> Value {
        let quoted = ['"', '\'', '`'].into_iter().find_map(|quote| {
            let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
            Some((quote, inner))
        });
        match quoted {
            Some(('`', inner)) => Value { octets: unescaped(inner, Some('`')), expanded: true },
            Some((quote, inner)) => Value { octets: unescaped(inner, Some(quote)), expanded: false },
            None => Value { octets: unescaped(text, None), expanded: false },
        }
    }

    /// The octets, unless they are only a template of them.
    pub(super) fn octets(&self) -> Result<&Zeroizing<Vec<u8>>, Problem> {
        if self.expanded {
            return Err(Problem::new(
                "is expanded by FreeRADIUS for each packet (%{...} in double quotes, or back quotes)",
                "give the value itself; one that begins so stands in single quotes",
            ));
        }
        Ok(&self.octets)
    }

    /// The same as text.
    pub(super) fn text(&self) -> Result<&str, Problem> {
        std::str::from_utf8(self.octets()?)
            .map_err(|_| Problem::new("is not UTF-8", "write it in UTF-8, without escapes beyond ASCII"))
    }
}

/// Items that were read, and whether a comma at the end says that the next line goes on with them.
pub(super) struct List {
    pub(super) items: Vec<Item>,
    pub(super) comma: bool,
}

/// Reads items between commas, up to the end or to a comment.
pub(super) fn list(text: &str) -> Result<List, Problem> {
    let mut rest = text.trim_ascii();
    let mut list = List { items: Vec::new(), comma: false };
    while !rest.is_empty() && !rest.starts_with('#') {
        let (item, after) = item(rest, list.items.is_empty())?;
        list.items.push(item);
        rest = after.trim_ascii_start();
        list.comma = false;
        if let Some(after) = rest.strip_prefix(',') {
            list.comma = true;
            rest = after.trim_ascii_start();
        } else if !rest.is_empty() && !rest.starts_with('#') {
            return Err(Problem::new(
                "something follows a value and is neither a comma nor a comment",
                "put a comma between attributes, and a value with spaces into double quotes",
            ));
        }
    }
    Ok(list)
}

fn item(text: &str, is_first: bool) -> Result<(Item, &str), Problem> {
    let known = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_' | '.' | '/' | ':');
    // A colon may belong to a tag, `Tunnel-Type:1`, or begin the operator.
    let end = text.find(|it| !known(it)).unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    let name = if text.get(end..).is_some_and(|rest| rest.starts_with('=')) {
        name.strip_suffix(':').unwrap_or(name)
    } else {
        name
    };
    if name.is_empty() {
        return Err(Problem::new(
            "there is no attribute's name where one is expected",
            "write NAME OPERATOR VALUE, with a comma between them",
        ));
    }
    // Behind a comma may be the rest of a password without quotes: it is not repeated.
    let shown = if is_first { name } else { "an attribute (a value with a comma needs quotes)" };
    let rest = text.get(name.len()..).unwrap_or_default().trim_ascii_start();
    let found = OPERATORS.into_iter().find_map(|(written, op)| Some((op, rest.strip_prefix(written)?)));
    let Some((op, rest)) = found else {
        let message = format!("no operator follows {shown}");
        return Err(Problem::new(message, "write NAME OPERATOR VALUE, such as Cleartext-Password := \"secret\""));
    };
    let (value, rest) = value(shown, rest.trim_ascii_start())?;
    Ok((Item { attribute: name.to_owned(), op, value }, rest))
}

fn value<'a>(name: &str, text: &'a str) -> Result<(Value, &'a str), Problem> {
    let quote = text.chars().next().filter(|it| matches!(it, '"' | '\'' | '`'));
    let Some(quote) = quote else {
        let end = text.find(|it: char| it == ',' || it.is_ascii_whitespace()).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        if word.is_empty() {
            return Err(Problem::new(format!("{name} has no value"), "write NAME OPERATOR VALUE"));
        }
        if word.contains(['#', ';', '(', ')', '{', '}', '"', '\'', '`', '=', '<', '>', '!']) {
            let message = format!("the value of {name} has characters that mean something else without quotes");
            return Err(Problem::new(message, "put it into double quotes"));
        }
        return Ok((Value { octets: unescaped(word, None), expanded: false }, rest));
    };
    let inner = text.get(1..).unwrap_or_default();
    let mut escaped = false;
    let end = inner.find(|it| {
        let ends = it == quote && !escaped;
        escaped = it == '\\' && !escaped;
        ends
    });
    let Some((inner, rest)) = end.map(|end| inner.split_at(end)) else {
        let message = format!("the quotation mark before the value of {name} has no counterpart on its line");
        return Err(Problem::new(message, "close it; a quotation mark within is written with a backslash before it"));
    };
    let expanded = quote == '`' || (quote == '"' && inner.contains("%{"));
    Ok((Value { octets: unescaped(inner, Some(quote)), expanded }, rest.get(1..).unwrap_or_default()))
}

/// Takes the escapes out.
fn unescaped(text: &str, quote: Option<char>) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (after, octet) = match (*first, after) {
            (b'\\', [b'n', after @ ..]) => (after, b'\n'),
            (b'\\', [b'r', after @ ..]) => (after, b'\r'),
            (b'\\', [b't', after @ ..]) => (after, b'\t'),
            (b'\\', [it @ (b'\\' | b'"'), after @ ..]) => (after, *it),
            (b'\\', [it, after @ ..]) if quote.is_some_and(|quote| char::from(*it) == quote) => (after, *it),
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                (after, (a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'))
            }
            (octet, after) => (after, octet),
        };
        out.push(octet);
        rest = after;
    }
    out
}

/// Puts quotes around a value and escapes into it: it is read back the same, by FreeRADIUS too.
pub(super) fn quoted(octets: &[u8]) -> Zeroizing<Vec<u8>> {
    // In single quotes nothing is expanded.
    let quote = if octets.windows(2).any(|pair| pair == b"%{") { b'\'' } else { b'"' };
    let mut out = Zeroizing::new(Vec::with_capacity(2 * octets.len() + 2));
    out.push(quote);
    escape(octets, quote, &mut out);
    out.push(quote);
    out
}

/// The same for a value that stands alone, as in a database's column: without quotes, unless it begins with one that would be taken for such.
pub(super) fn alone(text: &str) -> Zeroizing<String> {
    let escaped = Zeroizing::new(text.replace('\\', "\\\\"));
    if !text.starts_with(['"', '\'', '`']) {
        return escaped;
    }
    let mut out = Zeroizing::new(String::with_capacity(2 * text.len() + 2));
    out.push('"');
    out.push_str(&Zeroizing::new(escaped.replace('"', "\\\"")));
    out.push('"');
    out
}

fn escape(octets: &[u8], quote: u8, out: &mut Vec<u8>) {
    let text = std::str::from_utf8(octets).is_ok();
    for &octet in octets {
        match octet {
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            b'\\' => out.extend(b"\\\\"),
            _ if octet == quote => out.extend([b'\\', quote]),
            0..0x20 | 0x7f => octal(octet, out),
            0x80.. if !text => octal(octet, out),
            _ => out.push(octet),
        }
    }
}

fn octal(octet: u8, out: &mut Vec<u8>) {
    out.extend([b'\\', b'0' + (octet >> 6), b'0' + (octet >> 3 & 7), b'0' + (octet & 7)]);
}
