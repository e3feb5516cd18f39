//! `auth`: the schemes, each with what it needs.

use serde_json::{Value, json};

use crate::document::workflow::schema::Definition;
use crate::document::workflow::schema::shape::{
    examples, key, map, map_or_text, needing, needing_one_of, refer, single, with,
};

pub(super) fn definitions() -> Vec<Definition> {
    let auth = map_or_text([
        key("basic", "User name and password, by HTTP Basic.", login()),
        key(
            "bearer",
            "A token, sent as `Authorization: Bearer`.",
            examples(refer("nullable"), ["{{ access_token }}".into()]),
        ),
        key("api_key", "A key in a header, the query or a cookie.", api_key()),
        key("digest", "User name and password, by HTTP Digest.", login()),
        key("aws_sigv4", "A signature as the services of AWS want it.", aws_sigv4()),
        key("jwt", "A JSON web token that is signed anew for each request.", jwt()),
    ]);
    // The word alone: a scheme that leaves the defaults' behind.
    let auth = examples(with(auth, "pattern", "^none$"), ["none".into()]);
    // Said beside the keys, the most of them would keep the YAML language server from offering any.
    let auth = with(auth, "allOf", [single(json!({}))]);
    vec![("auth", auth)]
}

fn login() -> Value {
    let login = map([
        key("username", "Who logs in.", refer("nullable")),
        key(
            "password",
            "The password; a template that reads an input, so that it stays out of the file.",
            refer("nullable"),
        ),
    ]);
    needing(login, &["username", "password"])
}

fn api_key() -> Value {
    let places = ["header", "query", "cookie"];
    let api_key = map([
        key("header", "The header that carries the key.", examples(refer("path"), ["X-Api-Key".into()])),
        key("query", "The parameter of the query that carries the key.", refer("path")),
        key("cookie", "The cookie that carries the key.", refer("path")),
        key("value", "The key itself.", refer("nullable")),
    ]);
    needing_one_of(needing(api_key, &["value"]), &places)
}

fn aws_sigv4() -> Value {
    let signature = map([
        key("access_key", "The id of the access key.", refer("nullable")),
        key("secret_key", "The secret access key.", refer("nullable")),
        key("token", "The session token of temporary credentials.", refer("nullable")),
        key("region", "The region that is signed for.", examples(refer("text"), ["eu-central-1".into()])),
        key("service", "The service that is signed for.", examples(refer("text"), ["execute-api".into()])),
    ]);
    needing(signature, &["access_key", "secret_key", "region", "service"])
}

fn jwt() -> Value {
    let algorithms = ["HS256", "RS256", "ES256"];
    let jwt = map([
        key("key", "The shared secret, or the private key in PEM.", refer("nullable")),
        key("alg", "The algorithm of the signature.", examples(refer("text"), algorithms.map(Into::into))),
        key(
            "claims",
            "What the token claims.",
            examples(json!({}), [json!({ "iss": "{{ client_id }}", "exp": "{{ timestamp() + 300 }}" })]),
        ),
        key("header", "Further fields of the token's header, such as `kid`.", json!({})),
    ]);
    needing(jwt, &["key"])
}
