//! `vitrine.toml`: the file that is shipped, and mistakes in others.

use super::*;
use std::collections::BTreeSet;
use std::path::Path;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("vitrine.toml"))
}

/// The shipped file with its examples switched on.
fn with_examples() -> String {
    let is_example = |line: &str| {
        let rest = line.trim_start_matches("# ").trim_end();
        let key = rest.split(" = ").next().unwrap_or_default();
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let is_key = match key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
            Some(quoted) => quoted.bytes().all(|byte| letter(byte) || byte == b'.'),
            None => rest.contains(" = ") && key.bytes().all(letter),
        };
        is_key || (rest.starts_with('[') && rest.ends_with(']') && !rest.contains(' '))
    };
    let lines = FIELD_HELP.lines().map(|line| match line.strip_prefix("# ") {
        Some(example) if is_example(line) => example,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_file_holds_the_defaults() {
    assert_eq!(parse(FIELD_HELP).unwrap(), Config::default());
    assert_eq!(Config::load(None).unwrap(), Config::default());
    Config::default().check().unwrap();
}

fn fields(prefix: &str, value: &toml::Value, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                fields(&format!("{prefix}.{key}"), value, found);
            }
        }
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            items.iter().for_each(|item| fields(prefix, item, found));
        }
        _ => {
            found.insert(prefix.into());
        }
    }
}

/// Sets every field of the routing rules.
fn routing_fields(full: &mut Config) {
    let one = |name: &str| -> Conditions { [(name.to_owned(), "1".to_owned())].into() };
    let network = vec!["10.0.0.0/8".parse().unwrap()];
    full.route = vec![RouteRule {
        host: Some("a.example".into()),
        path: Some("/a".parse().unwrap()),
        method: vec!["GET".into()],
        header: one("x-beta"),
        cookie: one("role"),
        query: one("debug"),
        claim: one("plan"),
        experiment: one("checkout"),
        client: network.clone(),
        app: Some("a".parse().unwrap()),
        version: Some("v1".parse().unwrap()),
        weights: [("learn".to_owned(), 1), ("learn-next".to_owned(), 1)].into(),
        redirect: Some("/b".into()),
        status: Some(301),
        respond: Some(FixedAnswer { status: 200, body: "b".into(), content_type: "text/plain".into() }),
        upstream: Some("http://a.example".into()),
        upstream_host: Some("a".into()),
        strip_prefix: Some("/a".into()),
        rewrite: Some("/b".into()),
        set_request_headers: one("x-section"),
        remove_request_headers: vec!["x-debug".into()],
        set_response_headers: one("x-frame-options"),
        remove_response_headers: vec!["x-powered-by".into()],
        maintenance: true,
        allow: network.clone(),
        deny: network,
        basic_auth_file: Some("u".into()),
        rate_limit: Some("1/s".parse().unwrap()),
    }];
    full.experiment = vec![ExperimentRules {
        name: "checkout".into(),
        variants: [("a".to_owned(), 1), ("b".to_owned(), 1)].into(),
        unit: "visitor".into(),
        salt: Some("s".into()),
        apps: vec!["a".parse().unwrap()],
        force_key_file: Some("k".into()),
    }];
    full.jwt = Some(JwtRules {
        cookie: Some("session".into()),
        header: None,
        keys: vec!["k".into()],
        hs256_file: Some("k".into()),
        issuer: Some("i".into()),
        audience: Some("a".into()),
        leeway_s: 0,
    });
}

#[test]
fn the_shipped_file_lists_every_field_with_its_meaning() {
    let mut full = Config::default();
    let address = SocketAddr::from(([0, 0, 0, 0], 443));
    let files = CertificateFiles { certificate: "c".into(), key: "k".into() };
    full.admin_tls = Some(files.clone());
    let public_port = std::num::NonZeroU16::new(443);
    let folder = Some("f".into());
    full.tls =
        Some(Tls { certificates: vec![files.clone()], folder, public_port, ..Tls::new(address, files) });
    let acme = Acme::new("https://a.example");
    full.acme = Some(Acme { email: Some("a@b".into()), ca: Some("c".into()), ..acme });
    full.routes = vec![HostRoute { host: "a.example".into(), app: "a".parse().unwrap() }];
    let hook = Hook {
        stage: HookStage::BeforeTraffic,
        app: Some("a".parse().unwrap()),
        command: Some(vec!["c".into()]),
        url: None,
        env: vec!["A".into()],
        timeout_ms: 1,
    };
    full.hook = vec![hook.clone(), Hook { command: None, url: Some("http://a.example/".into()), ..hook }];
    full.previews.password_file = Some("p".into());
    full.previews.apps = Some(vec!["a".parse().unwrap()]);
    full.secrets.key_file = Some("k".into());
    full.worker.runtime = Some("runsc".into());
    full.egress.allow = Some(vec!["https://a.example".into()]);
    let worker = AppResources {
        memory_mb: Some(1),
        memory_reservation_mb: Some(1),
        cpus: Some(1.0),
        cpu_reservation: Some(1.0),
    };
    full.apps = [("shop".parse().unwrap(), AppRules { worker, ..AppRules::default() })].into();
    routing_fields(&mut full);
    full.health.target_group_attributes.minimum_healthy_percentage = Some(50);
    full.health.health_check = Some(crate::health::HealthCheck::default());
    full.health.target_group =
        Some(crate::health::TargetGroup { health_check_path: Some("/up".into()), ..Default::default() });
    let mut expected = BTreeSet::new();
    fields("", &toml::Value::try_from(&full).unwrap(), &mut expected);

    let text = with_examples();
    parse(&text).unwrap();
    let mut listed = BTreeSet::new();
    fields("", &toml::from_str(&text).unwrap(), &mut listed);
    assert_eq!(listed, expected);

    let lines: Vec<_> = text.lines().collect();
    for (index, line) in
        lines.iter().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with('#'))
    {
        assert!(lines[index - 1].starts_with('#'), "{line} has a meaning above it");
    }
}

#[test]
fn mistakes_are_shown_with_line_column_and_caret() {
    let text = parse("listen = \"127.0.0.1:1\"\n[limits]\ncpu = 5\n").unwrap_err().to_string();
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(first.starts_with("vitrine.toml:3:1: unknown field `cpu`, expected one of `cpu_ms`"), "{text}");
    assert_eq!(rest, "  |\n3 | cpu = 5\n  | ^^^");
    for (toml, place) in [
        ("listen = ", "1:10:"),
        ("listen = \"localhost\"", "1:10:"),
        ("\nisolation = \"vm\"", "2:13:"),
        ("x = \"äö\" y", "1:10:"),
        ("[tls]\nlisten = \"0.0.0.0:443\"\ncertificate = \"c\"", "1:1:"),
        ("[tls]\nlisten = \"0.0.0.0:443\"", "1:1:"),
        ("[tls]\nlisten = \"0.0.0.0:443\"\nfolder = \"f\"\nkey = \"k\"", "1:1:"),
        ("[acme]\nagree_to_terms = true", "1:1:"),
        ("[tls]\nlisten = \"0.0.0.0:443\"\n[acme]\nemail = \"a@b.example\"", "3:1:"),
        ("[tls]\nlisten = \"0.0.0.0:443\"\n[acme]\nagree_to_terms = false", "4:18:"),
        ("[tls]\nlisten = \"0.0.0.0:443\"\n[acme]\nagree_to_terms = true\nemail = \"ops\"", "5:9:"),
        ("[tls]\nlisten = \"0.0.0.0:443\"\n[acme]\nagree_to_terms = true\ndirectory = \"http://a\"", "5:13:"),
        (
            "[tls]\nlisten = \"0.0.0.0:443\"\n[acme]\nagree_to_terms = true\nchallenges = [\"dns-01\"]",
            "5:15:",
        ),
        ("[tls]\nlisten = \"0.0.0.0:443\"\n[acme]\nagree_to_terms = true\nchallenges = []", "5:14:"),
        ("[admin_tls]\nkey = \"k\"", "1:1:"),
        (
            "[tls]\nlisten = \"443\"\ncertificate = \"c\"\nkey = \"k\"\nhsts_include_subdomains = true",
            "5:27:",
        ),
        ("[limits]\nwall_ms = 0", "2:11:"),
        ("domain = \"Example.com\"", "1:10:"),
        ("domain = \"10.0.0.1\"", "1:10:"),
        ("admin = \"127.0.0.1:8080\"", "1:9:"),
        ("[[routes]]\nhost=\"a.b\"\napp=\"a\"\n[[routes]]\nhost=\"a.b\"\napp=\"b\"", "5:6:"),
        ("[[routes]]\nhost=\"a.b:80\"\napp=\"a\"", "2:6:"),
        ("[[routes]]\nhost=\"a.b\"\napp=\"A\"", "3:5:"),
        ("[egress]\nallow = [\"https://a.example\", \"a.example\"]", "2:31:"),
        ("[egress]\nallow_private = [\"10.0.0.1:0\"]", "2:18:"),
        ("[egress]\nallow_private = [\"10.0.0.0/8\", \"db.internal\"]", "2:32:"),
        ("[apps.shop.egress]\nallow_private = [\"169.254.169.254/32\"]", "2:18:"),
        ("[apps.Shop.egress]\nallow_private = []", "1:7:"),
        ("[apps.shop.egress]\ntimeout_ms = 5", "2:1:"),
        ("[retention]\nreleases = 1", "2:12:"),
        ("[worker]\ncpus = -1", "2:8:"),
        ("[health.healthCheck]\nretries = 3\ninterval = 1", "3:12:"),
        ("[health.targetGroup]\nMatcher = \"5xx\"", "2:11:"),
        ("[worker]\npids = -5", "2:8:"),
        ("trusted_proxies = [\"10.0.0.0/33\"]", "1:20:"),
        ("[deploy]\nerror_margin = 5.0", "2:16:"),
        ("[deploy]\nmin_requests = 0", "2:16:"),
        ("[previews]\napps = [\"shop\"]", "2:8:"),
        ("[[hook]]\nstage = \"before_traffic\"", "2:9:"),
        ("[[hook]]\nstage = \"before traffic\"\ncommand = [\"x\"]", "2:9:"),
        ("[[hook]]\nstage = \"after_bake\"\nurl = \"ftp://a.example\"", "3:7:"),
        ("[[hook]]\nstage = \"after_bake\"\ncommand = []", "3:11:"),
        ("[[hook]]\nstage = \"after_bake\"\ncommand = [\"x\"]\nenv = [\"A\", \"B=C\"]", "4:7:"),
        ("[[hook]]\nstage = \"after_bake\"\ncommand = [\"x\"]\nenv = [\"VITRINE_HANDOVER\"]", "4:7:"),
        ("[[hook]]\nstage = \"after_bake\"\nurl = \"http://a.example\"\nenv = [\"A\"]", "4:7:"),
    ] {
        let text = parse(toml).unwrap_err().to_string();
        assert!(text.starts_with(&format!("vitrine.toml:{place} ")), "{toml}\n{text}");
        assert!(text.lines().last().unwrap().trim_end().ends_with('^'), "{text}");
    }
}

#[test]
fn a_proxy_that_is_no_network_is_named() {
    for bad in ["10.0.0.0/33", "10.0.0.1", "proxy.example"] {
        let text = parse(&format!("trusted_proxies = [\"::1/128\", \"{bad}\"]")).unwrap_err().to_string();
        assert!(
            text.starts_with("vitrine.toml:1:31: ") && text.contains(&format!("`{bad}` is no network")),
            "{text}"
        );
    }
}

#[test]
fn an_app_has_its_own_services_beside_everybodys_and_its_previews_have_not() {
    let config = parse(
        "[egress]\nallow_private = [\"10.0.0.1:1\"]\n[apps.shop.egress]\nallow_private = [\"db.internal:2\"]",
    )
    .unwrap();
    let private = |app: &str, vouched| {
        let policy = config.egress_of(&app.parse().unwrap(), vouched);
        policy.allow_private.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(private("shop", true), ["10.0.0.1:1", "db.internal:2"]);
    assert_eq!(private("shop", false), ["10.0.0.1:1"]);
    assert_eq!(private("blog", true), ["10.0.0.1:1"]);
    let config = parse(
        "[apps.shop.egress]\nallow_private = [\"db.internal:2\"]\npreviews = true\n[apps.blog.egress]\n",
    )
    .unwrap();
    let private = |app: &str| config.egress_of(&app.parse().unwrap(), false).allow_private.len();
    assert_eq!((private("shop"), private("blog")), (1, 0), "the operator opens them by name");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let text = Config::load(Some(Path::new("/nowhere/vitrine.toml"))).unwrap_err().to_string();
    assert!(text.contains("/nowhere/vitrine.toml"), "{text}");
}

#[test]
fn flags_are_checked_too() {
    let mut config = Config { admin: SocketAddr::from(([0, 0, 0, 0], 8080)), ..Config::default() };
    let text = config.check().unwrap_err().to_string();
    assert!(text.contains("`admin` is 0.0.0.0:8080, which `listen` takes"), "{text}");
    config.admin.set_port(0);
    config.listen.set_port(0);
    config.check().unwrap();
}
