use super::*;
use vitrine_core::id::Digest;
use vitrine_core::scope::{Scope, Selection};

fn record(name: &str, text: &str, expires_ms: Option<u64>) -> TokenRecord {
    TokenRecord {
        name: name.parse().unwrap(),
        sha256: Digest::of(text.as_bytes()),
        scope: Scope { apps: Selection::All, verbs: Selection::parse(["read"]).unwrap() },
        created_ms: 0,
        expires_ms,
    }
}

fn name_of(access: &Access, shown: &str) -> Option<String> {
    match access.authenticate(shown) {
        AuthResult::Good(caller) => Some(caller.actor.to_string()),
        AuthResult::Wrong | AuthResult::TooMany => None,
    }
}

#[tokio::test]
async fn tokens_come_and_go_and_what_was_begun_with_one_ends() {
    let records = vec![record("ci", "vit_a", None), record("desk", "vit_b", None)];
    let access = Access::new(Token::new("vt_root"), records, Clock::fixed(5));
    assert_eq!(name_of(&access, "vt_root").as_deref(), Some("root"));
    assert_eq!(name_of(&access, "vit_a").as_deref(), Some("token:ci"));
    assert_eq!(name_of(&access, "vit_c"), None);
    let AuthResult::Good(ci) = access.authenticate("vit_a") else { panic!("it is good") };
    let AuthResult::Good(desk) = access.authenticate("vit_b") else { panic!("it is good") };
    access.take_over(vec![record("desk", "vit_b", None), record("new", "vit_c", None)]);
    ci.ended().await;
    assert!(!ci.is_valid() && desk.is_valid());
    assert_eq!(name_of(&access, "vit_a"), None);
    assert_eq!(name_of(&access, "vit_c").as_deref(), Some("token:new"));
}

#[tokio::test]
async fn a_token_is_good_until_its_end() {
    let clock = Clock::fixed(1_000);
    let access = Access::new(Token::new("vt_root"), vec![record("ci", "vit_a", Some(2_000))], clock.clone());
    let AuthResult::Good(caller) = access.authenticate("vit_a") else { panic!("it is good") };
    clock.advance(999);
    assert!(caller.is_valid());
    clock.advance(1);
    assert!(!caller.is_valid());
    assert_eq!(name_of(&access, "vit_a"), None);
    tokio::time::timeout(Duration::from_secs(5), caller.ended()).await.expect("it has ended");
}

#[tokio::test(start_paused = true)]
async fn wrong_tokens_are_counted_and_good_ones_never_wait() {
    let access = Access::new(Token::new("vt_root"), Vec::new(), Clock::system());
    let refused = |tries: u32| {
        (0..tries).filter(|_| matches!(access.authenticate("vit_no"), AuthResult::Wrong)).count()
    };
    assert_eq!(refused(WRONG_TOKENS_BURST + 50), WRONG_TOKENS_BURST as usize);
    assert_eq!(name_of(&access, "vt_root").as_deref(), Some("root"));
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(refused(100), 2 * WRONG_TOKENS_PER_S as usize);
}
