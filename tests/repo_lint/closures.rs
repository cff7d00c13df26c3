//! Functions that V8 would keep.

use crate::source::Source;

/// Function literals that are assigned to a property, in the scripts of an isolate. V8 allocates such a function among the
/// old objects: made for a request, it keeps what it closes over until a full collection.
pub fn old_from_birth(sources: &[Source]) -> Vec<String> {
    let scripts = sources.iter().filter(|source| source.path.starts_with("js-runtime/js/"));
    scripts
        .flat_map(|source| {
            // What stands at the margin is made once.
            let inner = source.lines().filter(|(_, line)| line.starts_with(' '));
            inner.filter(|(_, line)| is_property_function(line)).map(|(number, _)| {
                format!(
                    "{}:{number}: a function literal assigned to a property; give it a name first",
                    source.path
                )
            })
        })
        .collect()
}

fn is_property_function(line: &str) -> bool {
    line.match_indices(" = ").any(|(at, equals)| {
        let target = line[..at].rsplit([' ', '(']).next().unwrap_or_default();
        let value = line[at + equals.len()..].trim_start_matches("async ");
        let parameters = value.find("=>").map(|arrow| value[..arrow].trim());
        let is_arrow = parameters.is_some_and(|text| {
            text.starts_with('(') && text.ends_with(')') || text.chars().all(char::is_alphanumeric)
        });
        // What a prototype gets, it gets once.
        target.contains(['.', ']'])
            && !target.contains("rototype")
            && (is_arrow || value.starts_with("function"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_that_a_property_gets_are_found_and_named_ones_are_not() {
        let wrong = |path: &str, line: &str| old_from_birth(&[Source::new(path, line)]).len();
        for line in
            ["a.b = () => 1;", "this.#b = async (c) => c;", "a[b] = c => c;", "if (d) a.b = function () {};"]
        {
            assert_eq!(wrong("js-runtime/js/a.js", &format!("  {line}")), 1, "{line}");
            assert_eq!(wrong("js-runtime/js/a.js", line), 0, "at the margin: {line}");
            assert_eq!(wrong("benches/a.js", &format!("  {line}")), 0, "elsewhere: {line}");
        }
        for line in ["const b = () => 1;", "a.b = b;", "a.b = c((d) => d);", "new Promise((r) => a.b = r);"] {
            assert_eq!(wrong("js-runtime/js/a.js", &format!("  {line}")), 0, "{line}");
        }
    }
}
