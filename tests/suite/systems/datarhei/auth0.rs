//! Core with an Auth0 tenant, and as much of Auth0 as a login at Core needs.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use crate::systems::datarhei::{Core, Pair, is_missing, is_unauthorized, is_wrong, password, tampered};
use crate::systems::{Answer, DAY, Jwt, MILLISECOND, SECOND, bearer};

const LISTED: &str =
    "auth0 domain=core-offline.eu.auth0.com audience=https://core.example.com/api clientid=core-offline";
const UNUSABLE: &str = "token is unverifiable: error while executing keyfunc: ";

impl Core {
    async fn with_auth0(state: &[(&str, Json)]) -> Self {
        Self::with(&[&[("auth0", json!(true))], state].concat()).await
    }

    /// What somebody who can log in at Auth0 gets there.
    async fn buy(&self, username: &str, audience: Option<&str>) -> Answer {
        let mut wanted = json!({
            "grant_type": "password", "client_id": "core-offline",
            "username": username, "password": "offline-only",
        });
        if let Some(audience) = audience {
            wanted["audience"] = json!(audience);
        }
        self.system.send_json("POST", "/oauth/token", &[], &wanted).await
    }

    async fn auth0_token(&self) -> String {
        self.buy("ann@example.com", None).await.text("/access_token")
    }

    /// A login with a token of Auth0 and nothing else.
    async fn login_by(&self, token: &str) -> Answer {
        self.system.send("POST", "/api/login", &[&bearer(token)], "").await
    }

    async fn auth0_key(&self) -> Json {
        self.anonymous("/.well-known/jwks.json").await.json["keys"][0].clone()
    }
}

#[tokio::test]
async fn a_token_of_auth0_and_an_empty_body_log_in() {
    let core = Core::with_auth0(&[]).await;
    let answer = core.login_by(&core.auth0_token().await).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let pair = Pair { access: answer.text("/access_token"), refresh: answer.text("/refresh_token") };
    assert_eq!(answer.json.as_object().map(serde_json::Map::len), Some(2));
    for token in [&pair.access, &pair.refresh] {
        let Jwt { head, claims, .. } = Jwt::read(token);
        assert_eq!((&head["alg"], &claims["iss"]), (&json!("HS256"), &json!("datarhei-core")));
        assert_eq!(claims["sub"], "auth0|ann", "the subject is Auth0's");
    }
    assert_eq!(core.call(&pair.access).await.status, 200);
    let refreshed = core.refresh(&pair.refresh).await.text("/access_token");
    assert_eq!(Jwt::read(&refreshed).claims["sub"], "auth0|ann");
}

#[tokio::test]
async fn auth0_is_asked_only_where_a_tenant_is_configured() {
    let core = Core::start().await;
    is_missing(&core.login_by(&core.auth0_token().await).await);
}

#[tokio::test]
async fn a_token_of_auth0_is_no_token_of_core() {
    let core = Core::with_auth0(&[]).await;
    let token = core.auth0_token().await;
    is_unauthorized(&core.call(&token).await);
    is_unauthorized(&core.refresh(&token).await);
}

#[tokio::test]
async fn both_ways_to_log_in_are_listed_in_any_order() {
    let core = Core::with_auth0(&[]).await;
    let mut seen = BTreeSet::new();
    for _ in 0..64 {
        seen.insert(core.anonymous("/api").await.json["auths"].to_string());
    }
    let expected = [json!([LISTED, "localjwt"]), json!(["localjwt", LISTED])];
    assert_eq!(seen, expected.iter().map(Json::to_string).collect());
}

#[tokio::test]
async fn passwords_log_in_as_before() {
    let core = Core::with_auth0(&[]).await;
    assert_eq!(core.call(&core.login().await.access).await.status, 200);
}

#[tokio::test]
async fn the_audience_is_neither_compared_nor_required() {
    let core = Core::with_auth0(&[]).await;
    let other =
        core.buy("ann@example.com", Some("https://elsewhere.example.com")).await.text("/access_token");
    assert_eq!(Jwt::read(&other).claims["aud"], "https://elsewhere.example.com");
    assert_eq!(core.login_by(&other).await.status, 200);

    let tenant = json!({
        "domain": "core-offline.eu.auth0.com", "audience": null, "client_id": "core-offline",
        "users": ["auth0|ann"],
    });
    let core = Core::with_auth0(&[("tenant", tenant)]).await;
    let none = core.auth0_token().await;
    assert_eq!(Jwt::read(&none).claims.get("aud"), None);
    assert_eq!(core.login_by(&none).await.status, 200);
}

#[tokio::test]
async fn a_user_whom_core_does_not_know_is_refused() {
    let core = Core::with_auth0(&[]).await;
    let token = core.buy("bob@example.com", None).await.text("/access_token");
    is_wrong(&core.login_by(&token).await, &format!("{UNUSABLE}user not allowed"));
}

#[tokio::test]
async fn an_expired_token_is_refused_without_any_leeway() {
    let core = Core::with_auth0(&[]).await;
    let token = core.auth0_token().await;
    core.system.pass(DAY - MILLISECOND);
    assert_eq!(core.login_by(&token).await.status, 200);
    core.system.pass(MILLISECOND);
    is_wrong(&core.login_by(&token).await, "token has invalid claims: token is expired");
}

#[tokio::test]
async fn a_key_that_the_domain_does_not_have_is_refused() {
    let issuer = Core::with_auth0(&[]).await;
    let mut key = issuer.auth0_key().await;
    key["kid"] = json!("offline-2");
    let core = Core::with_auth0(&[("auth0_key", key)]).await;
    let why = format!("{UNUSABLE}no cert for kid found: the given key ID was not found in the JWKs");
    is_wrong(&core.login_by(&issuer.auth0_token().await).await, &why);
}

#[tokio::test]
async fn a_head_that_does_not_fit_the_key_is_refused_before_the_signature_is_looked_at() {
    let core = Core::with_auth0(&[]).await;
    let token = core.auth0_token().await;
    let (_, rest) = token.split_once('.').expect("a head");
    for (head, why) in [
        (json!({ "alg": "RS256", "typ": "JWT" }), "kid not found"),
        (json!({ "alg": "HS256", "typ": "JWT", "kid": "offline-1" }), "signing method doesn't match"),
        (json!({ "alg": "none", "typ": "JWT", "kid": "offline-1" }), "signing method doesn't match"),
    ] {
        let forged = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(head.to_string()));
        is_wrong(&core.login_by(&forged).await, &format!("{UNUSABLE}{why}"));
    }
}

#[tokio::test]
async fn a_damaged_signature_is_refused() {
    let core = Core::with_auth0(&[]).await;
    let answer = core.login_by(&tampered(&core.auth0_token().await)).await;
    is_wrong(&answer, "token signature is invalid: crypto/rsa: verification error");
}

#[tokio::test]
async fn a_token_of_another_issuer_is_no_credentials() {
    let issuer = Core::with_auth0(&[]).await;
    let tenant = json!({
        "domain": "another.eu.auth0.com", "audience": "a", "client_id": "c", "users": ["auth0|ann"],
    });
    let core = Core::with_auth0(&[("tenant", tenant)]).await;
    is_missing(&core.login_by(&issuer.auth0_token().await).await);
    is_missing(&core.login_by(&core.login().await.access).await);
    is_missing(&core.login_by("garbage").await);
}

#[tokio::test]
async fn empty_credentials_beside_a_good_token_do_no_harm() {
    let core = Core::with_auth0(&[]).await;
    let token = bearer(&core.auth0_token().await);
    let answer = core.post_login(&[&token], &json!({ "username": "", "password": "" })).await;
    assert_eq!((answer.status, &answer.json["access_token"].is_string()), (200, &true));
}

#[tokio::test]
async fn wrong_credentials_beside_a_good_token_are_refused_where_passwords_decide_first() {
    let core = Core::with_auth0(&[]).await;
    let token = bearer(&core.auth0_token().await);
    let wrong = json!({ "username": "admin", "password": "wrong" });
    is_wrong(&core.post_login(&[&token], &wrong).await, "invalid username or password");

    let core = Core::with_auth0(&[("auth0_first", json!(true))]).await;
    assert_eq!(core.post_login(&[&token], &wrong).await.status, 200);
    is_missing(&core.post_login(&[], &json!({})).await);
    assert_eq!(core.post_login(&[], &password()).await.status, 200);
}

#[tokio::test]
async fn auth0_reads_the_first_bearer_and_minds_its_case() {
    let core = Core::with_auth0(&[]).await;
    let token = core.auth0_token().await;
    let lower = format!("authorization: bearer {token}");
    is_missing(&core.system.send("POST", "/api/login", &[&lower], "").await);
    let (good, bad) = (bearer(&token), bearer("garbage"));
    is_missing(&core.system.send("POST", "/api/login", &[&bad, &good], "").await);
    assert_eq!(core.system.send("POST", "/api/login", &[&good, &bad], "").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn refusals_come_after_five_seconds_here_too() {
    let core = Core::slow(&[("auth0", json!(true))]).await;
    let stranger = core.buy("bob@example.com", None).await.text("/access_token");
    let start = Instant::now();
    assert_eq!(core.login_by(&stranger).await.status, 401);
    assert_eq!(start.elapsed(), 5 * SECOND);
    assert_eq!(core.login_by("garbage").await.status, 400);
    assert_eq!(start.elapsed(), 10 * SECOND);
    assert_eq!(core.login_by(&core.auth0_token().await).await.status, 200);
    assert_eq!(start.elapsed(), 10 * SECOND);
}

#[tokio::test]
async fn the_domain_shows_the_key_that_its_tokens_name() {
    let core = Core::with_auth0(&[]).await;
    let (token, key) = (core.auth0_token().await, core.auth0_key().await);
    let Jwt { head, claims, .. } = Jwt::read(&token);
    assert_eq!((&head["alg"], &head["kid"]), (&json!("RS256"), &key["kid"]));
    assert_eq!(claims["iss"], "https://core-offline.eu.auth0.com/");
    let mut names: Vec<&String> = key.as_object().expect("a key").keys().collect();
    names.sort();
    assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"], "the public half alone");
    let number = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().expect("text")).expect("base64url");
    let (signed, signature) = token.rsplit_once('.').expect("a signature");
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    RsaPublicKeyComponents { n: number("n"), e: number("e") }
        .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
        .expect("the key signed it");
}

#[tokio::test]
async fn auth0_gives_a_token_to_those_whom_it_knows() {
    let core = Core::with_auth0(&[]).await;
    let answer = core.buy("ann@example.com", None).await;
    assert_eq!((&answer.json["expires_in"], &answer.json["token_type"]), (&json!(86400), &json!("Bearer")));
    assert_eq!(answer.header("cache-control"), "no-store");
    let stranger = core.buy("nobody@example.com", None).await;
    assert_eq!((stranger.status, &stranger.json["error"]), (403, &json!("invalid_grant")));
    let form = "grant_type=password&client_id=core-offline&username=ann%40example.com&password=offline-only";
    assert_eq!(core.system.send_form("POST", "/oauth/token", &[], form).await.status, 200);
    let wrong = form.replace("offline-only", "wrong");
    assert_eq!(core.system.send_form("POST", "/oauth/token", &[], &wrong).await.status, 403);
    let client = form.replace("core-offline", "nobody");
    assert_eq!(core.system.send_form("POST", "/oauth/token", &[], &client).await.status, 401);
    let grant = form.replace("grant_type=password", "grant_type=magic");
    assert_eq!(core.system.send_form("POST", "/oauth/token", &[], &grant).await.status, 403);
}
