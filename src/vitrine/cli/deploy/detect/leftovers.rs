//! What a build holds that is no server as it was looked for.

use super::frameworks::exports_of;
use super::site::Site;
use crate::cli::deploy::source_file;
use std::fs;
use std::path::{Path, PathBuf};
use vitrine_core::limits::LEFTOVERS_SHOWN_MAX;

/// What the builds below a project hold and lack; `None` where there is no build.
pub(super) fn describe(site: &Site) -> Option<String> {
    let outputs: Vec<PathBuf> = site
        .outputs()
        .into_iter()
        .filter(|output| {
            *output != site.folder && fs::read_dir(output).is_ok_and(|mut files| files.next().is_some())
        })
        .collect();
    let scripts: Vec<PathBuf> = outputs
        .iter()
        .flat_map(|output| [output.join("server"), output.clone()])
        .flat_map(|folder| scripts_in(&folder))
        .collect();
    let mut found: Vec<String> = scripts
        .iter()
        .take(LEFTOVERS_SHOWN_MAX)
        .map(|script| format!("{}, which {}", site.shown(script), lack(script)))
        .collect();
    if found.is_empty() {
        found = outputs
            .iter()
            .map(|output| format!("{}/, which has no script in it or in its server/", site.shown(output)))
            .collect();
    } else if scripts.len() > LEFTOVERS_SHOWN_MAX {
        found.push(format!("{} more", scripts.len() - LEFTOVERS_SHOWN_MAX));
    }
    (!found.is_empty()).then(|| found.join("; "))
}

fn scripts_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_script = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ["js", "mjs", "cjs"].iter().any(|known| ending == *known))
    };
    let mut scripts: Vec<_> = entries.filter(|path| is_script(path) && path.is_file()).collect();
    scripts.sort();
    scripts
}

/// Why a script is not taken for the server.
fn lack(script: &Path) -> String {
    let exports = exports_of(script);
    if exports.contains("default") {
        return "has a default export and another name than a server's entry".into();
    }
    let listens = source_file::read_text(script).is_ok_and(|code| code.contains(".listen("));
    match (exports.is_empty(), listens) {
        (_, true) => {
            "has no default export: it calls listen(), which is a server if package.json says \"start\": \"node FILE\"".into()
        }
        (true, false) => "has no default export".into(),
        (false, false) => {
            format!(
                "has no default export (it exports {})",
                exports.into_iter().collect::<Vec<_>>().join(", ")
            )
        }
    }
}
