//! What stands behind the `?` of a request.

/// Names and values, in their order. What is no percent-encoding stands for itself; octets that are no UTF-8 are replaced.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pair = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode(name), decode(value))
    };
    parts.map(pair).collect()
}

fn decode(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let (octet, tail) = match (first, tail) {
            (b'+', _) => (b' ', tail),
            (b'%', [high, low, after @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', tail),
            },
            (octet, _) => (*octet, tail),
        };
        octets.push(octet);
        rest = tail;
    }
    String::from_utf8_lossy(&octets).into_owned()
}

fn digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_was_meant() {
        let found = pairs("user=alice%40acme.example&number=%2B81+90&limit=&flag&odd=%4&more=100%");
        let expected = [
            ("user", "alice@acme.example"),
            ("number", "+81 90"),
            ("limit", ""),
            ("flag", ""),
            ("odd", "%4"),
            ("more", "100%"),
        ];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(pairs(""), []);
        assert_eq!(pairs("%ff=%E6%9D%B1")[0], ("\u{fffd}".to_owned(), "東".to_owned()));
    }
}
