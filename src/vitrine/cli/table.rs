//! Columns for people, no wider than their terminal.

use crate::cli::form::{self, Width};
use crate::cli::{Failure, colour, print, visible};
use std::borrow::Cow;
use textwrap::core::display_width;

/// Between two columns.
const GAP: usize = 2;

/// A column: what it is called, and what becomes of it where there is no room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    heading: &'static str,
    /// 0 stays; of the others the highest goes first.
    rank: u8,
    /// Least width that its cells are cut to, or wrapped at.
    least: Option<usize>,
    wraps: bool,
    is_state: bool,
}

impl Column {
    /// One that stays as wide as it is.
    pub(super) const fn new(heading: &'static str) -> Self {
        Self { heading, rank: 0, least: None, wraps: false, is_state: false }
    }

    /// Left out where there is no room, those of the highest rank first.
    pub(super) const fn rank(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }

    /// Cells are cut where there is no room, down to this width.
    pub(super) const fn cut(mut self, least: usize) -> Self {
        self.least = Some(least);
        self
    }

    /// Cells go on below where there is no room, down to this width.
    pub(super) const fn wrap(mut self, least: usize) -> Self {
        self.wraps = true;
        self.cut(least)
    }

    /// Its words say how something stands, and have colours.
    pub(super) const fn state(mut self) -> Self {
        self.is_state = true;
        self
    }
}

/// Prints rows below their headings. What of them has no room is left out, and told where a person reads it.
pub(super) fn print(width: Width, columns: &[Column], rows: &[Vec<String>]) -> Result<(), Failure> {
    let rows: Vec<Vec<Cow<'_, str>>> = rows.iter().map(|row| row_shown(columns, row)).collect();
    let natural = natural_widths(columns, &rows);
    let widths = fit(columns, &natural, width.columns());
    let headings: Vec<Cow<'_, str>> = columns.iter().map(|column| column.heading.into()).collect();
    for row in std::iter::once(&headings).chain(&rows) {
        lines(columns, &widths, row).iter().try_for_each(|line| print::styled(line))?;
    }
    let left_out: Vec<&str> = columns
        .iter()
        .zip(&widths)
        .filter(|(_, width)| width.is_none())
        .map(|(column, _)| column.heading)
        .collect();
    if !left_out.is_empty() && form::is_for_people() {
        print::talk(&format!("(--wide shows also {})", left_out.join(", ")));
    }
    Ok(())
}

/// A cell has one line, whatever is in it, unless its column wraps.
fn row_shown<'a>(columns: &[Column], row: &'a [String]) -> Vec<Cow<'a, str>> {
    let shown = |(column, cell): (&Column, &'a String)| {
        if column.wraps { visible::text(cell) } else { visible::line(cell) }
    };
    columns.iter().zip(row).map(shown).collect()
}

fn wrapped(cell: &str, width: usize) -> Vec<Cow<'_, str>> {
    let options = textwrap::Options::new(width.max(1))
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::wrap(cell, options)
}

fn natural_widths(columns: &[Column], rows: &[Vec<Cow<'_, str>>]) -> Vec<usize> {
    let width = |(index, column): (usize, &Column)| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(index))
            .map(|cell| cell.lines().map(display_width).max().unwrap_or(0));
        cells.chain([display_width(column.heading)]).max().unwrap_or(0)
    };
    columns.iter().enumerate().map(width).collect()
}

/// The widths of columns, none for those that are left out: what can be cut or wrapped shrinks before a column goes.
fn fit(columns: &[Column], natural: &[usize], room: Option<usize>) -> Vec<Option<usize>> {
    let mut widths: Vec<Option<usize>> = natural.iter().copied().map(Some).collect();
    let Some(room) = room else { return widths };
    let least = |index: usize| columns[index].least.map_or(natural[index], |least| least.min(natural[index]));
    loop {
        let kept: Vec<usize> = (0..columns.len()).filter(|index| widths[*index].is_some()).collect();
        let needed = kept.iter().map(|index| least(*index) + GAP).sum::<usize>().saturating_sub(GAP);
        let last = kept
            .iter()
            .copied()
            .filter(|index| columns[*index].rank > 0)
            .max_by_key(|index| columns[*index].rank);
        match last {
            Some(index) if needed > room => widths[index] = None,
            _ => break,
        }
    }
    loop {
        let shown = widths.iter().flatten().map(|width| width + GAP).sum::<usize>().saturating_sub(GAP);
        let Some(over) = shown.checked_sub(room).filter(|over| *over > 0) else { return widths };
        let widest = (0..columns.len())
            .filter(|index| widths[*index].is_some_and(|width| width > least(*index)))
            .max_by_key(|index| widths[*index]);
        let Some((index, width)) = widest.and_then(|index| Some((index, widths[index]?))) else {
            return widths;
        };
        widths[index] = Some(width.saturating_sub(over).max(least(index)));
    }
}

/// A row as lines of a terminal.
fn lines(columns: &[Column], widths: &[Option<usize>], row: &[Cow<'_, str>]) -> Vec<String> {
    let shown: Vec<(&Column, usize, Vec<Cow<'_, str>>)> = columns
        .iter()
        .zip(widths)
        .zip(row)
        .filter_map(|((column, width), cell)| Some((column, (*width)?, cell)))
        .map(|(column, width, cell)| {
            let pieces = if column.wraps { wrapped(cell, width) } else { vec![cut(cell, width)] };
            (column, width, pieces)
        })
        .collect();
    let height = shown.iter().map(|(_, _, pieces)| pieces.len()).max().unwrap_or(0);
    let line = |at: usize| {
        let cells = shown.iter().map(|(column, width, pieces)| {
            let piece = pieces.get(at).map_or("", AsRef::as_ref);
            let style = if column.is_state { colour::of_state(piece) } else { anstyle::Style::new() };
            let padding = " ".repeat(width.saturating_sub(display_width(piece)));
            format!("{style}{piece}{style:#}{padding}")
        });
        cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

fn cut(cell: &str, width: usize) -> Cow<'_, str> {
    if display_width(cell) <= width {
        return cell.into();
    }
    let mut kept = String::new();
    for character in cell.chars() {
        if display_width(&kept) + display_width(character.encode_utf8(&mut [0; 4])) >= width {
            break;
        }
        kept.push(character);
    }
    (kept + "…").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(columns: &[Column], rows: &[&[&str]], room: Option<usize>) -> Vec<String> {
        let rows: Vec<Vec<Cow<'_, str>>> =
            rows.iter().map(|row| row.iter().map(|cell| Cow::Borrowed(*cell)).collect()).collect();
        let widths = fit(columns, &natural_widths(columns, &rows), room);
        let headings = columns.iter().map(|column| column.heading.into()).collect();
        std::iter::once(headings).chain(rows).flat_map(|row| lines(columns, &widths, &row)).collect()
    }

    #[test]
    fn columns_line_up() {
        let columns = [Column::new("APP"), Column::new("LIVE")];
        let rows: [&[&str]; 2] = [&["shop", "v1"], &["a", "a-long-version"]];
        assert_eq!(shown(&columns, &rows, Some(80)), ["APP   LIVE", "shop  v1", "a     a-long-version"]);
    }

    #[test]
    fn what_has_no_room_shrinks_first_and_goes_then() {
        let columns = [
            Column::new("APP"),
            Column::new("URL").rank(2),
            Column::new("NOTE").cut(4),
            Column::new("N").rank(1),
        ];
        let rows: [&[&str]; 1] = [&["shop", "http://shop", "a long note", "12"]];
        assert_eq!(shown(&columns, &rows, None)[1], "shop  http://shop  a long note  12");
        assert_eq!(shown(&columns, &rows, Some(30))[1], "shop  http://shop  a long…  12");
        assert_eq!(shown(&columns, &rows, Some(24))[1], "shop  a long note  12");
        assert_eq!(shown(&columns, &rows, Some(14))[1], "shop  a l…  12");
        assert_eq!(shown(&columns, &rows, Some(12)), ["APP   NOTE", "shop  a lon…"]);
        assert_eq!(shown(&columns, &rows, Some(3))[1], "shop  a l…", "what stays has no less");
    }

    #[test]
    fn a_cell_that_wraps_goes_on_in_its_column() {
        let columns = [Column::new("CHECK"), Column::new("FOUND").wrap(10)];
        let rows: [&[&str]; 1] = [&["disk", "there is no room left"]];
        assert_eq!(
            shown(&columns, &rows, Some(20)),
            ["CHECK  FOUND", "disk   there is no", "       room left"]
        );
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 6), "日本語");
    }

    #[test]
    fn a_state_has_a_colour_that_takes_no_room() {
        let row = shown(&[Column::new("STATE").state(), Column::new("N")], &[&["live", "1"]], Some(20));
        assert_eq!(anstream::adapter::strip_str(&row[1]).to_string(), "live   1");
        assert!(row[1].starts_with("\u{1b}["), "{row:?}");
    }
}
