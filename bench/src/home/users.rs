//! Who may log in.

use std::collections::HashMap;
use std::str::FromStr;

/// Names and their passwords. The name `*` stands for everybody not named.
#[derive(Clone, Default)]
pub struct Users(HashMap<Vec<u8>, Vec<u8>>);

impl Users {
    /// Adds a user, or gives one a new password.
    pub fn add(&mut self, user: User) {
        self.0.insert(user.name.into_bytes(), user.password.into_bytes());
    }

    /// The password of `name`, exactly as the User-Name has it.
    pub fn password(&self, name: &[u8]) -> Option<&[u8]> {
        self.0.get(name).or_else(|| self.0.get(b"*".as_slice())).map(Vec::as_slice)
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.0.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        names.sort();
        names
    }
}

impl FromIterator<User> for Users {
    fn from_iter<I: IntoIterator<Item = User>>(users: I) -> Self {
        let mut all = Self::default();
        users.into_iter().for_each(|user| all.add(user));
        all
    }
}

impl std::fmt::Debug for Users {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Users({})", self.0.len())
    }
}

/// One user as options and files have it: `name:password`, where the name has no colon.
#[derive(Clone)]
pub struct User {
    name: String,
    password: String,
}

impl FromStr for User {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((name, password)) if !name.is_empty() => Ok(Self { name: name.into(), password: password.into() }),
            _ => Err("a user is given as name:password".into()),
        }
    }
}

/// Reads a file of users, one a line; blank lines and those that begin with `#` are skipped.
///
/// # Errors
/// The number of the first line that is no user.
pub fn parse(text: &str) -> Result<Vec<User>, String> {
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| line.parse().map_err(|error| format!("line {number}: {error}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_everybody_who_is_not_named() {
        let users: Users = parse("# comment\n\nalice@acme.example:wonder:land\n*:any\n").unwrap().into_iter().collect();
        assert_eq!(users.password(b"alice@acme.example"), Some(b"wonder:land".as_slice()));
        assert_eq!(users.password(b"bob"), Some(b"any".as_slice()));
        assert_eq!(Users::default().password(b"bob"), None);
    }

    #[test]
    fn a_line_without_a_password_is_named_by_its_number() {
        assert_eq!(parse("a:b\n:c\n").err().unwrap(), "line 2: a user is given as name:password");
    }

    #[test]
    fn passwords_are_not_shown() {
        let users: Users = parse("alice:wonderland").unwrap().into_iter().collect();
        assert!(!format!("{users:?}").contains("wonderland"));
    }
}
