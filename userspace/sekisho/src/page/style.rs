//! Colours, where there is a terminal to show them.

/// Whether the page is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// For a terminal.
    Colours,
    /// For a file, a pipe or a test.
    Plain,
}

impl Style {
    pub(super) fn paint(self, colour: &str, text: &str) -> String {
        match self {
            Style::Colours => format!("\x1b[{colour}m{text}\x1b[0m"),
            Style::Plain => text.to_owned(),
        }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(super) fn doubtful(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }
}
