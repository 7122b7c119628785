//! Single values: from the text of a document to a type that holds no wrong one.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::civil::Date;
use sekisho_wire::nai::CanonicalRealm;

use crate::{access::Network, finding::Problem};

/// The longest name of a contract, server, domain or ingress.
const NAME_LEN: usize = 64;
/// So many letters wrong, and a name is still recognised.
const NEAR: usize = 2;
/// Longest interface name: `IFNAMSIZ` less the final zero.
const INTERFACE_LEN: usize = 15;

/// A span of time: a whole number with `ms`, `s`, `m` or `h`.
pub(crate) fn duration(text: &str, bounds: &RangeInclusive<Duration>) -> Result<Duration, Problem> {
    let (low, high) = (show_duration(*bounds.start()), show_duration(*bounds.end()));
    let remedy = format!("Give a time from {low} to {high}, such as \"250ms\", \"3s\" or \"1m\".");
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim_start() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(Problem::new(format!("{text:?} is not a time"), remedy)),
    };
    let millis = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match millis.map(Duration::from_millis) {
        Some(duration) if bounds.contains(&duration) => Ok(duration),
        _ if number.is_empty() => Err(Problem::new(format!("{text:?} is not a time"), remedy)),
        _ => Err(Problem::new(format!("{text:?} is out of bounds"), remedy)),
    }
}

/// A span of time as a document writes it.
pub(crate) fn show_duration(duration: Duration) -> String {
    match duration.as_millis() {
        ms if ms != 0 && ms % 3_600_000 == 0 => format!("{}h", ms / 3_600_000),
        ms if ms != 0 && ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

/// Why a text is not the address of one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressFault {
    /// It has a prefix length.
    Network,
    /// It has a port.
    Port,
    /// It is an IPv4 address in IPv6 form, and so a second way to write one address.
    Mapped,
    /// It is none, perhaps a host name.
    NotAnAddress,
    /// It is an address, but of no single host.
    Nobodys(&'static str),
}

impl AddressFault {
    pub(crate) fn problem(self, text: &str) -> Problem {
        let example = "Give one address, such as \"192.0.2.1\" or \"2001:db8::1\".";
        let (message, remedy) = match self {
            AddressFault::Network => ("is a network".into(), example),
            AddressFault::Port => ("has a port".into(), "Give the address alone; ports have keys of their own."),
            AddressFault::Mapped => {
                ("is an IPv4 address in IPv6 form".into(), "Write it as IPv4: the part after ::ffff:.")
            }
            AddressFault::NotAnAddress => ("is not an IP address".into(), example),
            AddressFault::Nobodys(kind) => {
                (format!("is {kind}, which is no host's own"), "Give the address of the one host.")
            }
        };
        Problem::new(format!("{text:?} {message}"), remedy)
    }
}

/// One IPv4 or IPv6 address.
pub(crate) fn address(text: &str) -> Result<IpAddr, AddressFault> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_some() => Err(AddressFault::Mapped),
        Ok(address) => Ok(address),
        Err(_) if text.split_once('/').is_some_and(|(host, _)| host.parse::<IpAddr>().is_ok()) => {
            Err(AddressFault::Network)
        }
        Err(_) if text.parse::<SocketAddr>().is_ok() => Err(AddressFault::Port),
        Err(_) => Err(AddressFault::NotAnAddress),
    }
}

/// An address that the packets of one single host can come from or go to.
pub(crate) fn unicast(text: &str) -> Result<IpAddr, AddressFault> {
    one_hosts(address(text)?)
}

/// The same address, if it is one.
pub(crate) fn one_hosts(address: IpAddr) -> Result<IpAddr, AddressFault> {
    match address {
        a if a.is_unspecified() => Err(AddressFault::Nobodys("the unspecified address")),
        a if a.is_multicast() => Err(AddressFault::Nobodys("a multicast address")),
        IpAddr::V4(v4) if v4.is_broadcast() => Err(AddressFault::Nobodys("the broadcast address")),
        _ => Ok(address),
    }
}

/// An address with a prefix length, or an address alone.
pub(crate) fn network(text: &str) -> Result<Network, Problem> {
    let wrong = || Problem::new(format!("{text:?} is no network"), "Write it as \"10.1.0.0/16\" or \"2001:db8::/32\".");
    let (host, length) = text.split_once('/').map_or((text, None), |(host, length)| (host, Some(length)));
    let mut network = Network::host(address(host).map_err(|_| wrong())?);
    if let Some(length) = length {
        network.length = length.parse::<u8>().ok().filter(|length| *length <= network.length).ok_or_else(wrong)?;
    }
    if !network.is_sound() {
        let message = format!("{text:?} has bits set behind its prefix");
        return Err(Problem::new(message, "Write the network's own address, with zeros behind the prefix."));
    }
    Ok(network)
}

/// A host name (RFC 1123 §2.1): labels of letters, digits and hyphens. With a letter, so that no mistyped address is one.
pub(crate) fn host_name(text: &str) -> Result<String, Problem> {
    let label = |label: &str| {
        let sound = label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        (1..=63).contains(&label.len()) && sound && !label.starts_with('-') && !label.ends_with('-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or_default();
    if name.len() > 253 || !name.split('.').all(label) || !last.contains(|c: char| c.is_ascii_alphabetic()) {
        let remedy = "Give one address, such as \"192.0.2.1\" or \"2001:db8::1\", or a host name.";
        return Err(Problem::new(format!("{text:?} is neither an IP address nor a host name"), remedy));
    }
    Ok(name.to_ascii_lowercase())
}

/// An address with a port.
pub(crate) fn socket_address(text: &str) -> Result<SocketAddr, Problem> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.port() != 0 => Ok(address),
        _ => {
            let remedy = "Give both, such as \"127.0.0.1:9812\" or \"[::1]:9812\".";
            Err(Problem::new(format!("{text:?} is not an IP address with a port"), remedy))
        }
    }
}

/// The name of a network interface.
pub(crate) fn interface(text: &str) -> Result<String, Problem> {
    let sound = |c: char| c.is_ascii_graphic() && c != '/' && c != ':';
    if text.is_empty() || text.len() > INTERFACE_LEN || text == "." || text == ".." || !text.chars().all(sound) {
        let remedy = format!("Give its name as `ip link` shows it, at most {INTERFACE_LEN} characters.");
        return Err(Problem::new(format!("{text:?} cannot be the name of an interface"), remedy));
    }
    Ok(text.to_owned())
}

/// The name of a node, domain, ingress, contract or server.
pub(crate) fn name(text: &str) -> Result<String, Problem> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() || text.len() > NAME_LEN || !text.chars().all(sound) {
        let remedy = format!("Use 1 to {NAME_LEN} letters, digits, hyphens, underscores or points (ASCII).");
        return Err(Problem::new(format!("{text:?} cannot be a name"), remedy));
    }
    Ok(text.to_owned())
}

/// The name of a customer, which is also a metric label and a file name.
pub(crate) fn customer_name(text: &str) -> Result<String, Problem> {
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > NAME_LEN || !text.chars().all(sound) {
        let remedy =
            format!("Use 1 to {NAME_LEN} of the characters a to z, 0 to 9 and hyphen; `title` takes free text.");
        return Err(Problem::new(format!("{text:?} cannot be a customer's name"), remedy));
    }
    Ok(text.to_owned())
}

/// A realm in its canonical form.
pub(crate) fn realm(text: &str) -> Result<CanonicalRealm, Problem> {
    let refused = |why: &str| {
        let remedy = "Give the realm alone, such as \"acme.example\".";
        Err(Problem::new(format!("{text:?} {why}"), remedy))
    };
    if text.contains(['@', '/', '\\']) {
        return refused("holds a delimiter that separates user and realm");
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return refused("holds a space or a control character");
    }
    if text.chars().any(|c| c.is_ascii_punctuation() && !matches!(c, '.' | '-' | '_')) {
        return refused("holds a character that no realm has; a regular expression stands under `pattern`");
    }
    match CanonicalRealm::new(text) {
        Ok(realm) => Ok(realm),
        Err(_) => refused("cannot be a realm: it is empty, too long or not a domain name (RFC 7542 §2.2)"),
    }
}

/// Text of an attribute: at least one octet and at most so many, no control characters.
pub(crate) fn attribute_text(text: &str, most: usize) -> Result<String, Problem> {
    if text.is_empty() || text.len() > most {
        return Err(Problem::new(format!("has {} octets", text.len()), format!("Give 1 to {most}.")));
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::new("holds a control character", "Take it out."));
    }
    Ok(text.to_owned())
}

/// A name or a sentence in whatever words: at least one octet and at most so many, no control characters, and no blanks
/// around it that nobody sees.
pub(crate) fn words(text: &str, most: usize) -> Result<String, Problem> {
    match text.trim() == text {
        true => attribute_text(text, most),
        false => Err(Problem::new(format!("{text:?} has blanks around it"), "Take them out.")),
    }
}

/// A path, relative to the directory `base` or absolute.
pub(crate) fn path(base: &Path, text: &str) -> Result<PathBuf, Problem> {
    match text {
        "" => Err(Problem::new("is empty", "Give a path, relative to this file or absolute.")),
        text => Ok(base.join(text)),
    }
}

/// A day, `2027-01-31`.
pub(crate) fn date(text: &str) -> Result<Date, Problem> {
    // The parser would take a time behind the day, too.
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    date.ok_or_else(|| Problem::new(format!("{text:?} is no day"), "Write it as 2027-01-31."))
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Problem> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(*value);
    }
    let words: Vec<String> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
    Err(Problem::new(format!("{text:?} is none of the words known here"), format!("Say {}.", words.join(" or "))))
}

/// The remedy for an unknown key.
pub(crate) fn suggestion(name: &str, keys: &[&str]) -> String {
    match nearest(name, keys.iter().copied()) {
        Some(key) => format!("Did you mean `{key}`?"),
        None => format!("Take it out, or use one of: {}.", keys.join(", ")),
    }
}

/// The one of some names that a name is most likely to mean; `None` where none is near.
pub(crate) fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Names much longer or shorter are far away without counting.
    let near = names.filter(|other| other.len().abs_diff(name.len()) <= NEAR);
    let near = near.map(|other| (distance(&name.to_ascii_lowercase(), &other.to_ascii_lowercase()), other)).min();
    near.filter(|(far, _)| *far <= NEAR).map(|(_, other)| other)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((y, pair), left) in b.iter().zip(row.windows(2)).zip(0..) {
            let before: usize = next.get(left).copied().unwrap_or(i);
            let (diagonal, above) = (pair.first().copied().unwrap_or(i), pair.last().copied().unwrap_or(i));
            next.push((before + 1).min(above + 1).min(diagonal + usize::from(x != *y)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
