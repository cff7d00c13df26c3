//! Server-sent events, as far as the admin side sends them.

/// One event.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name.
    pub name: String,
    /// Its data.
    pub data: String,
}

/// Puts lines together to events.
#[derive(Debug, Default)]
pub(super) struct Reader {
    event: Event,
}

impl Reader {
    /// Takes a line without its end; gives the event that it completes.
    pub(super) fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            return (!event.data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            // Comments keep the connection alive.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_end_at_an_empty_line_and_comments_are_no_events() {
        let mut reader = Reader::default();
        let lines = ["event: log", "data: {\"a\":1}", "", ":", "", "data:x", "data: y", ""];
        let events: Vec<Event> = lines.iter().filter_map(|line| reader.line(line)).collect();
        let event = |name: &str, data: &str| Event { name: name.into(), data: data.into() };
        assert_eq!(events, [event("log", "{\"a\":1}"), event("", "x\ny")]);
    }
}
