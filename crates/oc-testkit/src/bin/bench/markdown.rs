//! The table for people who read the repository.

use crate::sheet::{Sheet, number};
use std::fmt::Write as _;

pub(crate) fn page(sheet: &Sheet) -> String {
    let mut text = format!(
        "# Speed and size, measured\n\n{}, oc {}, {}. {}. {} s in all. Made by `make bench`.\n{}.\n\n\
         The ratio is that of the medians, to the first row of the same kind. Instructions are counted by callgrind, so other work \
         of the machine does not show in them.\n",
        sheet.at,
        sheet.version,
        sheet.machine,
        sheet.versions.join("; "),
        sheet.took_s,
        sheet.summary()
    );
    let mut group = "";
    for row in &sheet.rows {
        // Writing into a String cannot fail.
        if row.group != group {
            group = row.group;
            _ = write!(
                text,
                "\n## {group}\n\n| | n | min | median | max | | ratio | target |\n|---|---:|---:|---:|---:|---|---:|---|\n"
            );
        }
        _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            row.name.replace('|', "\\|"),
            row.figures.n,
            number(row.figures.min),
            number(row.figures.median),
            number(row.figures.max),
            row.unit,
            row.ratio(),
            row.verdict()
        );
    }
    if !sheet.absent.is_empty() {
        text.push_str("\n## Not measured\n\n");
        for line in &sheet.absent {
            _ = writeln!(text, "- {line}");
        }
    }
    text
}
