//! Colours and width of the place where the text is shown.

use owo_colors::OwoColorize;

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether colours may be used.
    pub color: bool,
    /// Columns to wrap at.
    pub width: usize,
    /// Whether to tell also what was ruled out.
    pub verbose: bool,
}

impl Style {
    /// The name of the program, where it speaks.
    #[must_use]
    pub fn speaker(self, text: &str) -> String {
        if self.color { text.bold().red().to_string() } else { text.to_owned() }
    }

    /// The answer.
    #[must_use]
    pub fn answer(self, text: &str) -> String {
        if self.color { text.bold().to_string() } else { text.to_owned() }
    }

    /// What stands beside the answer.
    #[must_use]
    pub fn aside(self, text: &str) -> String {
        if self.color { text.dimmed().to_string() } else { text.to_owned() }
    }

    /// Something to type.
    #[must_use]
    pub fn command(self, text: &str) -> String {
        if self.color { text.green().to_string() } else { text.to_owned() }
    }
}
