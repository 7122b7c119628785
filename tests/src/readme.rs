//! What README shows: commands, and the lines that come of them.

/// A command of the section, and the lines that README shows of its output.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    /// What is typed.
    pub command: String,
    /// What is shown of its output, a line each.
    pub output: Vec<String>,
}

/// The commands of the blocks that begin with `fence`.
///
/// # Panics
///
/// A block does not begin with a command.
pub fn shown(text: &str, fence: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    let mut inside = false;
    for line in text.replace("\\\n", " ").lines() {
        match (line.strip_prefix("$ "), all.last_mut()) {
            _ if line.starts_with("```") => inside = line == fence,
            _ if !inside => {}
            (Some(command), _) => all.push(Shown { command: command.to_owned(), output: Vec::new() }),
            (None, Some(last)) => last.output.push(line.to_owned()),
            (None, None) => panic!("a block begins with a command: {line}"),
        }
    }
    all
}

/// Whether a printed line is what README shows, word for word.
fn is(line: &str, shown: &str) -> bool {
    let [words, wanted] = [line, shown].map(|it| it.split_whitespace().collect::<Vec<_>>());
    words.len() == wanted.len() && words.iter().zip(&wanted).all(|(word, wanted)| fits(word, wanted))
}

/// Whether a word is what is shown, where `…` stands for any part of it.
fn fits(word: &str, shown: &str) -> bool {
    let mut pieces = shown.split('…');
    let Some(mut rest) = pieces.next().and_then(|first| word.strip_prefix(first)) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, between)) = pieces.split_last() else { return rest.is_empty() };
    for piece in between {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Holds that the shown lines are printed, in their order; there may be others between them.
///
/// # Panics
///
/// One of them is not.
#[track_caller]
pub fn prints(shown: &Shown, output: &str) {
    let mut lines = output.lines();
    for wanted in &shown.output {
        let found = wanted.trim() == "…" || lines.any(|line| is(line, wanted));
        assert!(found, "{}\nprints no line {wanted:?} after those before it:\n{output}", shown.command);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_is_shown_but_for_what_is_left_open() {
        for (line, shown) in [
            ("tokyo-1  up  12 s", "tokyo-1 up 12 s"),
            ("tokyo-1  up  12 s", "tokyo-1 up … s"),
            ("\tTunnel-Password:1 = \"secret\"", "Tunnel-Password:1 = \"…\""),
            ("2026-11-27T19:30:50Z,acme,127.0.0.1:40112,Start", "…Z,acme,127.0.0.1:…,Start"),
        ] {
            assert!(is(line, shown), "{line} {shown}");
        }
        for (line, shown) in
            [("one two", "one"), ("one", "one …"), ("one two", "one three"), ("ab", "ab…b"), ("a-c", "a…b…c")]
        {
            assert!(!is(line, shown), "{line} {shown}");
        }
    }

    #[test]
    fn commands_are_found_with_what_is_shown_of_their_output() {
        let text = "$ no\n```console\n$ no\n```\n```console vpdn\n$ one \\\n  more\nout\n$ two\n```\nafter\n";
        let expected = [("one    more", vec!["out".to_owned()]), ("two", vec![])];
        let found = shown(text, "```console vpdn").into_iter().map(|it| (it.command, it.output)).collect::<Vec<_>>();
        assert_eq!(found, expected.map(|(command, output)| (command.to_owned(), output)));
    }
}
