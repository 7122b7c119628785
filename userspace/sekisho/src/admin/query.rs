//! What stands behind the `?` of a request.

/// Names and values, in their order. What is no percent-encoding stands for itself; octets that are no UTF-8 are replaced.
pub fn pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
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
