//! Whatever stands in a document, loading it ends in an answer.

#![allow(clippy::unwrap_used)]

mod common;

use common::{ACME, NODE, documents};

#[test]
fn a_mangled_document_is_answered_with_faults_or_taken_and_never_with_a_panic() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |bound: usize| {
        // xorshift64: any sequence will do, and this one is the same in every run.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % bound as u64).unwrap()
    };
    let pieces =
        ["\"", "[", "]", "[[", "=", "\n", "{", "}", "'''", "\u{0}", "東", "-1", ".", "#", "\\", "1e9", "[[proxy]]\n"];
    let documents = documents(NODE, &[("acme", ACME)]);
    let mut taken = 0;
    for round in 0..1_000 {
        let (name, text) = if round % 2 == 0 { ("sekisho.toml", NODE) } else { ("customers/acme.toml", ACME) };
        let mut mangled = text.to_owned();
        for _ in 0..=below(3) {
            let mut at = below(mangled.len() + 1);
            while !mangled.is_char_boundary(at) {
                at -= 1;
            }
            match below(8) {
                0..4 => mangled.insert_str(at, pieces[below(pieces.len())]),
                4..7 if at < mangled.len() => drop(mangled.remove(at)),
                _ => mangled.truncate(at),
            }
        }
        documents.file(name, &mangled, 0o640);
        match documents.load() {
            Ok(_) => taken += 1,
            Err(faults) => assert!(!faults.faults.is_empty(), "{mangled}"),
        }
        documents.file(name, text, 0o640);
    }
    assert!((1..1_000).contains(&taken), "{taken} of 1000 were taken");
}
