//! A document with another value in it, and all else as its author wrote it.

use toml_edit::{ArrayOfTables, DocumentMut, Item, TableLike, Value, value};
use zeroize::Zeroizing;

/// The document with another number of accounts of a `group` contract.
///
/// # Errors
///
/// It is no document, or has no such contract; in words.
pub fn accounts(text: &str, contract: &str, accounts: u32) -> Result<Zeroizing<String>, String> {
    let mut document: DocumentMut = text.parse().map_err(|_| "the document in force cannot be read".to_owned())?;
    let groups = document.get_mut("group").and_then(Item::as_array_of_tables_mut);
    let is_it = |table: &toml_edit::Table| table.get("contract").and_then(Item::as_str) == Some(contract);
    let found = groups.and_then(|groups: &mut ArrayOfTables| groups.iter_mut().find(|table| is_it(table)));
    let Some(table) = found else {
        return Err(format!(
            "{contract} is no `group` contract, and only those have a number of accounts (Art. 7(1))."
        ));
    };
    let mut number = value(i64::from(accounts));
    // The remark behind it stays.
    if let (Some(before), Some(after)) = (table.get("accounts").and_then(Item::as_value), number.as_value_mut()) {
        *after.decor_mut() = before.decor().clone();
    }
    table.insert("accounts", number);
    Ok(Zeroizing::new(document.to_string()))
}

/// Keys whose value is a secret.
const SECRETS: [&str; 4] = ["secret", "previous_secret", "tunnel_password", "password"];

/// The document without its secrets: where one stood, `secret_hidden = true` stands, which no document may have, so that it cannot be
/// applied by mistake.
///
/// # Errors
///
/// It is no document; in words.
pub fn without_secrets(text: &str) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|_| "the document in force cannot be read".to_owned())?;
    hide(document.as_table_mut());
    Ok(document.to_string())
}

fn hide(table: &mut dyn TableLike) {
    for key in SECRETS {
        if table.remove(key).is_some() {
            table.insert(&format!("{key}_hidden"), value(true));
        }
    }
    for (_, item) in table.iter_mut() {
        match item {
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(|table| hide(table)),
            Item::Value(Value::Array(array)) => {
                array.iter_mut().filter_map(Value::as_inline_table_mut).for_each(|table| hide(table));
            }
            item => {
                if let Some(table) = item.as_table_like_mut() {
                    hide(table);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_another_and_nothing_else() {
        let text = "[customer]\nname = \"a\"  # a remark\n\n[[group]]\ncontract = \"g\"\naccounts = 5 # so many\n";
        let after = accounts(text, "g", 7).unwrap();
        assert_eq!(*after, text.replace("= 5", "= 7"));
        assert!(accounts(text, "h", 7).unwrap_err().contains("no `group` contract"));
    }

    #[test]
    fn no_secret_is_left_and_what_is_left_cannot_be_applied() {
        let text = "[customer]\nname = \"a\"\n[[client]]\nsecret = \"s1\"\nprevious_secret = \"s2\"\n\
                    [[proxy]]\nserver = [{ name = \"x\", secret = \"s3\" }]\n[[proxy.copy]]\nsecret = \"s4\"\n\
                    [[lns]]\ntunnel_password = \"s5\"\n";
        let shown = without_secrets(text).unwrap();
        for secret in ["s1", "s2", "s3", "s4", "s5"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert_eq!(shown.matches("_hidden = true").count(), 5, "{shown}");
    }
}
