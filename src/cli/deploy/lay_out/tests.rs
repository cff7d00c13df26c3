use super::*;

#[test]
fn pages_are_known_by_the_paths_that_people_type() {
    for (name, path) in [
        ("index.html", "/"),
        ("about.html", "/about"),
        ("about/index.html", "/about"),
        ("a/b/index.html", "/a/b"),
        ("reindex.html", "/reindex"),
        ("404.html", "/404"),
    ] {
        assert_eq!(page_path(name), path);
    }
}
