//! Texts of an app, cut to what a log takes.

use crate::limits::{LOG_BYTES_MAX, REQUEST_ID_BYTES_MAX};
use crate::{AppError, BootFailure, BootStage, FailedAnswer, LogLine};

/// Cuts `text` to at most `bytes_max` bytes at a character boundary, with a mark that says so.
pub fn cut(text: &mut String, bytes_max: usize) {
    const MARK: &str = "… (cut)";
    if text.len() > bytes_max {
        let end = text.floor_char_boundary(bytes_max.saturating_sub(MARK.len()));
        text.truncate(end);
        // What was longer may have kept its memory.
        text.shrink_to_fit();
        text.push_str(MARK);
    }
}

impl LogLine {
    /// Cuts its texts.
    pub fn cut(&mut self) {
        cut(&mut self.message, LOG_BYTES_MAX);
        if let Some(stack) = &mut self.stack {
            cut(stack, LOG_BYTES_MAX);
        }
        if let Some(id) = &mut self.request_id {
            cut(id, REQUEST_ID_BYTES_MAX);
        }
    }

    /// Bytes of its texts.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        let more = [&self.stack, &self.request_id].into_iter().flatten();
        self.message.len() + more.map(String::len).sum::<usize>()
    }
}

impl AppError {
    /// Cuts its texts.
    pub fn cut(&mut self) {
        cut(&mut self.message, LOG_BYTES_MAX);
        cut(&mut self.stack, LOG_BYTES_MAX);
    }
}

impl BootFailure {
    /// Cuts its texts.
    pub fn cut(&mut self) {
        cut(&mut self.message, LOG_BYTES_MAX);
        if let Some(error) = &mut self.error {
            error.cut();
        }
        if let BootStage::Answered(answer) = &mut self.stage {
            let FailedAnswer { path, body, .. } = &mut **answer;
            cut(path, LOG_BYTES_MAX);
            cut(body, LOG_BYTES_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LogLevel;

    #[test]
    fn a_text_is_cut_where_a_character_ends() {
        for (text, bytes_max) in [("ä".repeat(100), 21), ("x".repeat(100), 20), ("x".repeat(3), 2)] {
            let mut cut_text = text.clone();
            cut(&mut cut_text, bytes_max);
            assert!(cut_text.ends_with("… (cut)") && cut_text.len() <= bytes_max.max(9), "{cut_text}");
        }
        let mut short = "short".to_owned();
        cut(&mut short, 5);
        assert_eq!(short, "short");
    }

    #[test]
    fn every_text_is_bounded() {
        let long = "x".repeat(1 << 20);
        let error = AppError { message: long.clone(), stack: long.clone() };
        let answer = FailedAnswer { path: long.clone(), status: 500, body: long.clone() };
        let stage = BootStage::Answered(Box::new(answer));
        let mut failure = BootFailure { stage, message: long.clone(), error: Some(error.clone()) };
        failure.cut();
        let BootStage::Answered(answer) = &failure.stage else { panic!("an answer stays one") };
        assert!(answer.path.len() + answer.body.len() <= 2 * LOG_BYTES_MAX);
        let cut_error = failure.error.unwrap();
        assert!(failure.message.len() + cut_error.message.len() + cut_error.stack.len() <= 3 * LOG_BYTES_MAX);
        let mut line = LogLine {
            time_ms: 1,
            level: LogLevel::Info,
            request_id: Some(long.clone()),
            message: long.clone(),
            stack: Some(long),
        };
        line.cut();
        assert!(line.text_bytes() <= 2 * LOG_BYTES_MAX + REQUEST_ID_BYTES_MAX);
    }
}
