//! The description of the admin side changes only on purpose.

use vitrine_test_support::snapshot::assert_same;

#[test]
fn the_openapi_description_is_the_reviewed_one() {
    let mut text = serde_json::to_string_pretty(&vitrine_control::admin::description()).unwrap();
    text.push('\n');
    assert_same("openapi.json", &text);
}
