//! Columns for people.

use crate::cli::Failure;
use crate::cli::{print, visible};

/// Prints rows below their headings, each column as wide as its widest cell.
pub fn print(headings: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
    // A cell has one line, whatever is in it.
    let shown: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| visible::line(cell).into_owned()).collect()).collect();
    layout(headings, &shown).iter().try_for_each(|line| print::data(line))
}

fn layout(headings: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([headings[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(line(headings.to_vec())).chain(body).collect()
}

/// A time in milliseconds since the Unix epoch as people write it, in UTC.
pub fn time(ms: u64) -> String {
    let known = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    known.map_or_else(|| ms.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["shop".into(), "v1".into()], vec!["a".into(), "a-long-version".into()]];
        assert_eq!(layout(&["APP", "LIVE"], &rows), ["APP   LIVE", "shop  v1", "a     a-long-version"]);
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(time(0), "1970-01-01 00:00:00Z");
        assert_eq!(time(u64::MAX), u64::MAX.to_string());
    }
}
