//! Captures stdout and stderr of worker processes: bounded lines, the last ones kept.

use std::collections::VecDeque;
use vitrine_core::limits::{OUTPUT_LINE_BYTES_MAX, OUTPUT_LINES_MAX, OUTPUT_REPLY_BYTES_MAX};

/// The last lines of a byte stream. What is longer than a line may be is dropped, and so are the oldest lines.
#[derive(Debug, Default)]
pub(crate) struct Output {
    lines: VecDeque<String>,
    partial: Vec<u8>,
}

impl Output {
    /// Takes bytes as they come, wherever they are cut.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            let room = OUTPUT_LINE_BYTES_MAX - self.partial.len();
            self.partial.extend_from_slice(&text[..text.len().min(room)]);
            if ended {
                let line = String::from_utf8_lossy(&self.partial).trim_end().to_string();
                self.partial.clear();
                self.keep(line);
            }
        }
    }

    fn keep(&mut self, line: String) {
        if self.lines.len() == OUTPUT_LINES_MAX {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The last `count` lines, an unfinished one among them, as far as they fit in one answer.
    #[must_use]
    pub(crate) fn last(&self, count: usize) -> Vec<String> {
        let unfinished = String::from_utf8_lossy(&self.partial);
        let all =
            self.lines.iter().map(String::as_str).chain((!unfinished.is_empty()).then_some(&*unfinished));
        let mut bytes = 0;
        let mut last: Vec<String> = all
            .rev()
            .take(count)
            .take_while(|line| {
                bytes += line.len();
                bytes <= OUTPUT_REPLY_BYTES_MAX
            })
            .map(String::from)
            .collect();
        last.reverse();
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_cut_and_counted() {
        let mut output = Output::default();
        output.push("x".repeat(OUTPUT_LINE_BYTES_MAX * 2).as_bytes());
        output.push(b"\nshort\nopen");
        let last = output.last(10);
        assert_eq!(last[0].len(), OUTPUT_LINE_BYTES_MAX);
        assert_eq!(last[1..], ["short", "open"]);
        assert_eq!(output.last(1), ["open"]);
        for number in 0..OUTPUT_LINES_MAX * 2 {
            output.push(format!("{number}\n").as_bytes());
        }
        let last = output.last(usize::MAX);
        assert_eq!(last.len(), OUTPUT_LINES_MAX);
        assert_eq!(last.last().unwrap(), &format!("{}", OUTPUT_LINES_MAX * 2 - 1));
    }

    proptest! {
        #[test]
        fn where_the_stream_is_cut_does_not_matter(text in "[a-z\n]{0,300}", cuts in prop::collection::vec(0usize..300, 0..10)) {
            let mut whole = Output::default();
            whole.push(text.as_bytes());
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let mut pieces = Output::default();
            for pair in cuts.windows(2) {
                pieces.push(&text.as_bytes()[pair[0]..pair[1]]);
            }
            prop_assert_eq!(whole.last(1000), pieces.last(1000));
        }
    }
}
