//! Colours: few, and only where the reader wants them.

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum When {
    /// On a terminal, unless NO_COLOR is set; with CLICOLOR_FORCE everywhere.
    #[default]
    Auto,
    /// Into pipes and files, too.
    Always,
    /// Nowhere.
    Never,
}

impl When {
    /// Makes it hold for all that is printed from now on.
    pub(super) fn apply(self) {
        let choice = match self {
            Self::Auto => ColorChoice::Auto,
            Self::Always => ColorChoice::Always,
            Self::Never => ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// The style of a word that says how something stands, by what the cell begins with and notes behind it.
pub(super) fn of_state(cell: &str) -> Style {
    let words = || cell.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let any = |known: &[&str]| words().any(|word| known.contains(&word));
    let color = if any(&["bad", "BAD", "failed", "FAILED", "unhealthy", "hangs", "refused"]) {
        AnsiColor::Red
    } else if any(&["warning", "booting", "warming", "draining", "unknown", "IN_PROGRESS"]) {
        AnsiColor::Yellow
    } else if any(&["live", "ok", "healthy", "SUCCESSFUL"]) {
        AnsiColor::Green
    } else {
        return Style::new();
    };
    color.on_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_word_of_a_cell_gives_its_colour() {
        for (cell, color) in [
            ("live", Some(AnsiColor::Green)),
            ("warm, bad", Some(AnsiColor::Red)),
            ("unhealthy, served all the same", Some(AnsiColor::Red)),
            ("booting", Some(AnsiColor::Yellow)),
            ("sleeping", None),
            ("-", None),
        ] {
            assert_eq!(of_state(cell), color.map_or(Style::new(), AnsiColor::on_default), "{cell}");
        }
    }
}
