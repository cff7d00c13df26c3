//! Files with rules, and mistakes in them.

use super::*;

fn parse(text: &str) -> Result<RoutingRules, ConfigError> {
    RoutingRules::parse(text, Path::new("rules.toml"))
}

#[test]
fn what_is_written_comes_back() {
    let text = r#"
[jwt]
header = "authorization"
keys = ["/etc/vitrine/jwt.pem"]
audience = "shop"

[[experiment]]
name = "checkout"
variants = { a = 50, b = 50 }

[[route]]
host = "*.example.com"
path = "/learn/*"
method = ["GET", "HEAD"]
header = { x-beta = "1" }
claim = { plan = "pro" }
experiment = { checkout = "b" }
client = ["10.0.0.0/8"]
weights = { learn = 90, "learn@v2" = 10 }
strip_prefix = "/learn"
set_request_headers = { x-section = "learn" }
rate_limit = "100/min by client"

[[route]]
redirect = "https://www.example.com{path}"
status = 301

[[route]]
app = "learn"
version = "v3"
upstream = "http://10.0.0.5:9000"
upstream_host = "{app}-{version}.internal"
"#;
    let rules = parse(text).unwrap();
    let again = toml::to_string(&rules).unwrap();
    assert_eq!(parse(&again).unwrap(), rules, "{again}");
    let named: Vec<_> =
        rules.named_apps().into_iter().map(|(place, app, _)| format!("{place} {app}")).collect();
    assert_eq!(named, ["route[0].weights learn", "route[0].weights learn", "route[2].app learn"]);
}

#[test]
fn mistakes_are_shown_with_line_and_column() {
    for (text, place, words) in [
        ("[[route]]\nhost = \"A.test\"\napp = \"a\"", "2:8", "lower-case"),
        ("[[route]]\nhost = \"*.*.test\"\napp = \"a\"", "2:8", "host"),
        ("[[route]]\npath = \"learn\"\napp = \"a\"", "2:8", "is no path"),
        ("[[route]]\npath = \"/a*\"\napp = \"a\"", "2:8", "is no path"),
        ("[[route]]\nmethod = [\"get\"]\napp = \"a\"", "2:10", "capitals"),
        ("[[route]]\nheader = { X-A = \"1\" }\napp = \"a\"", "2:10", "lower case"),
        ("[[route]]\nheader = { x-a = \"\" }\napp = \"a\"", "2:10", "with nothing"),
        ("[[route]]\ncookie = { __vitrine_id = \"1\" }\napp = \"a\"", "2:10", "cookie"),
        ("[[route]]\nclaim = { plan = \"pro\" }\napp = \"a\"", "2:9", "[jwt]"),
        ("[[route]]\nexperiment = { x = \"a\" }\napp = \"a\"", "2:14", "no [[experiment]]"),
        ("[[route]]\nclient = [\"10.0.0.0\"]\napp = \"a\"", "2:11", "is no network"),
        ("[[route]]\nhost = \"a.test\"", "1:1", "must have one of"),
        ("[[route]]\napp = \"a\"\nredirect = \"/x\"", "3:12", "stands beside `app`"),
        ("[[route]]\npath = \"/a/*\"\napp = \"a\"\nstrip_prefix = \"/b\"", "4:16", "begins"),
        ("[[route]]\nversion = \"v1\"\nredirect = \"/x\"", "2:11", "without `app`"),
        ("[[route]]\nweights = { a = 0 }", "2:11", "are all 0"),
        ("[[route]]\nweights = { \"A b\" = 1 }", "2:11", "which is no app"),
        ("[[route]]\nredirect = \"//evil.test\"", "2:12", "begins with none"),
        ("[[route]]\nredirect = \"/{query}\"", "2:12", "`{query}`"),
        ("[[route]]\nredirect = \"/x\"\nstatus = 200", "3:10", "301"),
        ("[[route]]\nrespond = { status = 101 }", "2:11", "200 to 599"),
        ("[[route]]\nrespond = { status = 200, text = \"\" }", "2:27", "unknown field `text`"),
        ("[[route]]\nupstream = \"10.0.0.1:80\"", "2:12", "http://HOST:PORT"),
        ("[[route]]\nupstream = \"http://a.test/path\"", "2:12", "without a path"),
        ("[[route]]\nupstream = \"http://a.test\"\nupstream_host = \"{app}.x\"", "3:17", "name it by `app`"),
        ("[[route]]\napp = \"a\"\nupstream_host = \"x\"", "3:17", "without `upstream`"),
        ("[[route]]\napp = \"a\"\nstrip_prefix = \"learn\"", "3:16", "write a path"),
        ("[[route]]\napp = \"a\"\nstrip_prefix = \"/a\"\nrewrite = \"/b\"", "4:11", "one of them"),
        ("[[route]]\napp = \"a\"\nset_response_headers = { content-length = \"5\" }", "3:24", "host's own"),
        (
            "[[route]]\napp = \"a\"\nset_request_headers = { x-vitrine-experiments = \"a=b\" }",
            "3:23",
            "host's own",
        ),
        ("[[route]]\napp = \"a\"\nset_response_headers = { x-a = \"a\\nb\" }", "3:24", "control character"),
        ("[[route]]\napp = \"a\"\nrate_limit = \"fast\"", "3:14", "is no rate"),
        ("[[route]]\napp = \"a\"\nrate_limit = \"0/s\"", "3:14", "is no rate"),
        ("[[route]]\napp = \"a\"\ncolour = 1", "3:1", "unknown field `colour`"),
        ("[[experiment]]\nname = \"a b\"\nvariants = { a = 1 }", "2:8", "is no name"),
        ("[[experiment]]\nname = \"a\"\nvariants = {}", "3:12", "has 0"),
        ("[[experiment]]\nname = \"a\"\nvariants = { a = 1 }\nunit = \"ip\"", "4:8", "none of"),
        ("[jwt]\ncookie = \"s\"", "1:1", "no `keys`"),
        ("[jwt]\nkeys = [\"k\"]", "1:1", "either a `cookie`"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("rules.toml:{place}: ")) && error.contains(words),
            "{text}\n{error}"
        );
    }
}
