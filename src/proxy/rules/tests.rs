//! Rules as an operator writes them, held against requests.

use super::*;
use http::{HeaderMap, HeaderName, Method};
use proptest::prelude::*;
use std::net::IpAddr;
use std::path::Path;

fn rules(toml: &str) -> Rules {
    Rules::compile(&RoutingRules::parse(toml, Path::new("rules.toml")).unwrap()).unwrap()
}

/// A request, by the parts that differ between tests.
struct Asked {
    host: &'static str,
    target: String,
    method: Method,
    headers: HeaderMap,
    client: IpAddr,
    visitor: String,
}

impl Asked {
    fn new(host: &'static str, target: &str, headers: &[(&str, &str)]) -> Self {
        let headers =
            headers.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        Self {
            host,
            target: {
                let (path, query) =
                    target.split_once('?').map_or((target, String::new()), |(p, q)| (p, format!("?{q}")));
                format!("{}{query}", path::resolved(path).unwrap())
            },
            method: Method::GET,
            headers: headers.collect(),
            client: "192.0.2.1".parse().unwrap(),
            visitor: "00".into(),
        }
    }

    fn facts(&self) -> Facts<'_> {
        let (path, query) = self.target.split_once('?').map_or((&*self.target, None), |(p, q)| (p, Some(q)));
        Facts {
            host: self.host,
            sent_path: path,
            query,
            method: &self.method,
            headers: &self.headers,
            client: self.client,
            visitor: &self.visitor,
        }
    }
}

fn decided(rules: &Rules, host: &'static str, target: &str, headers: &[(&str, &str)]) -> Option<usize> {
    let asked = Asked::new(host, target, headers);
    let (by_index, explained) = (rules.decide(&asked.facts()).rule, rules.explain(&asked.facts()));
    assert_eq!(by_index, explained.matched, "{host} {target} {explained:?}");
    by_index
}

#[test]
fn the_first_rule_that_holds_decides() {
    let rules = rules(
        r#"
        [[route]]
        host = "www.example.com"
        path = "/learn/*"
        header = { x-beta = "1" }
        app = "learn-next"
        [[route]]
        path = "/learn/*"
        app = "learn"
        [[route]]
        host = "*.example.com"
        cookie = { role = "admin" }
        app = "admin"
        [[route]]
        host = "www.example.com"
        query = { debug = "*" }
        method = ["GET"]
        app = "debug"
        [[route]]
        host = "www.example.com"
        path = "/health"
        client = ["192.0.2.0/24"]
        header = { x-probe = "!" }
        respond = { status = 200, body = "up" }
        [[route]]
        host = "www.example.com"
        app = "main"
        "#,
    );
    const WWW: &str = "www.example.com";
    for (host, target, headers, rule) in [
        (WWW, "/learn/a", &[("x-beta", "1")][..], Some(0)),
        (WWW, "/learn", &[("x-beta", "2")], Some(1)),
        (WWW, "/%6cearn/a", &[], Some(1)),
        (WWW, "/x/../learn/./a", &[], Some(1)),
        (WWW, "//learn//a", &[], Some(1)),
        ("other.test", "/learn/", &[("x-beta", "1")], Some(1)),
        (WWW, "/learning", &[("cookie", "a=b; role=admin")], Some(2)),
        ("a.b.example.com", "/", &[("cookie", "role=admin")], Some(2)),
        ("example.com", "/", &[("cookie", "role=admin")], None),
        ("badexample.com", "/", &[("cookie", "role=admin")], None),
        (WWW, "/", &[("cookie", "role=user; xrole=admin")], Some(5)),
        (WWW, "/?a=1&debug", &[], Some(3)),
        (WWW, "/?debu%67=1", &[], Some(3)),
        (WWW, "/health", &[], Some(4)),
        (WWW, "/health", &[("x-probe", "1")], Some(5)),
        (WWW, "/health/", &[], Some(5)),
        ("other.test", "/", &[], None),
    ] {
        assert_eq!(decided(&rules, host, target, headers), rule, "{host} {target} {headers:?}");
    }
}

#[test]
fn what_a_decision_depends_on_is_told() {
    let rules = rules(
        r#"
        [[route]]
        header = { x-beta = "1" }
        app = "a"
        [[route]]
        path = "/c"
        cookie = { role = "x" }
        app = "b"
        [[route]]
        path = "/n"
        client = ["10.0.0.0/8"]
        app = "c"
        "#,
    );
    let depends = |target: &str| {
        let asked = Asked::new("a.test", target, &[]);
        let depends = rules.decide(&asked.facts()).depends;
        let names: Vec<_> = depends.headers().iter().map(ToString::to_string).collect();
        (names.join(" "), depends.is_private())
    };
    assert_eq!(depends("/"), ("x-beta".into(), false));
    assert_eq!(depends("/c"), ("x-beta cookie".into(), false));
    assert_eq!(depends("/n"), ("x-beta".into(), true));
}

#[test]
fn explanations_name_the_condition_that_fails() {
    let rules = rules(
        "[[route]]\nhost = \"a.test\"\napp = \"a\"\n[[route]]\npath = \"/b\"\napp = \"b\"\n[[route]]\nmethod = [\"POST\"]\napp = \"c\"\n\
         [[route]]\nheader = { x-a = \"1\" }\nquery = { q = \"!\" }\napp = \"d\"\n[[route]]\napp = \"e\"\n",
    );
    let asked = Asked::new("x.test", "/", &[]);
    let explanation = rules.explain(&asked.facts());
    let tried: Vec<_> = explanation.tried.iter().map(|tried| (tried.index, &*tried.failed)).collect();
    assert_eq!(tried, [(0, "host"), (1, "path"), (2, "method"), (3, "header.x-a")]);
    assert_eq!(explanation.matched, Some(4));
}

const EXPERIMENTS: &str = r#"
    [[experiment]]
    name = "checkout"
    variants = { a = 50, b = 50 }
    [[experiment]]
    name = "banner"
    variants = { on = 1, off = 9 }
    unit = "cookie:user"
    apps = ["shop"]
    [[route]]
    experiment = { checkout = "b" }
    app = "next"
    [[route]]
    app = "shop"
"#;

#[test]
fn visitors_keep_their_variants_and_forged_ones_change_nothing() {
    let rules = rules(EXPERIMENTS);
    let shop = "shop".parse().unwrap();
    let mut seen = [0; 2];
    for visitor in 0..500 {
        let mut asked = Asked::new(
            "a.test",
            "/?__vitrine_experiment=checkout=b.0000&checkout=b",
            &[
                ("cookie", "user=7; checkout=b"),
                ("x-vitrine-experiments", "checkout=b"),
                ("x-vitrine-experiment", "checkout=b"),
            ],
        );
        asked.visitor = visitor.to_string();
        let (variants, depends) = rules.variants(&shop, &asked.facts()).unwrap();
        let is_b = variants.contains("checkout=b");
        assert!(variants.contains("banner="), "{variants}");
        assert!(depends.is_on_visitor() && depends.is_private());
        assert_eq!(rules.decide(&asked.facts()).rule, Some(usize::from(!is_b)));
        seen[usize::from(is_b)] += 1;
    }
    assert!(seen.iter().all(|count| (200..300).contains(count)), "{seen:?}");
    let asked = Asked::new("a.test", "/", &[]);
    let other = rules.variants(&"other".parse().unwrap(), &asked.facts()).unwrap().0;
    assert!(other.starts_with("checkout=") && !other.contains("banner"), "{other}");
    assert!(!rules.variants(&shop, &asked.facts()).unwrap().0.contains("banner"), "there is no such cookie");
}

#[test]
fn a_signed_token_forces_a_variant() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "0123456789abcdef0123\n").unwrap();
    let rules = rules(&EXPERIMENTS.replacen(
        "variants = { a = 50, b = 50 }",
        &format!("variants = {{ a = 100, b = 0 }}\nforce_key_file = {key:?}"),
        1,
    ));
    let token = force_token(&key, "checkout", "b").unwrap();
    let shop = "shop".parse().unwrap();
    let variants = |target: &str, headers: &[(&str, &str)]| {
        rules.variants(&shop, &Asked::new("a.test", target, headers).facts()).unwrap().0
    };
    assert_eq!(variants("/", &[]), "checkout=a");
    assert_eq!(variants(&format!("/?{FORCE_PARAMETER}={token}"), &[]), "checkout=b");
    assert_eq!(variants("/", &[("x-vitrine-experiment", &token)]), "checkout=b");
    for forged in [
        token.replace("checkout", "banner"),
        token.replace("=b.", "=c."),
        format!("{token}0"),
        "checkout=b".into(),
    ] {
        assert_eq!(variants("/", &[("x-vitrine-experiment", &forged)]), "checkout=a", "{forged}");
    }
    std::fs::write(&key, "short").unwrap();
    assert!(matches!(force_token(&key, "a", "b"), Err(ForceKeyError::Short(_))));
}

#[test]
fn doors_count_clients_and_know_users() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, "# testers\nann:secret word\nbob:x:y\n").unwrap();
    let rules = rules(&format!(
        "[[route]]\npath = \"/p\"\nbasic_auth_file = {users:?}\napp = \"a\"\n[[route]]\npath = \"/r\"\nrate_limit = \"2/h\"\napp = \"a\"\n\
         [[route]]\npath = \"/n\"\nallow = [\"192.0.2.0/24\"]\ndeny = [\"192.0.2.9/32\"]\napp = \"a\"\n"
    ));
    let enter = |rule: usize, client: &str, headers: &[(&str, &str)]| {
        let asked = Asked::new("a.test", "/", headers);
        rules.rule(rule).unwrap().door.as_ref().unwrap().enter(client.parse().unwrap(), &asked.headers)
    };
    let basic = |pair: &str| {
        use base64::Engine as _;
        format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
    };
    for (pair, entry) in [
        ("ann:secret word", Entry::Open),
        ("bob:x:y", Entry::Open),
        ("bob:x", Entry::NeedsPassword),
        ("# testers", Entry::NeedsPassword),
        ("", Entry::NeedsPassword),
    ] {
        assert_eq!(enter(0, "192.0.2.1", &[("authorization", &basic(pair))]), entry, "{pair}");
    }
    assert_eq!(enter(0, "192.0.2.1", &[]), Entry::NeedsPassword);
    for client in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!((enter(1, client, &[]), enter(1, client, &[])), (Entry::Open, Entry::Open));
        assert!(matches!(enter(1, client, &[]), Entry::TooMany { retry_after_s: 1700..=1801 }));
    }
    assert_eq!(enter(1, "2001:db8::1", &[]), Entry::Open);
    assert_eq!(enter(1, "2001:db8::2", &[]), Entry::Open);
    assert!(matches!(enter(1, "2001:db8::3", &[]), Entry::TooMany { .. }), "a /64 is one client");
    assert_eq!(enter(2, "192.0.2.1", &[]), Entry::Open);
    assert_eq!(enter(2, "192.0.2.9", &[]), Entry::Refused);
    assert_eq!(enter(2, "198.51.100.1", &[]), Entry::Refused);
}

proptest! {
    /// The index is a shortcut: it never changes which rule decides.
    #[test]
    fn the_index_finds_what_trying_all_rules_finds(
        written in prop::collection::vec((0..5_usize, 0..8_usize, 0..3_usize), 1..40),
        host in 0..4_usize,
        path in 0..10_usize,
        beta in any::<bool>(),
    ) {
        const HOSTS: [&str; 5] = ["", "a.test", "*.test", "b.a.test", "*.a.test"];
        const PATHS: [&str; 8] = ["", "/", "/*", "/x", "/x/*", "/x/y/*", "/x/*/z", "/x/*/z/*"];
        let mut toml = String::new();
        for (host, path, beta) in written {
            toml.push_str("[[route]]\napp = \"a\"\n");
            for (name, value) in [("host", HOSTS[host]), ("path", PATHS[path])] {
                if !value.is_empty() {
                    toml.push_str(&format!("{name} = \"{value}\"\n"));
                }
            }
            if beta > 0 {
                toml.push_str(&format!("header = {{ x-beta = \"{}\" }}\n", ["1", "!"][beta - 1]));
            }
        }
        let hosts = ["a.test", "b.a.test", "c.b.a.test", "other"];
        let paths = ["/", "/x", "/x/", "/x/y", "/x/y/z", "/x/q/z", "/x/q/z/1", "/y", "//x//y/", "/%78/a/../y"];
        let headers: &[(&str, &str)] = if beta { &[("x-beta", "1")] } else { &[] };
        decided(&rules(&toml), hosts[host], paths[path], headers);
    }
}

/// Lookups are counted, not timed: a request is held against the rules that name its host and path, however many others there are.
#[test]
fn a_request_looks_at_few_of_many_rules() {
    let mut toml = String::new();
    for host in 0..2_000 {
        for path in 0..5 {
            toml.push_str(&format!(
                "[[route]]\nhost = \"h{host}.test\"\npath = \"/p{path}/*\"\nheader = {{ x-none = \"1\" }}\napp = \"a\"\n"
            ));
        }
    }
    let rules = rules(&toml);
    let candidates = |host: &str, path: &str| rules.index.candidates(host, path).count();
    assert_eq!(candidates("h7.test", "/p3/x/y/z"), 1);
    assert_eq!(candidates("h7.test", "/q"), 0);
    assert_eq!(candidates("h7.test", &format!("/p3{}", "/x".repeat(4_000))), 1);
}

/// `cargo test --release … -- --ignored many_rules --nocapture` prints what 50,000 rules of 10,000 hosts cost.
#[test]
#[ignore = "prints figures"]
fn what_many_rules_cost() {
    use std::time::Instant;
    let mut toml = String::new();
    for host in 0..10_000 {
        for path in 0..5 {
            toml.push_str(&format!("[[route]]\nhost = \"h{host}.example.com\"\npath = \"/p{path}/*\"\napp = \"app-{path}\"\nstrip_prefix = \"/p{path}\"\n"));
        }
    }
    let resident = || -> usize {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    };
    let tables = RoutingRules::parse(&toml, Path::new("rules.toml")).unwrap();
    let (before, begun) = (resident(), Instant::now());
    let rules = Rules::compile(&tables).unwrap();
    println!("compiled in {:?}, {} bytes a rule", begun.elapsed(), (resident() - before) / 50_000);
    let mut took: Vec<u128> = Vec::new();
    for round in 0..100_000_usize {
        let host: &'static str =
            Box::leak(format!("h{}.example.com", round * 7919 % 10_000).into_boxed_str());
        let asked = Asked::new(host, &format!("/p{}/a/b/c?d=e", round % 6), &[("accept", "text/html")]);
        let facts = asked.facts();
        let begun = Instant::now();
        let decision = std::hint::black_box(rules.decide(&facts));
        took.push(begun.elapsed().as_nanos());
        drop(decision);
    }
    took.sort_unstable();
    println!("lookup: p50 {} ns, p99 {} ns, p99.9 {} ns", took[50_000], took[99_000], took[99_900]);
}
